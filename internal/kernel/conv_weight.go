package kernel

// ConvWeightGrad computes gw, the gradient of w, from x and gy; with acc it adds to gw.
//
//	gw[o,c,u,v] = sum over n,i,j of gy[n,o,i,j] x[n, c, i StrideH + u DilationH - PadH, j StrideW + v DilationW - PadW]
//
// For one tap (u, v) of one image that is a product over all windows. With x laid out as a patchImage and gy with rows of
// the same pitch, zero where there are no windows, the windows of all rows are one run in both, and no patch is copied.
// Where there are few channels, the product takes all taps at once, from the matrix of patches.
func ConvWeightGrad[T Float](gw, x, gy []T, s ConvShape, acc bool) {
	s = s.resolve("ConvWeightGrad")
	s.check("ConvWeightGrad", len(gy), len(x), len(gw))
	switch size := s.OH * s.OW; {
	case s.N == 0:
		if !acc {
			clear(gw)
		}
		return
	case s.pointwise():
		for n := range s.N {
			Gemm(false, true, s.Out, s.C, size, gy[n*s.Out*size:], size, x[n*s.C*size:], size, gw, s.C, acc || n > 0)
		}
		return
	case s.depthwise():
		depthwiseWeight(gw, x, gy, s, acc)
		return
	}
	if s.C/s.Groups < fewChannels {
		weightByMatrix(gw, x, gy, s, acc)
	} else {
		weightByTaps(gw, x, gy, s, acc)
	}
}

// fewChannels is where products per tap, with one row per channel, become too low.
const fewChannels = 8

func weightByTaps[T Float](gw, x, gy []T, s ConvShape, acc bool) {
	cg, og, taps := s.C/s.Groups, s.Out/s.Groups, s.KH*s.KW
	sum, gradient := takeConvScratch[T](), takeConvScratch[T]()
	sum.cols = grow(sum.cols, len(gw)) // groups x taps x cg x og
	pieces := min((cg+27)/28, (31+taps*s.Groups)/(taps*s.Groups))
	for n := range s.N {
		for g := range s.Groups {
			im := &sum.image
			im.shape(s, 0, s.OH)
			long := s.OH * im.pitch
			gradient.cols = grow(gradient.cols, og*long)
			group := convTaps[T]{image: im, x: x[(n*s.C+g*cg)*s.H*s.W:], gy: gy[(n*s.Out+g*og)*s.OH*s.OW:],
				spread: gradient.cols, sum: sum.cols[g*taps*cg*og:], pieces: pieces, acc: n > 0}
			ParallelWith(cg+og, 4, convSpread[T]{group})
			ParallelWith(taps*pieces, 1, group)
		}
	}
	for i := range gw {
		o, c, t := i/(cg*taps), i/taps%cg, i%taps
		v := sum.cols[((o/og*taps+t)*cg+c)*og+o%og]
		if acc {
			v += gw[i]
		}
		gw[i] = v
	}
	sum.release()
	gradient.release()
}

// convTaps computes the products of one group of one image, tap by tap, cut into pieces of the channels of x.
type convTaps[T Float] struct {
	image       *patchImage[T]
	x, gy       []T
	spread, sum []T // gy in rows of the image's pitch; taps x cg x og
	pieces      int
	acc         bool
}

// convSpread lays out the channels of x and of gy.
type convSpread[T Float] struct{ convTaps[T] }

func (c *convSpread[T]) Chunk(lo, hi int) {
	im := c.image
	cg, long := im.C/im.Groups, im.OH*im.pitch
	im.channels(c.x, min(lo, cg), min(hi, cg))
	for o := max(lo-cg, 0); o < hi-cg; o++ {
		spread(c.spread[o*long:][:long], c.gy[o*im.OH*im.OW:], im.OW, im.pitch)
	}
}

func (c *convTaps[T]) Chunk(lo, hi int) {
	im, pieces := c.image, c.pieces
	cg, og, long := im.C/im.Groups, im.Out/im.Groups, im.OH*im.pitch
	sc := takeConvScratch[T]()
	defer sc.release()
	for t := lo; t < hi; t++ {
		sc.product = product[T]{transB: true, batch: 1, m: cg, n: og, k: long - im.pitch + im.OW,
			a: im.data[im.tap(t/pieces):], lda: im.channel(), b: c.spread, ldb: long}
		b := block[T]{product: &sc.product, m0: t % pieces * cg / pieces, m1: (t%pieces + 1) * cg / pieces, n1: og, k1: sc.product.k,
			c: c.sum[t/pieces*cg*og:], ldc: og, acc: c.acc, last: true}
		b.do()
	}
}

// spread copies the rows of x, n elements long, to rows of pitch elements, and fills up with zeros.
func spread[T Float](dst, x []T, n, pitch int) {
	for ; len(dst) > 0; dst, x = dst[pitch:], x[n:] {
		copy(dst, x[:n])
		clear(dst[n:pitch])
	}
}

func weightByMatrix[T Float](gw, x, gy []T, s ConvShape, acc bool) {
	cg, og, patch, size := s.C/s.Groups, s.Out/s.Groups, s.patch(), s.OH*s.OW
	sc := takeConvScratch[T]()
	sc.cols = grow(sc.cols, patch*size)
	for n := range s.N {
		for g := range s.Groups {
			sc.image.load(s, x[(n*s.C+g*cg)*s.H*s.W:], 0, s.OH)
			sc.image.matrix(sc.cols, 0, size)
			Gemm(false, true, og, patch, size, gy[(n*s.Out+g*og)*size:], size, sc.cols, size, gw[g*og*patch:], patch, acc || n > 0)
		}
	}
	sc.release()
}
