package spectral

import (
	"math"
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// plan holds the matrices of one convolution between two grids. It may be shared.
type plan struct {
	in, out []int    // grids
	kept    []kept   // per axis
	counts  []int    // of the modes in kept
	forward []factor // per axis: the transform of the input
	inverse []factor // per axis: the inverse onto the output grid
	// Their adjoints.
	forwardBack, inverseBack []factor
	scale                    float32 // of the last axis of inverse
	// order[i] is where the mode i of a weight, numbered from the first axis on, lies in a spectrum, which is ordered the other way.
	order []int
	rows  []int // rows[i] is where it lies in the whole weight
	// places counts the modes: where they lie in a weight of no others.
	places []int
	work   kernel.Scratch[float32]
}

func newPlan(c *Config, in, out, modes, weight []int) *plan {
	p := &plan{in: slices.Clone(in), out: slices.Clone(out), kept: c.kept(in, out, modes, weight)}
	count := 1
	for a, k := range p.kept {
		forward, inverse := c.Norm.scales(in[a], out[a])
		if a == len(in)-1 && !c.Complex {
			p.forward = append(p.forward, halfAnalysis(k.in, in[a], forward))
			p.inverse = append(p.inverse, halfSynthesis(k.out, out[a], inverse))
			p.scale = float32(inverse)
		} else {
			p.forward = append(p.forward, analysis(k.in, in[a], forward))
			p.inverse = append(p.inverse, synthesis(k.out, out[a], inverse))
		}
		count *= len(k.in)
		p.counts = append(p.counts, len(k.in))
	}
	p.forwardBack, p.inverseBack = transposed(p.forward), transposed(p.inverse)
	p.order, p.rows, p.places = make([]int, count), make([]int, count), make([]int, count)
	for i := range p.order {
		// i counts (k_1, .., k_d) in row-major order.
		rest, place, stride, row := i, 0, count, 0
		index := make([]int, len(in))
		for a := len(in) - 1; a >= 0; a-- {
			index[a] = rest % len(p.kept[a].in)
			rest /= len(p.kept[a].in)
		}
		for a := len(in) - 1; a >= 0; a-- {
			stride /= len(p.kept[a].in)
			place += index[a] * stride
		}
		for a, k := range p.kept {
			row = row*weight[a] + k.first + index[a]
		}
		p.order[i], p.rows[i], p.places[i] = place, row, i
	}
	return p
}

// transposed returns factors for the way back.
func transposed(f []factor) []factor {
	t := slices.Clone(f)
	for i := range t {
		t[i].trans = !t[i].trans
	}
	return t
}

// analysis returns the matrix 2k x 2n of X[j] = scale * sum over i of x[i] exp(-2 pi i bins[j] i / n).
func analysis(bins []int, n int, scale float64) factor {
	f := factor{a: make([]float32, 4*len(bins)*n), grid: 2 * n, modes: len(bins)}
	for j, b := range bins {
		re, im := f.a[4*j*n:][:2*n], f.a[(4*j+2)*n:][:2*n]
		for i := range n {
			c, s := kernel.RootOfUnity[float64](b*i, n)
			re[i], im[i] = float32(scale*c), float32(scale*s)
			re[n+i], im[n+i] = float32(-scale*s), float32(scale*c)
		}
	}
	return f
}

// synthesis returns the matrix 2n x 2k of y[i] = scale * sum over j of Y[j] exp(2 pi i bins[j] i / n); bins of -1 do not count.
func synthesis(bins []int, n int, scale float64) factor {
	k := len(bins)
	f := factor{a: make([]float32, 4*n*k), grid: 2 * n, modes: k}
	for j, b := range bins {
		if b < 0 {
			continue
		}
		for i := range n {
			c, s := kernel.RootOfUnity[float64](-b*i, n)
			f.a[2*(i*k+j)], f.a[2*(i*k+j)+1] = float32(scale*c), float32(-scale*s)
			f.a[2*((n+i)*k+j)], f.a[2*((n+i)*k+j)+1] = float32(scale*s), float32(scale*c)
		}
	}
	return f
}

// halfAnalysis is analysis of real data.
func halfAnalysis(bins []int, n int, scale float64) factor {
	f := factor{grid: n, modes: len(bins)}
	for _, b := range bins {
		for i := range n/2 + 1 {
			c, _ := kernel.RootOfUnity[float64](b*i, n)
			f.cos = append(f.cos, float32(scale*c))
		}
		for i := 1; i <= (n-1)/2; i++ {
			_, s := kernel.RootOfUnity[float64](b*i, n)
			f.sin = append(f.sin, float32(scale*s))
		}
	}
	return f
}

// halfSynthesis is the real part of synthesis, with twice the weight of the modes that stand for two. The imaginary parts of the
// constant mode and of the mode n/2 do not count, for their sines are zero.
func halfSynthesis(bins []int, n int, scale float64) factor {
	k := len(bins)
	f := factor{cos: make([]float32, (n/2+1)*k), sin: make([]float32, (n-1)/2*k), grid: n, modes: k}
	for j, b := range bins {
		if b < 0 {
			continue
		}
		w := scale
		if b > 0 && 2*b != n {
			w *= 2
		}
		for i := range n/2 + 1 {
			c, _ := kernel.RootOfUnity[float64](-b*i, n)
			f.cos[i*k+j] = float32(w * c)
		}
		for i := 1; i <= (n-1)/2; i++ {
			_, s := kernel.RootOfUnity[float64](-b*i, n)
			f.sin[(i-1)*k+j] = float32(-w * s)
		}
	}
	return f
}

func rsqrt(n int) float64 { return 1 / math.Sqrt(float64(n)) }
