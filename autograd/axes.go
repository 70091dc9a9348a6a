package autograd

import "fmt"

// axisIndex resolves an axis counted from the front, or from the back where it is negative.
func axisIndex(op string, x *Value, axis int) int {
	i := axis
	if i < 0 {
		i += x.Rank()
	}
	if i < 0 || i >= x.Rank() {
		panic(fmt.Sprintf("autograd: %s: no axis %d in shape %v", op, axis, x.Shape))
	}
	return i
}

// dim is one axis of a walk through memory.
type dim struct{ n, stride int }

// offsetAt returns where element i of a row-major walk over dims lies.
func offsetAt(dims []dim, i int) int {
	o := 0
	for k := len(dims) - 1; k >= 0; k-- {
		o += i % dims[k].n * dims[k].stride
		i /= dims[k].n
	}
	return o
}

func walkSize(dims []dim) int {
	n := 1
	for _, d := range dims {
		n *= d.n
	}
	return n
}

// walk calls f with the offsets of all elements of a row-major walk over dims, from element lo to element hi.
func walk(dims []dim, lo, hi int, f func(i, offset int)) {
	if lo >= hi {
		return
	}
	if len(dims) == 0 {
		f(lo, 0)
		return
	}
	last := dims[len(dims)-1]
	o := offsetAt(dims, lo)
	for i, j := lo, lo%last.n; i < hi; i++ {
		f(i, o)
		if j++; j < last.n {
			o += last.stride
		} else {
			j = 0
			o = offsetAt(dims, i+1)
		}
	}
}
