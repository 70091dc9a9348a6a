// Command elem generates the AVX2 and AVX-512 bodies of element-wise kernels, reductions, normalisations, transposes and the
// optimiser's step. Run in internal/kernel/_asm:
//
//	go run ./elem -out ../elem_amd64.s -stubs ../elem_stubs_amd64.go -pkg kernel
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, w := range []*width{{suffix: "AVX2", lanes: 8}, {suffix: "AVX512", lanes: 16}} {
		arithmetic(w)
		activations(w)
		reductions(w)
		columns(w)
		norms(w)
		attention(w)
		adam(w)
	}
	transpose()
	geluTable.emit()
	geluGradTable.emit()
	constants.emit()
	Generate()
}
