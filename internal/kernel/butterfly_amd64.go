//go:build !purego

package kernel

import "unsafe"

// butterflyArgs is what butterflyAVX2 reads; steps and n are in bytes.
type butterflyArgs struct {
	sum, diff, a, b                 unsafe.Pointer
	sumStep, diffStep, aStep, bStep int
	rows, n                         int
	acc                             bool
}

//go:noescape
func butterflyAVX2(p *butterflyArgs)

// butterfly32 does the first columns, a multiple of 8, and returns how many.
func butterfly32(rows, n int, sum, diff, a, b *Rows[float32], acc bool) int {
	n &^= 7
	if n == 0 || !hasAVX2 {
		return 0
	}
	butterflyAVX2(&butterflyArgs{
		sum: unsafe.Pointer(&sum.Data[sum.Start]), diff: unsafe.Pointer(&diff.Data[diff.Start]),
		a: unsafe.Pointer(&a.Data[a.Start]), b: unsafe.Pointer(&b.Data[b.Start]),
		sumStep: 4 * sum.Step, diffStep: 4 * diff.Step, aStep: 4 * a.Step, bStep: 4 * b.Step,
		rows: rows, n: 4 * n, acc: acc,
	})
	return n
}
