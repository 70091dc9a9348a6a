package spectral

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// RFFT returns the Fourier transform of real x over its last d axes, n1 .. nd: [.., n1 .., nd/2+1, 2], the half of the spectrum that
// determines the rest,
//
//	X[k] = scale * sum over n of x[n] exp(-2 pi i (k1 n1/N1 + .. + kd nd/Nd)).
func RFFT(x *autograd.Value, d int, norm Norm) *autograd.Value {
	n, batch := trailing("RFFT", x, d, 0)
	scale, _ := scalesOf(norm, n)
	shape := append(append(make([]int, 0, 8), x.Shape[:x.Rank()-1]...), n[d-1]/2+1, 2)
	out := x.Tape().Alloc(shape...)
	kernel.RFFT(out.Data, x.Data, batch, n, scale)
	return autograd.Record("RFFT", out, []*autograd.Value{x}, transformingReal{x, d, scale})
}

type transformingReal struct {
	x     *autograd.Value
	d     int
	scale float32
}

func (o *transformingReal) Backward(g *autograd.Grads, gy []float32) {
	n, batch := trailing("RFFT", o.x, o.d, 0)
	// gx = Re of the conjugate sum over the half spectrum; the inverse counts its inner columns twice.
	h, gx := g.Scratch(len(gy)), g.Scratch(o.x.Len())
	copy(h, gy)
	scaleInner(h, n[o.d-1], 0.5)
	kernel.IRFFT(gx, h, batch, n, o.scale)
	g.Give(o.x, gx)
	g.Free(h)
	g.Free(gx)
}

// IRFFT returns the real inverse transform of a half spectrum x, [.., n1 .., nd/2+1, 2], onto the grid n: [.., n1 .. nd]. The
// imaginary parts of the first and, where nd is even, the last column are ignored after the complex inverse over the other axes.
func IRFFT(x *autograd.Value, n []int, norm Norm) *autograd.Value {
	d := len(n)
	have, batch := trailing("IRFFT", x, d, 1)
	last := n[d-1]
	if have[d-1] != last/2+1 || !slices.Equal(have[:d-1], n[:d-1]) {
		panic(fmt.Sprintf("spectral: IRFFT: shape %v is not the half spectrum of a grid %v", x.Shape, slices.Clone(n)))
	}
	_, scale := scalesOf(norm, n)
	out := x.Tape().Alloc(append(append(make([]int, 0, 8), x.Shape[:x.Rank()-2]...), last)...)
	grid := out.Shape[out.Rank()-d:]
	kernel.IRFFT(out.Data, x.Data, batch, grid, scale)
	return autograd.Record("IRFFT", out, []*autograd.Value{x}, invertingReal{x, grid, scale})
}

type invertingReal struct {
	x     *autograd.Value
	n     []int
	scale float32
}

func (o *invertingReal) Backward(g *autograd.Grads, gy []float32) {
	_, batch := trailing("IRFFT", o.x, len(o.n), 1)
	gx := g.Scratch(o.x.Len())
	kernel.RFFT(gx, gy, batch, o.n, o.scale)
	scaleInner(gx, o.n[len(o.n)-1], 2)
	g.Give(o.x, gx)
	g.Free(gx)
}

// FFT returns the Fourier transform of complex x, [.., n1 .. nd, 2], over its last d axes before the one of parts.
func FFT(x *autograd.Value, d int, norm Norm) *autograd.Value {
	n, _ := trailing("FFT", x, d, 1)
	scale, _ := scalesOf(norm, n)
	return complexFFT("FFT", x, d, false, scale)
}

// IFFT returns the inverse Fourier transform of complex x, [.., n1 .. nd, 2], over its last d axes before the one of parts.
func IFFT(x *autograd.Value, d int, norm Norm) *autograd.Value {
	n, _ := trailing("IFFT", x, d, 1)
	_, scale := scalesOf(norm, n)
	return complexFFT("IFFT", x, d, true, scale)
}

func complexFFT(name string, x *autograd.Value, d int, inverse bool, scale float32) *autograd.Value {
	n, batch := trailing(name, x, d, 1)
	out := x.Tape().Alloc(x.Shape...)
	kernel.FFT(out.Data, x.Data, batch, n, inverse, scale)
	return autograd.Record(name, out, []*autograd.Value{x}, transformingComplex{x, n, batch, inverse, scale})
}

type transformingComplex struct {
	x       *autograd.Value
	n       []int
	batch   int
	inverse bool
	scale   float32
}

func (o *transformingComplex) Backward(g *autograd.Grads, gy []float32) {
	gx := g.Scratch(len(gy))
	kernel.FFT(gx, gy, o.batch, o.n, !o.inverse, o.scale) // the conjugate transpose
	g.Give(o.x, gx)
	g.Free(gx)
}

// ToComplex returns real x as complex numbers, with a last axis of 2.
func ToComplex(x *autograd.Value) *autograd.Value {
	out := x.Tape().Alloc(append(append(make([]int, 0, 8), x.Shape...), 2)...)
	for i, v := range x.Data {
		out.Data[2*i], out.Data[2*i+1] = v, 0
	}
	return autograd.Record("ToComplex", out, []*autograd.Value{x}, complexed{x})
}

type complexed struct{ x *autograd.Value }

func (o *complexed) Backward(g *autograd.Grads, gy []float32) {
	gx := g.Zeroed(o.x)
	for i := range gx {
		gx[i] += gy[2*i]
	}
}

// Magnitude returns sqrt(re^2 + im^2) of complex x, [.., 2]. Its gradient at 0 is taken as 0.
func Magnitude(x *autograd.Value) *autograd.Value {
	if x.Rank() < 1 || x.Dim(-1) != 2 {
		panic(fmt.Sprintf("spectral: Magnitude: shape %v has no last axis of 2", x.Shape))
	}
	out := x.Tape().Alloc(x.Shape[:x.Rank()-1]...)
	for i := range out.Data {
		out.Data[i] = hypot(x.Data[2*i], x.Data[2*i+1])
	}
	return autograd.Record("Magnitude", out, []*autograd.Value{x}, magnitudes{x, out.Data})
}

type magnitudes struct {
	x *autograd.Value
	m []float32
}

func (o *magnitudes) Backward(g *autograd.Grads, gy []float32) {
	x, gx := o.x, g.Zeroed(o.x)
	for i, m := range o.m {
		if m > 0 {
			gx[2*i] += gy[i] * (x.Data[2*i] / m)
			gx[2*i+1] += gy[i] * (x.Data[2*i+1] / m)
		}
	}
}

// trailing returns the sizes of the last d axes of x, behind which are parts more, and how many blocks of them there are.
func trailing(op string, x *autograd.Value, d, parts int) (n []int, batch int) {
	if d < 1 || x.Rank() < d+parts || parts == 1 && x.Dim(-1) != 2 {
		panic(fmt.Sprintf("spectral: %s: shape %v has no %d axes to transform (complex: %v)", op, x.Shape, d, parts == 1))
	}
	end := x.Rank() - parts
	n, batch = x.Shape[end-d:end], 1
	if slices.Min(n) < 1 {
		panic(fmt.Sprintf("spectral: %s: shape %v has an empty axis", op, x.Shape))
	}
	for _, s := range x.Shape[:end-d] {
		batch *= s
	}
	return n, batch
}

func scalesOf(norm Norm, n []int) (forward, inverse float32) {
	size := 1
	for _, s := range n {
		size *= s
	}
	f, i := norm.scales(size, size)
	return float32(f), float32(i)
}

// scaleInner multiplies the columns of a half spectrum that stand for two by a; last is the length of the real axis.
func scaleInner(x []float32, last int, a float32) {
	half := last/2 + 1
	inner := (last - 1) / 2 // columns 1 .. inner
	for ; len(x) > 0; x = x[2*half:] {
		row := x[2 : 2+2*inner]
		for i := range row {
			row[i] *= a
		}
	}
}
