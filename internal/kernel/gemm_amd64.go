//go:build !purego

package kernel

import "unsafe"

//go:generate go run -C _asm ./gemm -out ..

//go:noescape
func gemmAVX512(t *tile)

//go:noescape
func gemmAVX2(t *tile)

//go:noescape
func transpose8AVX2(dst, src unsafe.Pointer, dstRow, srcRow uintptr, n int)

//go:noescape
func copyPiecesAVX2(p *pieces)

//go:noescape
func gemmBF16(t *tile)

//go:noescape
func pairRowBF16(dst, src unsafe.Pointer, n int)

//go:noescape
func pairPiecesBF16(p *pairPieces)

var (
	engine512  = engine{name: "AVX-512", rows: 14, columns: 32, masks: true, run: gemmAVX512, transpose8: transpose8AVX2, copyPieces: copyPiecesAVX2}
	engine256  = engine{name: "AVX2", rows: 6, columns: 16, run: gemmAVX2, transpose8: transpose8AVX2, copyPieces: copyPiecesAVX2}
	enginePair = engine{name: "AVX-512 BF16", rows: 14, columns: 32, masks: true, run: gemmBF16, transpose8: transpose8AVX2,
		pairRow: pairRowBF16, pairPieces: pairPiecesBF16}
)

// gemmEngines lists what this CPU can run, best first.
func gemmEngines() []*engine {
	var e []*engine
	if hasAVX512 {
		e = append(e, &engine512)
	}
	if hasAVX2 {
		e = append(e, &engine256)
	}
	return e
}

// bf16Engines lists what this CPU can multiply bfloat16 with.
func bf16Engines() []*engine {
	if hasBF16 {
		return []*engine{&enginePair}
	}
	return nil
}
