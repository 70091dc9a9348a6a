package lno_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/lno"
)

// onGrid samples a function of the unit box: 1 x n .. n x 1, channels last.
func onGrid(n, d int, f func(p [3]float64) float64) *autograd.Tensor {
	shape := []int{1}
	for range d {
		shape = append(shape, n)
	}
	x := autograd.New(append(shape, 1)...)
	for i := range x.Data {
		x.Data[i] = float32(f(point(i, n, d)))
	}
	return x
}

// point returns the coordinates of point i.
func point(i, n, d int) (p [3]float64) {
	for a := d - 1; a >= 0; a-- {
		p[a] = float64(i%n) / float64(n)
		i /= n
	}
	return p
}

// order is the slope of the errors over halvings of the cells.
func order(errors []float64) float64 {
	return math.Log2(errors[0]/errors[len(errors)-1]) / float64(len(errors)-1)
}

// wave is periodic on the unit box; gradient returns its derivatives.
func wave(p [3]float64) float64 {
	return math.Sin(2*math.Pi*(p[0]+p[1])) + math.Cos(2*math.Pi*(p[1]-p[2]))
}

func gradient(p [3]float64) [3]float64 {
	s, c := math.Cos(2*math.Pi*(p[0]+p[1]))*2*math.Pi, -math.Sin(2*math.Pi*(p[1]-p[2]))*2*math.Pi
	return [3]float64{s, s + c, -c}
}

// A differential kernel converges to sum over taps of W_t (t . grad) x, with the first order, with the second where W is odd.
func TestDifferentialConverges(t *testing.T) {
	for d, grids := range map[int][]int{1: {16, 32, 64}, 2: {16, 32, 64}, 3: {12, 24}} {
		for _, kernel := range []int{3, 5} {
			if d == 3 && kernel == 5 {
				continue
			}
			for _, odd := range []bool{false, true} {
				t.Run(fmt.Sprint(d, kernel, odd), func(t *testing.T) {
					l, err := lno.NewDifferential(lno.DifferentialConfig{In: 1, Out: 1, Dim: d, Kernel: kernel}, rand.New(rand.NewPCG(1, uint64(d))))
					require.NoError(t, err)
					w := l.Weight.Data
					for i := range len(w)/2 + 1 {
						j := len(w) - 1 - i
						w[i], w[j] = (w[i]-w[j])/2, (w[j]-w[i])/2
						if !odd {
							w[i], w[j] = w[i]+0.3, w[j]+0.3
						}
					}
					var direction [3]float64
					for i, v := range w {
						for a := d - 1; a >= 0; a-- {
							direction[a] += float64(v) * float64(i%kernel-kernel/2)
							i /= kernel
						}
					}
					var errors []float64
					for _, n := range grids {
						tape := &autograd.Tape{NoGrad: true}
						y := l.Forward(tape.Const(onGrid(n, d, wave)), 1/float64(n))
						worst := 0.0
						for i, v := range y.Data {
							g := gradient(point(i, n, d))
							worst = max(worst, math.Abs(float64(v)-g[0]*direction[0]-g[1]*direction[1]-g[2]*direction[2]))
						}
						errors = append(errors, worst)
					}
					if odd {
						require.InDelta(t, 2, order(errors), 0.25, "errors %v", errors)
					} else {
						require.InDelta(t, 1, order(errors), 0.25, "errors %v", errors)
					}
				})
			}
		}
	}
}

// A constant has no derivative, up to the boundary where functions go on beyond it.
func TestDifferentialOfConstant(t *testing.T) {
	for _, p := range []lno.Padding{lno.Periodic, lno.Replicate, lno.Reflect} {
		l, err := lno.NewDifferential(lno.DifferentialConfig{In: 1, Out: 2, Dim: 2, Kernel: 5, Padding: p}, rand.New(rand.NewPCG(1, 2)))
		require.NoError(t, err)
		tape := &autograd.Tape{NoGrad: true}
		for _, v := range l.Forward(tape.Const(onGrid(9, 2, func([3]float64) float64 { return 3 })), 0.1).Data {
			require.InDelta(t, 0, v, 2e-4, p)
		}
	}
}

// cone is the exact local mean of a quadratic function: of |s - p0|^2 under 1 - r/R it is |p - p0|^2 + 3/10 R^2.
func TestIntegralOfQuadratic(t *testing.T) {
	const radius, n = 0.5, 64
	l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{n, n}, Radius: radius, Basis: lno.Basis{Shape: []int{1}}, NoBias: true}, nil)
	require.NoError(t, err)
	l.Weight.Data[0] = 2
	// The domain is -1 .. 1, 2 x 2: onGrid has the unit box.
	square := func(p [3]float64) float64 { return math.Pow(2*p[0]-1, 2) + math.Pow(2*p[1]-1, 2) }
	tape := &autograd.Tape{NoGrad: true}
	y := l.Forward(tape.Const(onGrid(n, 2, square)))
	for i := n / 4; i <= n*3/4; i++ {
		for j := n / 4; j <= n*3/4; j++ { // the disc lies within the box
			p := [3]float64{float64(i) / n, float64(j) / n}
			require.InDelta(t, 2*(square(p)+0.3*radius*radius), y.At(0, i, j, 0), 1e-3)
		}
	}
}

// Sums over samples converge to the integrals over the disc, whatever the basis; the disc's rim, where Zernike polynomials end with
// a jump, costs them half an order.
func TestIntegralConverges(t *testing.T) {
	const radius = 0.4
	u := func(x, y float64) float64 { return math.Exp(0.8*x-0.3*y) + math.Sin(2*x+3*y) }
	for name, c := range map[string]struct {
		basis lno.Basis
		order float64
	}{
		"cone":     {lno.Basis{Shape: []int{1}}, 1.9},
		"rings":    {lno.Basis{Shape: []int{4}}, 1.9},
		"default":  {lno.Basis{}, 1.9},
		"odd":      {lno.Basis{Shape: []int{3, 3}}, 1.9},
		"morlet":   {lno.Basis{Kind: lno.Morlet}, 1.9},
		"zernike":  {lno.Basis{Kind: lno.Zernike}, 1.3},
		"zernike5": {lno.Basis{Kind: lno.Zernike, Shape: []int{5}}, 1.3},
	} {
		t.Run(name, func(t *testing.T) {
			// The exact values, in radius and angle.
			exact, size := make([]float64, c.basis.Len()), make([]float64, c.basis.Len())
			const n = 180
			for i := range n * n {
				r, wr := gauss(i/n, n)
				phi, wa := gauss(i%n, n)
				phi *= 2 * math.Pi
				v := u(radius*r*math.Cos(phi), radius*r*math.Sin(phi))
				for k := range exact {
					psi := c.basis.At(k, r, phi) * r * wr * wa
					exact[k] += psi * v
					size[k] += math.Abs(psi)
				}
			}
			l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{64, 64}, Basis: c.basis, Radius: radius}, nil)
			require.NoError(t, err)
			var errors []float64
			for _, n := range []int{60, 120, 240, 480} {
				s, err := l.Samples(n, n)
				require.NoError(t, err)
				h, w := s.Shape[1], s.Shape[2]
				worst := 0.0
				for k := range exact {
					sum := 0.0
					for i := range h * w {
						sum += float64(s.Data[k*h*w+i]) * u(2*float64(i%w-w/2)/float64(n), 2*float64(i/w-h/2)/float64(n))
					}
					worst = max(worst, math.Abs(sum-exact[k]/size[k]))
				}
				errors = append(errors, worst)
			}
			require.Greater(t, order(errors), c.order, "errors %v", errors)
		})
	}
}

// gauss returns point i of n of Gauss's rule on 0 .. 1, three to each panel, and its weight. Hats have their kinks between panels.
func gauss(i, n int) (x, w float64) {
	at := [3]float64{-math.Sqrt(0.6), 0, math.Sqrt(0.6)}
	weight := [3]float64{5. / 18, 8. / 18, 5. / 18}
	h := 3 / float64(n)
	return (float64(i/3) + 0.5 + at[i%3]/2) * h, weight[i%3] * h
}

// A model sees the same function on finer grids: its output converges, as what its local kernels approximate stays the same. With the
// coordinates, which have a jump, it does so by the default padding.
func TestModelConverges(t *testing.T) {
	for _, noGrid := range []bool{true, false} {
		c := lno.Config{In: 1, Out: 1, Hidden: 4, Modes: []int{6, 6}, Grid: []int{32, 32}, Layers: 2, Radius: 0.25, NoGrid: noGrid}
		m, err := lno.New(c, rand.New(rand.NewPCG(1, 2)))
		require.NoError(t, err)
		for _, l := range m.Blocks.Integral {
			nn.Normal(l.Bias.Tensor, 0, 1, rand.New(rand.NewPCG(3, 4)))
		}
		run := func(n int) *autograd.Tensor {
			tape := &autograd.Tape{NoGrad: true}
			return m.Forward(autograd.ChannelsFirst(tape.Const(onGrid(n, 2, wave)))).Tensor
		}
		distance := func(coarse, fine *autograd.Tensor) float64 {
			sum, size := 0.0, 0.0
			for i := range 32 {
				for j := range 32 {
					a, b := coarse.Shape[2]/32, fine.Shape[2]/32
					d, v := coarse.At(0, 0, a*i, a*j)-fine.At(0, 0, b*i, b*j), fine.At(0, 0, b*i, b*j)
					sum += float64(d * d)
					size += float64(v * v)
				}
			}
			return math.Sqrt(sum / size)
		}
		a, b, c3 := run(32), run(64), run(128)
		errors := []float64{distance(a, b), distance(b, c3)}
		require.Greater(t, order(errors), 0.8, "errors %v", errors)
		require.Less(t, errors[0], 0.2)
	}
}
