package spectral

import (
	"math"
	"slices"
	"sync"

	"github.com/spamoe/spamoe/internal/kernel"
)

// plan holds the matrices of one convolution between two grids. It may be shared.
type plan[T kernel.Float] struct {
	in, out []int       // grids
	kept    []kept      // per axis
	forward []factor[T] // per axis: the transform of the input
	inverse []factor[T] // per axis: the inverse onto the output grid
	adjoint []factor[T] // of inverse
	// order[i] is where the mode i of a weight, numbered from the first axis on, lies in a spectrum, which is ordered the other way.
	order []int
	rows  []int     // rows[i] is where it lies in the whole weight
	work  sync.Pool // *[]T
}

func newPlan[T kernel.Float](c *Config, in, out, modes, weight []int) *plan[T] {
	p := &plan[T]{in: slices.Clone(in), out: slices.Clone(out), kept: c.kept(in, out, modes, weight)}
	count := 1
	for a, k := range p.kept {
		half := a == len(in)-1 && !c.Complex
		forward, inverse := c.Norm.scales(in[a], out[a])
		p.forward = append(p.forward, analysis[T](k.in, in[a], half, forward))
		inv := synthesis[T](k.out, out[a], half, inverse)
		p.inverse = append(p.inverse, inv)
		p.adjoint = append(p.adjoint, factor[T]{a: inv.a, trans: true, grid: inv.grid, modes: inv.modes})
		count *= len(k.in)
	}
	if !c.Complex {
		// The imaginary part of the constant mode is no input of the inverse: its column is zero. In the adjoint its row sums over
		// the axis instead, which gives the gradient of the bias on the way.
		last := &p.adjoint[len(in)-1]
		sum := slices.Clone(last.a)
		for n := range last.grid {
			sum[2*last.modes*n+1] = 1
		}
		last.a = sum
	}
	p.order, p.rows = make([]int, count), make([]int, count)
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
		p.order[i], p.rows[i] = place, row
	}
	return p
}

// scratch returns n elements of scratch; release gives them back.
func (p *plan[T]) scratch(n int) *[]T {
	b, _ := p.work.Get().(*[]T)
	if b == nil || len(*b) < n {
		s := make([]T, n)
		b = &s
	}
	return b
}

func (p *plan[T]) release(b *[]T) { p.work.Put(b) }

// analysis returns the matrix 2k x c n of X[j] = scale * sum over i of x[i] exp(-2 pi i bins[j] i / n).
func analysis[T kernel.Float](bins []int, n int, half bool, scale float64) factor[T] {
	f := factor[T]{grid: 2 * n, modes: len(bins)}
	if half {
		f.grid = n
	}
	f.a = make([]T, 2*len(bins)*f.grid)
	for j, b := range bins {
		re, im := f.a[2*j*f.grid:][:f.grid], f.a[(2*j+1)*f.grid:][:f.grid]
		for i := range n {
			c, s := kernel.RootOfUnity[float64](b*i, n)
			re[i], im[i] = T(scale*c), T(scale*s)
			if !half {
				re[n+i], im[n+i] = T(-scale*s), T(scale*c)
			}
		}
	}
	return f
}

// synthesis returns the matrix c n x 2k of y[i] = scale * sum over j of Y[j] exp(2 pi i bins[j] i / n). Of a half spectrum it takes
// the real part, with twice the weight of the modes that stand for two; bins of -1 do not count.
func synthesis[T kernel.Float](bins []int, n int, half bool, scale float64) factor[T] {
	f := factor[T]{grid: 2 * n, modes: len(bins)}
	if half {
		f.grid = n
	}
	k := len(bins)
	f.a = make([]T, f.grid*2*k)
	for j, b := range bins {
		if b < 0 {
			continue
		}
		w := scale
		if half && b > 0 && 2*b != n {
			w *= 2
		}
		for i := range n {
			c, s := kernel.RootOfUnity[float64](-b*i, n)
			f.a[2*(i*k+j)], f.a[2*(i*k+j)+1] = T(w*c), T(-w*s)
			if half && w == scale {
				f.a[2*(i*k+j)+1] = 0 // exactly: the imaginary part is ignored here
			}
			if !half {
				f.a[2*((n+i)*k+j)], f.a[2*((n+i)*k+j)+1] = T(w*s), T(w*c)
			}
		}
	}
	return f
}

func rsqrt(n int) float64 { return 1 / math.Sqrt(float64(n)) }
