package kernel

// depthwise tells whether every channel is convolved with one kernel of its own.
func (s ConvShape) depthwise() bool { return s.Groups > 1 && s.C == s.Groups && s.Out == s.Groups }

// depthwise computes y one channel at a time: in the layout of a patchImage a tap adds a multiple of one long run to
// another. What lies between the windows' rows is computed too, and left out of y.
func depthwise[T Float](y, x, w, bias []T, s ConvShape, acc bool) {
	ParallelWith(s.N*s.C, 1, depthwiseForward[T]{s, y, x, w, bias, acc})
}

type depthwiseForward[T Float] struct {
	ConvShape
	y, x, w, bias []T
	acc           bool
}

func (s *depthwiseForward[T]) Chunk(lo, hi int) {
	taps := s.KH * s.KW
	sc := takeConvScratch[T]()
	defer sc.release()
	for t := lo; t < hi; t++ {
		c := t % s.C
		im := &sc.image
		im.shape(s.ConvShape, 0, s.OH)
		im.channels(s.x[t*s.H*s.W:], 0, 1)
		long := s.OH*im.pitch - im.pitch + s.OW
		sc.cols = grow(sc.cols, s.OH*im.pitch)
		sum := sc.cols[:long]
		if s.bias != nil {
			fill(sum, s.bias[c])
		} else {
			clear(sum)
		}
		for r := range taps {
			Axpy(sum, s.w[c*taps+r], im.data[im.tap(r):][:long])
		}
		for i := range s.OH {
			dst, src := s.y[(t*s.OH+i)*s.OW:][:s.OW], sc.cols[i*im.pitch:][:s.OW]
			if s.acc {
				Add(dst, dst, src)
			} else {
				copy(dst, src)
			}
		}
	}
}

// depthwiseWeight computes gw, or adds to it: a dot product per channel and tap, images in order.
func depthwiseWeight[T Float](gw, x, gy []T, s ConvShape, acc bool) {
	ParallelWith(s.C, 1, depthwiseGrad[T]{s, gw, x, gy, acc})
}

type depthwiseGrad[T Float] struct {
	ConvShape
	gw, x, gy []T
	acc       bool
}

func (s *depthwiseGrad[T]) Chunk(lo, hi int) {
	taps := s.KH * s.KW
	sc := takeConvScratch[T]()
	defer sc.release()
	im := &sc.image
	im.shape(s.ConvShape, 0, s.OH)
	long := s.OH * im.pitch
	sc.cols = grow(sc.cols, long)
	for c := lo; c < hi; c++ {
		g := s.gw[c*taps:][:taps]
		if !s.acc {
			clear(g)
		}
		for n := range s.N {
			im.channels(s.x[(n*s.C+c)*s.H*s.W:], 0, 1)
			spread(sc.cols[:long], s.gy[(n*s.C+c)*s.OH*s.OW:], s.OW, im.pitch)
			run := long - im.pitch + s.OW
			for r := range g {
				g[r] += T(Dot(sc.cols[:run], im.data[im.tap(r):][:run]))
			}
		}
	}
}
