package moe

import (
	"fmt"
	"math"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/spectral"
)

// Bands divides the frequencies of a plane into rings around the constant mode. The mask of band b at radius r is
//
//	m_b(r) = exp(-s (r - c_b)^2) / sum over j of exp(-s (r - c_j)^2),
//
// so that masks, and the bands of any signal, add up to the whole.
type Bands struct {
	Centers   []float32 // c, radii from 0 to 1
	Sharpness float64   // s; 0 means 20
	Hard      bool      // the nearest centre, the first of two, takes all
	Defects   Defects   // of which LinspaceRadius and OpenBands count
}

// sharpness is s where 0 stands for it.
const sharpness = 20

// Radius returns the radius of every bin of a transform, ny x nx, the constant mode first: |k| over the largest |k|.
func (b Bands) Radius(ny, nx int) *autograd.Tensor {
	out := autograd.New(ny, nx)
	if !b.Defects.LinspaceRadius {
		for i, r := range spectral.Radius(ny, nx) {
			out.Data[i] = float32(r)
		}
		return out
	}
	ys, xs := linspace(ny), linspace(nx)
	for i := range ny {
		for j := range nx {
			// Bin i is point i + n/2 of the shifted spectrum.
			y, x := ys[(i+ny/2)%ny], xs[(j+nx/2)%nx]
			// The conversions keep the products from being fused with the sum: hard bands are decided by the last bit.
			out.Data[i*nx+j] = float32(math.Sqrt(float64(float32(x*x) + float32(y*y))))
		}
	}
	largest := max(slices.Max(out.Data), 1e-6)
	for i := range out.Data {
		out.Data[i] /= largest
	}
	return out
}

// Masks returns the mask of every band on the bins of a transform, nb x ny x nx, the constant mode first. There is at least one band.
func (b Bands) Masks(ny, nx int) *autograd.Tensor {
	if len(b.Centers) == 0 || !(b.Sharpness >= 0) {
		panic(fmt.Sprintf("moe: Bands: centers %v, sharpness %v; want at least one center and a positive number, or 0", b.Centers, b.Sharpness))
	}
	if b.Sharpness == 0 {
		b.Sharpness = sharpness
	}
	n := ny * nx
	out := autograd.New(len(b.Centers), ny, nx)
	d := make([]float64, len(b.Centers))
	for i, r := range b.Radius(ny, nx).Data {
		for j, c := range b.Centers {
			d[j] = float64((r - c) * (r - c))
		}
		nearest := slices.Min(d)
		if b.Hard {
			out.Data[slices.Index(d, nearest)*n+i] = 1
			continue
		}
		sum := 1.0
		if b.Defects.OpenBands {
			nearest = 0
		} else {
			sum = 0
			for _, d := range d {
				sum += math.Exp(-b.Sharpness * (d - nearest))
			}
		}
		for j, d := range d {
			out.Data[j*n+i] = float32(math.Exp(-b.Sharpness*(d-nearest)) / sum)
		}
	}
	return out
}

// Split returns the bands of x, [batch, channel, ny, nx]: [band, batch, channel, ny, nx]. Their sum is x.
func (b Bands) Split(x *autograd.Value) *autograd.Value {
	if x.Rank() != 4 {
		panic(fmt.Sprintf("moe: Split: shape %v; want [batch, channel, ny, nx]", x.Shape))
	}
	masks := x.Tape().Const(b.half(x.Shape[2], x.Shape[3]))
	var pairs []pair
	for e := range b.Centers {
		for s := range x.Shape[0] {
			pairs = append(pairs, pair{sample: s, expert: e})
		}
	}
	y := inverse(mask(spectrum(x), masks, pairs), x.Shape[3])
	return autograd.Reshape(y, append([]int{len(b.Centers)}, x.Shape...)...)
}

// half returns what the masks do to real signals, nb x ny (nx/2+1): the mean of the masks at k and -k on the half spectrum. A mask
// that differs there would give an imaginary part, which is dropped.
func (b Bands) half(ny, nx int) *autograd.Tensor {
	whole := b.Masks(ny, nx)
	nh := nx/2 + 1
	out := autograd.New(len(b.Centers), ny*nh)
	for e := range b.Centers {
		m, h := whole.Data[e*ny*nx:], out.Data[e*ny*nh:]
		for i := range ny {
			for j := range nh {
				h[i*nh+j] = (m[i*nx+j] + m[(ny-i)%ny*nx+(nx-j)%nx]) / 2
			}
		}
	}
	return out
}

// equal reports whether b and o divide frequencies alike.
func (b Bands) equal(o Bands) bool {
	return slices.Equal(b.Centers, o.Centers) && b.Sharpness == o.Sharpness && b.Hard == o.Hard && b.Defects == o.Defects
}

// linspace returns n points from -1 to 1, in float32 from both ends, as PyTorch computes them.
func linspace(n int) []float32 {
	p := make([]float32, n)
	step := 2 / float32(max(n-1, 1))
	for i := range p {
		if i < n/2 || n == 1 {
			p[i] = float32(step*float32(i)) - 1
		} else {
			p[i] = 1 - float32(step*float32(n-1-i))
		}
	}
	return p
}

// evenly returns n numbers from 0 to 1, both included.
func evenly(n int) []float32 {
	c := make([]float32, n)
	for i := 1; i < n; i++ {
		c[i] = float32(float64(i) / float64(n-1))
	}
	return c
}
