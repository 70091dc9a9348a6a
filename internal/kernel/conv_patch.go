package kernel

import "fmt"

// resolve fills in what 0 stands for and checks the sizes against each other.
func (s ConvShape) resolve(op string) ConvShape {
	for _, v := range []*int{&s.StrideH, &s.StrideW, &s.DilationH, &s.DilationW, &s.Groups} {
		*v = max(*v, 1)
	}
	if s.OH == 0 {
		s.OH = floorDiv(s.H+2*s.PadH-s.DilationH*(s.KH-1)-1, s.StrideH) + 1
	}
	if s.OW == 0 {
		s.OW = floorDiv(s.W+2*s.PadW-s.DilationW*(s.KW-1)-1, s.StrideW) + 1
	}
	if s.OH < 1 || s.OW < 1 || s.KH < 1 || s.KW < 1 || s.PadH < 0 || s.PadW < 0 {
		panic(fmt.Sprintf("kernel: %s: kernel %d x %d with dilation %d, %d and padding %d, %d does not fit in %d x %d",
			op, s.KH, s.KW, s.DilationH, s.DilationW, s.PadH, s.PadW, s.H, s.W))
	}
	if s.C%s.Groups != 0 || s.Out%s.Groups != 0 {
		panic(fmt.Sprintf("kernel: %s: %d and %d channels are not multiples of %d groups", op, s.C, s.Out, s.Groups))
	}
	return s
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

func (s ConvShape) check(op string, y, x, w int) {
	wantY, wantX, wantW := s.N*s.Out*s.OH*s.OW, s.N*s.C*s.H*s.W, s.Out*s.patch()
	if y != wantY || x != wantX || w != wantW {
		panic(fmt.Sprintf("kernel: %s: %d x %d x %d x %d with %d x %d x %d x %d to %d x %d x %d x %d, slices have %d, %d and %d elements",
			op, s.N, s.C, s.H, s.W, s.Out, s.C/s.Groups, s.KH, s.KW, s.N, s.Out, s.OH, s.OW, x, w, y))
	}
}

// patch is how many elements of x one element of y sees.
func (s ConvShape) patch() int { return s.C / s.Groups * s.KH * s.KW }

// columns is how many patches are gathered at a time: about 256 KB of them.
func (s ConvShape) columns() int {
	n := max(32, (1<<16)/s.patch()/32*32)
	return min(n, s.OH*s.OW)
}

// gather writes patches j0 to j1 as a matrix, dst[(c,u,v), j-j0] = x[c, i StrideH + u DilationH - PadH, ...] for window
// j = i OW + .., of the channels of one group of one image.
func gather[T Float](s ConvShape, dst, x []T, j0, j1 int) {
	n := j1 - j0
	for r := range s.patch() {
		c, u, v := r/(s.KH*s.KW), r/s.KW%s.KH, r%s.KW
		row := dst[r*n:][:n]
		ow0, ow1 := reach(s.OW, s.W, s.StrideW, v*s.DilationW-s.PadW)
		for i := j0 / s.OW; i*s.OW < j1; i++ {
			lo, hi := max(j0, i*s.OW), min(j1, (i+1)*s.OW)
			out := row[lo-j0 : hi-j0]
			lo, hi = lo-i*s.OW, hi-i*s.OW
			h := i*s.StrideH + u*s.DilationH - s.PadH
			a, b := min(max(ow0, lo), hi), max(min(ow1, hi), lo)
			if h < 0 || h >= s.H || a >= b {
				clear(out)
				continue
			}
			clear(out[:a-lo])
			clear(out[b-lo:])
			in := x[(c*s.H+h)*s.W:][:s.W]
			p := a*s.StrideW + v*s.DilationW - s.PadW
			out = out[a-lo : b-lo]
			if s.StrideW == 1 {
				copy(out, in[p:])
				continue
			}
			for k := range out {
				out[k] = in[p]
				p += s.StrideW
			}
		}
	}
}

// scatter is the transpose of gather: it adds the matrix's elements to the places of x that they came from.
func scatter[T Float](s ConvShape, x, src []T, j0, j1 int) {
	n := j1 - j0
	for r := range s.patch() {
		c, u, v := r/(s.KH*s.KW), r/s.KW%s.KH, r%s.KW
		row := src[r*n:][:n]
		ow0, ow1 := reach(s.OW, s.W, s.StrideW, v*s.DilationW-s.PadW)
		for i := j0 / s.OW; i*s.OW < j1; i++ {
			lo, hi := max(j0, i*s.OW+ow0), min(j1, i*s.OW+ow1)
			h := i*s.StrideH + u*s.DilationH - s.PadH
			if h < 0 || h >= s.H || lo >= hi {
				continue
			}
			out := x[(c*s.H+h)*s.W:][:s.W]
			p := (lo-i*s.OW)*s.StrideW + v*s.DilationW - s.PadW
			for _, g := range row[lo-j0 : hi-j0] {
				out[p] += g
				p += s.StrideW
			}
		}
	}
}

// reach returns the first and last+1 of the windows [0, n) along one axis whose element lies within [0, size), where
// window i looks at i*stride + offset.
func reach(n, size, stride, offset int) (lo, hi int) {
	lo = max(0, -floorDiv(offset, stride))
	hi = min(n, floorDiv(size-1-offset, stride)+1)
	return min(lo, n), max(hi, min(lo, n))
}
