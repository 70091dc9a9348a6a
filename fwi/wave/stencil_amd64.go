//go:build !purego

package wave

import "golang.org/x/sys/cpu"

//go:generate go run -C ../../internal/kernel/_asm ./wave -out ../../../fwi/wave/stencil_amd64.s

var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasAVX512 = hasAVX2 && cpu.X86.HasAVX512F
)

// fastStencil returns the best implementation of this processor, or nil.
func fastStencil() func(*strip[float32]) {
	switch {
	case hasAVX512:
		return stencilAVX512
	case hasAVX2:
		return stencilAVX2
	}
	return nil
}

// fastCorrelate likewise returns the best correlateGeneric.
func fastCorrelate() func(sum, q, wave []float32, quiet float32) {
	switch {
	case hasAVX512:
		return correlateRowAVX512
	case hasAVX2:
		return correlateRowAVX2
	}
	return nil
}

func correlateRowAVX512(sum, q, wave []float32, quiet float32) {
	if len(sum) > 0 {
		correlateAVX512(&sum[0], &q[:len(sum)][0], &wave[:len(sum)][0], quiet, len(sum)/lane)
	}
}

func correlateRowAVX2(sum, q, wave []float32, quiet float32) {
	if len(sum) > 0 {
		correlateAVX2(&sum[0], &q[:len(sum)][0], &wave[:len(sum)][0], quiet, len(sum)/lane)
	}
}

//go:noescape
func correlateAVX512(sum, q, wave *float32, quiet float32, vectors int)

//go:noescape
func correlateAVX2(sum, q, wave *float32, quiet float32, vectors int)

// rowArgs is what the assembly reads: addresses of first cells, distances between rows in bytes, and which body to run: four per
// order, of one row or four, without or with the Laplacian written.
type rowArgs struct {
	prev, now, lap, accel, keep *float32
	stride                      uintptr
	accelStep, keepStep         int
	vectors, kind               int
	ratio                       [reachMax]float32
}

//go:noescape
func rowsAVX512(a *rowArgs)

//go:noescape
func rowsAVX2(a *rowArgs)

// stencilAVX512 takes four rows at a time as far as there are some.
func stencilAVX512(b *strip[float32]) {
	a := newRowArgs(b)
	r := 0
	a.kind++
	for ; r+4 <= b.rows; r += 4 {
		a.point(b, r)
		rowsAVX512(&a)
	}
	a.kind--
	for ; r < b.rows; r++ {
		a.point(b, r)
		rowsAVX512(&a)
	}
}

func stencilAVX2(b *strip[float32]) {
	a := newRowArgs(b)
	for r := range b.rows {
		a.point(b, r)
		rowsAVX2(&a)
	}
}

// newRowArgs returns arguments for single rows of b, which point has to aim.
func newRowArgs(b *strip[float32]) rowArgs {
	a := rowArgs{stride: uintptr(4 * b.stride), accelStep: 4 * b.accelStep, keepStep: 4 * b.keepStep, vectors: b.vectors, ratio: *b.ratio}
	a.kind = 4 * (b.reach - 1)
	if b.lap != nil {
		a.kind += 2
	}
	return a
}

// point makes row r of the strip the first.
func (a *rowArgs) point(b *strip[float32], r int) {
	at := b.at + r*b.stride
	a.prev, a.now = &b.prev[at], &b.now[at]
	if b.lap != nil {
		a.lap = &b.lap[at]
	}
	a.accel, a.keep = &b.accel[b.accelAt+r*b.accelStep], &b.keep[b.keepAt+r*b.keepStep]
}
