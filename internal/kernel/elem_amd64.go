//go:build !purego

package kernel

// The bodies that a CPU may have, an index into the tables of useBodies.
const (
	bodiesGeneric = iota
	bodiesAVX2
	bodiesAVX512
)

func init() { useBodies(bestBodies()) }

func bestBodies() int {
	switch {
	case hasAVX512:
		return bodiesAVX512
	case hasAVX2:
		return bodiesAVX2
	}
	return bodiesGeneric
}

// useBodies makes the float32 kernels run the bodies of one kind. It must not be called while a kernel runs.
func useBodies(kind int) {
	for _, e := range []struct {
		of     *elem
		bodies [3]elemFunc[float32]
	}{
		{&addElem, [3]elemFunc[float32]{addGeneric[float32], addAVX2, addAVX512}},
		{&subElem, [3]elemFunc[float32]{subGeneric[float32], subAVX2, subAVX512}},
		{&mulElem, [3]elemFunc[float32]{mulGeneric[float32], mulAVX2, mulAVX512}},
		{&mulAddElem, [3]elemFunc[float32]{mulGeneric[float32], mulAVX2, mulAVX512}},
		{&expGradElem, [3]elemFunc[float32]{mulGeneric[float32], mulAVX2, mulAVX512}},
		{&divElem, [3]elemFunc[float32]{divGeneric[float32], divAVX2, divAVX512}},
		{&logGradElem, [3]elemFunc[float32]{divGeneric[float32], divAVX2, divAVX512}},
		{&sqrtElem, [3]elemFunc[float32]{sqrtGeneric[float32], sqrtAVX2, sqrtAVX512}},
		{&scaleElem, [3]elemFunc[float32]{scaleGeneric[float32], scaleAVX2, scaleAVX512}},
		{&axpyElem, [3]elemFunc[float32]{scaleGeneric[float32], scaleAVX2, scaleAVX512}},
		{&addScaledElem, [3]elemFunc[float32]{addScaledGeneric[float32], addScaledAVX2, addScaledAVX512}},
		{&scaleShiftElem, [3]elemFunc[float32]{scaleShiftGeneric[float32], scaleShiftAVX2, scaleShiftAVX512}},
		{&mulShiftedElem, [3]elemFunc[float32]{mulShiftedGeneric[float32], mulShiftedAVX2, mulShiftedAVX512}},
		{&leakyElem, [3]elemFunc[float32]{leakyGeneric[float32], leakyAVX2, leakyAVX512}},
		{&leakyGradElem, [3]elemFunc[float32]{leakyGradGeneric[float32], leakyGradAVX2, leakyGradAVX512}},
		{&expElem, [3]elemFunc[float32]{expGeneric[float32], expAVX2, expAVX512}},
		{&geluElem, [3]elemFunc[float32]{geluGeneric[float32], geluAVX2, geluAVX512}},
		{&geluGradElem, [3]elemFunc[float32]{geluGradGeneric[float32], geluGradAVX2, geluGradAVX512}},
		{&geluTanhElem, [3]elemFunc[float32]{geluTanhGeneric[float32], geluTanhAVX2, geluTanhAVX512}},
		{&geluTanhGradElem, [3]elemFunc[float32]{geluTanhGradGeneric[float32], geluTanhGradAVX2, geluTanhGradAVX512}},
	} {
		e.of.f32 = e.bodies[kind]
	}
	for _, r := range []struct {
		of     *reducer
		bodies [3]func(x, y []float32) float64
	}{
		{&sumReducer, [3]func(x, y []float32) float64{sumGeneric[float32], sumAVX2, sumAVX512}},
		{&dotReducer, [3]func(x, y []float32) float64{dotGeneric[float32], dotAVX2, dotAVX512}},
		{&maxAbsReducer, [3]func(x, y []float32) float64{maxAbsGeneric[float32], maxAbsAVX2, maxAbsAVX512}},
		{&sumSquaresReducer, [3]func(x, y []float32) float64{sumSquaresGeneric[float32], sumSquaresAVX2, sumSquaresAVX512}},
	} {
		r.of.f32 = r.bodies[kind]
	}
	rowMax32 = [3]func(x []float32) float32{rowMaxGeneric[float32], rowMaxAVX2, rowMaxAVX512}[kind]
	expSum32 = [3]func(dst, x []float32, m float32) float64{expSumGeneric[float32], expSumAVX2, expSumAVX512}[kind]
	exp2Sum32 = [3]func(dst, x []float32, m float32) float32{exp2SumGeneric, exp2SumAVX2, exp2SumAVX512}[kind]
	exp2Grad32 = [3]func(p, g []float32, m, d float32){exp2GradGeneric, exp2GradAVX2, exp2GradAVX512}[kind]
	rotate32 = [3]func(y, x, sin, cos []float32, yRow, xRow, half, rows int, a, b float32){rotateGeneric, rotateAVX2, rotateAVX512}[kind]
	squares32 = [3]func(x []float32, m float64) float64{squaresGeneric[float32], squaresAVX2, squaresAVX512}[kind]
	normAffine32 = [3]func(dst, x, w, b []float32, m, s float32){normAffineGeneric[float32], normAffineAVX2, normAffineAVX512}[kind]
	normSums32 = [3]func(g, x, w []float32, m float64) (sum, dot float64){normSumsGeneric[float32], normSumsAVX2, normSumsAVX512}[kind]
	normGrad32 = [3]func(gx, g, x, w []float32, m, s, c, e float32, acc bool){normGradGeneric[float32], normGradAVX2, normGradAVX512}[kind]
	normParam32 = [3]func(sw, sb []float64, gy, x, mean, rstd []float32, rows, n int){normParamGeneric[float32], normParamAVX2, normParamAVX512}[kind]
	colSum32 = [3]func(sum []float64, x []float32, rows, n int){colSumGeneric[float32], colSumAVX2, colSumAVX512}[kind]
	colDot32 = [3]func(sum []float64, x, y []float32, rows, n int){colDotGeneric[float32], colDotAVX2, colDotAVX512}[kind]
	adam32 = [3]adamFunc[float32]{adamGeneric[float32], adamAVX2, adamAVX512}[kind]
	transpose32 = [3]transposeFunc[float32]{transposeGeneric[float32], transposeAVX2, transposeAVX2}[kind]
}

func sumSquaresAVX2(x, _ []float32) float64   { return dotAVX2(x, x) }
func sumSquaresAVX512(x, _ []float32) float64 { return dotAVX512(x, x) }

// transposeAVX2 moves blocks of 8 x 8 in registers, and the edges one by one.
func transposeAVX2(dst []float32, ldd int, src []float32, lds, r, c int) {
	r8, c8 := r&^7, c&^7
	if r8 > 0 && c8 > 0 {
		transposeBlocksAVX2(dst, ldd, src, lds, r8, c8)
	}
	if r8 < r && c8 > 0 {
		transposeGeneric(dst[r8:], ldd, src[r8*lds:], lds, r-r8, c8)
	}
	if c8 < c {
		transposeGeneric(dst[c8*ldd:], ldd, src[c8:], lds, r, c-c8)
	}
}
