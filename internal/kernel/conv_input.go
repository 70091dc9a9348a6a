package kernel

// ConvInputGrad computes gx, the gradient of x, from gy, the gradient of y; with acc it adds to gx.
//
//	gx[n,c,h,w] = sum over o,u,v of w[o,c,u,v] gy[n, o, (h + PadH - u DilationH)/StrideH, (w + PadW - v DilationW)/StrideW]
//
// over the windows that exist.
func ConvInputGrad[T Float](gx, gy, w []T, s ConvShape, acc bool) {
	s = s.resolve("ConvInputGrad")
	s.check("ConvInputGrad", len(gy), len(gx), len(w))
	switch size := s.OH * s.OW; {
	case s.pointwise():
		GemmBatch(true, false, s.N, s.C, size, s.Out, w, s.C, 0, gy, size, s.Out*size, gx, size, s.C*size, acc)
	case s.StrideH == 1 && s.StrideW == 1:
		sc := takeConvScratch[T]()
		sc.cols = grow(sc.cols, len(w))
		flip(sc.cols, w, s)
		forward(gx, gy, sc.cols, nil, s.adjoint(), acc)
		sc.release()
	default:
		scatterInput(gx, gy, w, s, acc)
	}
}

// adjoint is the convolution, with flipped weights, that takes the gradient of y to that of x where strides are 1.
func (s ConvShape) adjoint() ConvShape {
	s.C, s.Out, s.H, s.W, s.OH, s.OW = s.Out, s.C, s.OH, s.OW, s.H, s.W
	s.PadH, s.PadW = (s.KH-1)*s.DilationH-s.PadH, (s.KW-1)*s.DilationW-s.PadW
	return s
}

// flip writes the weights of s.adjoint(): dst[c,o,u,v] = w[o,c,KH-1-u,KW-1-v] within every group.
func flip[T Float](dst, w []T, s ConvShape) {
	cg, og, taps := s.C/s.Groups, s.Out/s.Groups, s.KH*s.KW
	for o := range s.Out {
		for c := range cg {
			src := w[(o*cg+c)*taps:][:taps]
			to := dst[((o/og*cg+c)*og+o%og)*taps:][:taps]
			for i, v := range src {
				to[taps-1-i] = v
			}
		}
	}
}

// scatterInput computes the gradients of patches and adds them up, some columns at a time.
func scatterInput[T Float](gx, gy, w []T, s ConvShape, acc bool) {
	ParallelWith(s.N*s.Groups, 1, inputScatter[T]{s, gx, gy, w, acc})
}

type inputScatter[T Float] struct {
	ConvShape
	gx, gy, w []T
	acc       bool
}

func (s *inputScatter[T]) Chunk(lo, hi int) {
	cg, og, patch := s.C/s.Groups, s.Out/s.Groups, s.patch()
	step := s.columns()
	sc := takeConvScratch[T]()
	defer sc.release()
	sc.cols = grow(sc.cols, patch*step)
	for t := lo; t < hi; t++ {
		n, g := t/s.Groups, t%s.Groups
		dst := s.gx[(n*s.C+g*cg)*s.H*s.W:][:cg*s.H*s.W]
		if !s.acc {
			clear(dst)
		}
		for j0 := 0; j0 < s.OH*s.OW; j0 += step {
			j1 := min(j0+step, s.OH*s.OW)
			Gemm(true, false, patch, j1-j0, og, s.w[g*og*patch:], patch,
				s.gy[(n*s.Out+g*og)*s.OH*s.OW+j0:], s.OH*s.OW, sc.cols, j1-j0, false)
			scatter(s.ConvShape, dst, sc.cols, j0, j1)
		}
	}
}

// scatter is the transpose of patchImage.matrix: it adds the matrix's elements to the places of x that they came from.
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
