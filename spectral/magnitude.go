package spectral

import (
	"fmt"
	"math"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/memo"
)

// MagnitudeL1 is a loss on the magnitudes of spectra, blind to where features lie and keen on how much detail there is,
//
//	L = mean over samples, channels and half-spectrum bins k of w(k) | |F(pred)|(k) - |F(target)|(k) |.
//
// Images are first multiplied by a window and freed of their mean.
type MagnitudeL1 struct {
	// NoWindow leaves out the Hann window, 1/2 - cos(2 pi n / N)/2 along both axes (periodic: it is zero at n = 0 only).
	NoWindow bool `json:"no_window,omitempty"`
	// Norm of the transform; the default here is NormOrtho.
	Norm Norm `json:"norm,omitempty"`
	// Gamma > 0 weights bins by w(k) = min(r, 1)^Gamma, where r = |k| over the highest frequency of an axis; 0 weights all alike.
	Gamma float64 `json:"gamma,omitempty"`
}

// Loss returns L for pred and target, both [batch, channel, ny, nx].
func (l MagnitudeL1) Loss(pred, target *autograd.Value) *autograd.Value {
	if pred.Rank() != 4 || !slices.Equal(pred.Shape, target.Shape) {
		panic(fmt.Sprintf("spectral: MagnitudeL1: shapes %v and %v; want [batch, channel, ny, nx] twice", pred.Shape, target.Shape))
	}
	d := autograd.Abs(autograd.Sub(l.magnitude(pred), l.magnitude(target)))
	if l.Gamma > 0 {
		w := weights(pred.Shape[2], pred.Shape[3], l.Gamma)
		d = autograd.MulLast(autograd.Reshape(d, pred.Shape[0], pred.Shape[1], w.Len()), pred.Tape().Const(w))
	}
	return autograd.Mean(d)
}

func (l MagnitudeL1) magnitude(x *autograd.Value) *autograd.Value {
	nb, nc, ny, nx := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	if !l.NoWindow {
		x = autograd.MulLast(autograd.Reshape(x, nb, nc, ny*nx), x.Tape().Const(window(ny, nx)))
	}
	x = autograd.Reshape(removeMean(autograd.Reshape(x, nb*nc, ny*nx)), nb, nc, ny, nx)
	norm := l.Norm
	if norm == "" {
		norm = NormOrtho
	}
	return Magnitude(RFFT(x, 2, norm))
}

// removeMean subtracts from every row of x its mean.
func removeMean(x *autograd.Value) *autograd.Value {
	rows, n := x.Shape[0], x.Shape[1]
	out := x.Tape().Alloc(rows, n)
	subtractMeans(out.Data, x.Data, n, false)
	return autograd.Record("removeMean", out, []*autograd.Value{x}, removingMean{x})
}

type removingMean struct{ x *autograd.Value }

func (o *removingMean) Backward(g *autograd.Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	subtractMeans(gx, gy, o.x.Shape[1], acc)
}

// subtractMeans writes, or adds, to every row of dst that of x minus its mean: a projection, its own adjoint.
func subtractMeans(dst, x []float32, n int, acc bool) {
	for i := 0; i < len(x); i += n {
		mean := 0.0
		for _, v := range x[i : i+n] {
			mean += float64(v)
		}
		m := float32(mean / float64(n))
		for j, v := range x[i : i+n] {
			if acc {
				dst[i+j] += v - m
			} else {
				dst[i+j] = v - m
			}
		}
	}
}

var windows memo.Map[[2]int, *autograd.Tensor]

// window is the product of two Hann windows over ny x nx points, made once for each size.
func window(ny, nx int) *autograd.Tensor {
	w, _ := windows.Get([2]int{ny, nx}, func() (*autograd.Tensor, error) {
		w := autograd.New(ny * nx)
		for i := range ny {
			for j := range nx {
				w.Data[i*nx+j] = float32(hann(i, ny) * hann(j, nx))
			}
		}
		return w, nil
	})
	return w
}

// hann is the periodic Hann window of n points.
func hann(i, n int) float64 { return 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n)) }

type binWeight struct {
	ny, nx int
	gamma  float64
}

var binWeights memo.Map[binWeight, *autograd.Tensor]

// weights is w of MagnitudeL1 for the bins of ny x nx points, made once for each size and exponent.
func weights(ny, nx int, gamma float64) *autograd.Tensor {
	w, _ := binWeights.Get(binWeight{ny, nx, gamma}, func() (*autograd.Tensor, error) {
		w := autograd.New(ny * (nx/2 + 1))
		for y := range ny {
			for x := range nx/2 + 1 {
				fy, fx := float64(signed(y, ny))/float64(ny), float64(x)/float64(nx)
				w.Data[y*(nx/2+1)+x] = float32(math.Pow(min(1, 2*math.Hypot(fy, fx)), gamma))
			}
		}
		return w, nil
	})
	return w
}

func hypot(re, im float32) float32 {
	return float32(math.Sqrt(float64(re)*float64(re) + float64(im)*float64(im)))
}
