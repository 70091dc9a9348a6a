package kernel

import "fmt"

// Rows are rows of contiguous elements: row i starts at Data[Start+i*Step]. Step may be negative.
type Rows[T Float] struct {
	Data        []T
	Start, Step int
}

// check panics unless all rows of n elements lie within the slice.
func (r *Rows[T]) check(name string, rows, n int) {
	last := r.Start + (rows-1)*r.Step
	if lo, hi := min(r.Start, last), max(r.Start, last)+n; lo < 0 || hi > len(r.Data) {
		panic(fmt.Sprintf("kernel: Butterfly: %d rows of %d elements from %d on, %d apart, in a slice of %d: %s", rows, n, r.Start, r.Step, len(r.Data), name))
	}
}

// Butterfly computes, for i < rows and j < n, sum[i,j] = a[i,j] + b[i,j] and diff[i,j] = a[i,j] - b[i,j], or adds these to what is
// there if acc. With b running backwards it folds a sequence into its even and its odd part. It runs on the caller's thread; sum and
// diff may be a and b.
func Butterfly[T Float](rows, n int, sum, diff, a, b Rows[T], acc bool) {
	if rows <= 0 || n <= 0 {
		return
	}
	sum.check("sum", rows, n)
	diff.check("diff", rows, n)
	a.check("a", rows, n)
	b.check("b", rows, n)
	done := 0
	if s, ok := any(&sum).(*Rows[float32]); ok {
		done = butterfly32(rows, n, s, any(&diff).(*Rows[float32]), any(&a).(*Rows[float32]), any(&b).(*Rows[float32]), acc)
	}
	if done == n {
		return
	}
	for i := range rows {
		s, d := sum.Data[sum.Start+i*sum.Step:][done:n], diff.Data[diff.Start+i*diff.Step:][done:n]
		x, y := a.Data[a.Start+i*a.Step:][done:n], b.Data[b.Start+i*b.Step:][done:n]
		for j, v := range x {
			w := y[j]
			if acc {
				s[j] += v + w
				d[j] += v - w
			} else {
				s[j], d[j] = v+w, v-w
			}
		}
	}
}
