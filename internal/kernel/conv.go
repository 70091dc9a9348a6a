package kernel

import (
	"fmt"
	"sync"
	"unsafe"
)

// ConvForward computes y from x, w and bias (length Out, or nil); with acc it adds to y.
func ConvForward[T Float](y, x, w, bias []T, s ConvShape, acc bool) {
	s = s.resolve("ConvForward")
	s.check("ConvForward", len(y), len(x), len(w))
	if bias != nil && len(bias) != s.Out {
		panic(fmt.Sprintf("kernel: ConvForward: bias has %d elements, want %d", len(bias), s.Out))
	}
	forward(y, x, w, bias, s, acc)
}

// forward is ConvForward for sizes that are known to fit.
func forward[T Float](y, x, w, bias []T, s ConvShape, acc bool) {
	size := s.OH * s.OW
	switch {
	case s.pointwise():
		GemmBatchEpilogue(false, false, s.N, s.Out, size, s.C, w, s.C, 0, x, size, s.C*size, y, size, s.Out*size, acc, &Epilogue[T]{RowBias: bias})
		return
	case s.depthwise():
		depthwise(y, x, w, bias, s, acc)
		return
	case !acc && is32[T]() && s.suitsWinograd():
		winogradForward(float32s(y), float32s(x), float32s(w), float32s(bias), s)
		return
	}
	step := s.columns()
	c := convForward[T]{ConvShape: s, y: y, x: x, w: w, bias: bias, acc: acc, step: step, pieces: (size + step - 1) / step}
	ParallelWith(s.N*s.Groups*c.pieces, 1, c)
}

// convForward cuts the windows of every group of every image into pieces of step windows.
type convForward[T Float] struct {
	ConvShape
	y, x, w, bias []T
	acc           bool
	step, pieces  int
}

func (s *convForward[T]) Chunk(lo, hi int) {
	cg, og, patch, size := s.C/s.Groups, s.Out/s.Groups, s.patch(), s.OH*s.OW
	rows := min((s.step+s.OW-2)/s.OW+1, s.OH) // that step windows can touch, whichever is the first
	sc := takeConvScratch[T]()
	defer sc.release()
	for t := lo; t < hi; t++ {
		n, g, j0 := t/s.pieces/s.Groups, t/s.pieces%s.Groups, t%s.pieces*s.step
		j1 := min(j0+s.step, size)
		sc.image.load(s.ConvShape, s.x[(n*s.C+g*cg)*s.H*s.W:][:cg*s.H*s.W], j0/s.OW, j0/s.OW+rows)
		sc.product = product[T]{batch: 1, m: og, n: size, k: patch, a: s.w[g*og*patch:], lda: patch,
			c: s.y[(n*s.Out+g*og)*size:], ldc: size, acc: s.acc}
		if s.bias != nil {
			sc.product.ep.RowBias = s.bias[g*og : (g+1)*og]
		}
		sc.multiply(&sc.product, j0, j1)
	}
}

// ConvTransposeForward computes the transposed convolution y of x with bias (length C of the shape, or nil); s is made
// by TransposeShape.
func ConvTransposeForward[T Float](y, x, w, bias []T, s ConvShape) {
	if bias != nil {
		if len(bias) != s.C || len(y) != s.N*s.C*s.H*s.W {
			panic(fmt.Sprintf("kernel: ConvTransposeForward: bias has %d elements and y %d, want %d and %d", len(bias), len(y), s.C, s.N*s.C*s.H*s.W))
		}
		for i := range s.N * s.C {
			fill(y[i*s.H*s.W:][:s.H*s.W], bias[i%s.C])
		}
	}
	ConvInputGrad(y, x, w, s, bias != nil)
}

// convScratch is what one task of a convolution needs.
type convScratch[T Float] struct {
	image   patchImage[T]
	cols    []T
	product product[T]
}

var convScratch32, convScratch64 sync.Pool

func takeConvScratch[T Float]() *convScratch[T] {
	if sc, ok := convPool[T]().Get().(*convScratch[T]); ok {
		return sc
	}
	return new(convScratch[T])
}

func (sc *convScratch[T]) release() {
	sc.product = product[T]{}
	convPool[T]().Put(sc)
}

func convPool[T Float]() *sync.Pool {
	if is32[T]() {
		return &convScratch32
	}
	return &convScratch64
}

// multiply computes columns j0 to j1 of p, whose B is the matrix of the image's patches: packed straight from the image
// where tiles run, else by way of the matrix.
func (sc *convScratch[T]) multiply(p *product[T], j0, j1 int) {
	if e := gemmEngine; e != nil && is32[T]() {
		b := block[T]{product: p, m1: p.m, n0: j0, n1: j1, k1: p.k, image: &sc.image, c: p.c, ldc: p.ldc, acc: p.acc, last: true}
		runTiles((*block[float32])(unsafe.Pointer(&b)), e)
		return
	}
	sc.cols = grow(sc.cols, p.k*(j1-j0))
	sc.image.matrix(sc.cols, j0, j1)
	GemmEpilogue(false, false, p.m, j1-j0, p.k, p.a, p.lda, sc.cols, j1-j0, p.c[j0:], p.ldc, p.acc, &p.ep)
}

// ConvBiasGrad computes gb[c] = sum over n, i of gy[n,c,i], gy being n x c x size; with acc it adds to gb. Each plane is
// summed in ascending order in float64.
func ConvBiasGrad[T Float](gb, gy []T, n, c, size int, acc bool) {
	if len(gb) != c || len(gy) != n*c*size {
		panic(fmt.Sprintf("kernel: ConvBiasGrad: gb has %d elements and gy %d, want %d and %d x %d x %d", len(gb), len(gy), c, n, c, size))
	}
	ParallelWith(c, max(1, 1<<14/max(1, n*size)), convBias[T]{gb, gy, n, c, size, acc})
}

type convBias[T Float] struct {
	gb, gy     []T
	n, c, size int
	acc        bool
}

func (b *convBias[T]) Chunk(lo, hi int) {
	for ch := lo; ch < hi; ch++ {
		sum := 0.0
		for i := range b.n {
			var s [4]float64
			p := b.gy[(i*b.c+ch)*b.size:][:b.size]
			for ; len(p) >= 4; p = p[4:] {
				s[0] += float64(p[0])
				s[1] += float64(p[1])
				s[2] += float64(p[2])
				s[3] += float64(p[3])
			}
			for _, v := range p {
				s[0] += float64(v)
			}
			sum += s[0] + s[1] + (s[2] + s[3])
		}
		if b.acc {
			sum += float64(b.gb[ch])
		}
		b.gb[ch] = T(sum)
	}
}

func fill[T Float](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}
