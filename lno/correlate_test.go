package lno

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
)

// dot is sum of a * b in float64.
func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// plainCorrelate is the formula of correlate over three axes.
func plainCorrelate(x, w, b *autograd.Tensor, s [3]int, m [3]int) *autograd.Tensor {
	nb, co := x.Shape[0], w.Shape[4]
	y := autograd.New(nb, m[0], m[1], m[2], co)
	for i := range y.Data {
		o, p2, p1, p0, n := i%co, i/co%m[2], i/co/m[2]%m[1], i/co/m[2]/m[1]%m[0], i/co/m[2]/m[1]/m[0]
		sum := float64(b.Data[o])
		for t0 := range w.Shape[0] {
			for t1 := range w.Shape[1] {
				for t2 := range w.Shape[2] {
					for c := range w.Shape[3] {
						sum += float64(w.At(t0, t1, t2, c, o)) * float64(x.At(n, s[0]*p0+t0, s[1]*p1+t1, s[2]*p2+t2, c))
					}
				}
			}
		}
		y.Data[i] = float32(sum)
	}
	return y
}

func TestCorrelate(t *testing.T) {
	for _, c := range []struct{ n, k, s [3]int }{
		{[3]int{1, 1, 11}, [3]int{1, 1, 3}, [3]int{1, 1, 1}},
		{[3]int{1, 1, 11}, [3]int{1, 1, 4}, [3]int{1, 1, 3}},
		{[3]int{1, 9, 8}, [3]int{1, 1, 1}, [3]int{1, 1, 1}},
		{[3]int{1, 9, 8}, [3]int{1, 3, 5}, [3]int{1, 1, 1}},
		{[3]int{1, 9, 8}, [3]int{1, 4, 1}, [3]int{1, 1, 1}},
		{[3]int{1, 9, 8}, [3]int{1, 3, 2}, [3]int{1, 2, 3}},
		{[3]int{1, 9, 8}, [3]int{1, 3, 3}, [3]int{1, 2, 1}},
		{[3]int{1, 40, 70}, [3]int{1, 3, 3}, [3]int{1, 1, 1}}, // rows in several blocks
		{[3]int{5, 6, 7}, [3]int{3, 1, 2}, [3]int{1, 1, 1}},
		{[3]int{5, 6, 7}, [3]int{2, 3, 3}, [3]int{2, 1, 2}},
	} {
		for _, channels := range [][2]int{{1, 1}, {3, 2}} {
			t.Run(fmt.Sprint(c, channels), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, uint64(channels[0])))
				ci, co, nb := channels[0], channels[1], 2
				var m [3]int
				for a := range m {
					m[a] = (c.n[a]-c.k[a])/c.s[a] + 1
				}
				x := normal(rng, nb, c.n[0], c.n[1], c.n[2], ci)
				w := normal(rng, c.k[0], c.k[1], c.k[2], ci, co)
				b := normal(rng, co)
				// The sum is linear in each of x and w: the adjoints follow from the formula.
				gy := normal(rng, nb, m[0], m[1], m[2], co)
				dx, dw := normal(rng, x.Shape...), normal(rng, w.Shape...)
				zero := autograd.New(co)
				tape := &autograd.Tape{}
				vx, vw, vb := tape.Input(x), tape.Input(w), tape.Input(b)
				y := correlate(vx, vw, vb, c.s, nil)
				want := plainCorrelate(x, w, b, c.s, m)
				require.Equal(t, want.Shape, y.Shape)
				require.InDeltaSlice(t, want.Data, y.Data, 2e-5)
				g := tape.Backward(autograd.Seed{Value: y, Grad: gy.Data})
				near := func(want, got float64) { require.InDelta(t, want, got, 1e-5*float64(len(gy.Data)+100)) }
				near(dot(plainCorrelate(dx, w, zero, c.s, m).Data, gy.Data), dot(dx.Data, g.Wrt(vx).Data))
				near(dot(plainCorrelate(x, dw, zero, c.s, m).Data, gy.Data), dot(dw.Data, g.Wrt(vw).Data))
				for o := range co {
					sum := 0.0
					for i := o; i < len(gy.Data); i += co {
						sum += float64(gy.Data[i])
					}
					near(sum, float64(g.Wrt(vb).Data[o]))
				}
			})
		}
	}
}

// A value that is used twice gets both gradients.
func TestCorrelateAddsGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, stride := range []int{1, 2} {
		f := func(in []*autograd.Value) *autograd.Value {
			y := correlate(in[0], in[1], in[2], [3]int{1, 1, stride}, nil)
			return autograd.Add(autograd.Scale(y, 0.5), correlate(in[0], in[1], in[2], [3]int{1, 1, stride}, nil))
		}
		require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, f, normal(rng, 2, 7, 8, 2), normal(rng, 1, 3, 3, 2, 3), normal(rng, 3)))
	}
}

// Taps that are not used make no difference where the kernel is zero, and get no gradient.
func TestCorrelateUsedTaps(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	used := []bool{false, true, false, true, true, true, false, true, true}
	x, w := normal(rng, 2, 7, 8, 3), normal(rng, 1, 3, 3, 3, 2)
	for t, u := range used {
		if !u {
			clear(w.Data[t*6:][:6])
		}
	}
	gy := normal(rng, 2, 5, 6, 2)
	run := func(used []run) (y, gx, gw []float32) {
		tape := &autograd.Tape{}
		vx, vw := tape.Input(x), tape.Input(w)
		v := correlate(vx, vw, nil, [3]int{1, 1, 1}, used)
		g := tape.Backward(autograd.Seed{Value: v, Grad: gy.Data})
		return v.Data, g.Wrt(vx).Data, g.Wrt(vw).Data
	}
	y, gx, gw := run(nil)
	y2, gx2, gw2 := run(runsOf([3]int{1, 3, 3}, used))
	require.InDeltaSlice(t, y, y2, 1e-5)
	require.InDeltaSlice(t, gx, gx2, 1e-5)
	for i, v := range gw2 {
		if used[i/6] {
			require.InDelta(t, gw[i], v, 1e-4)
		} else {
			require.Zero(t, v)
		}
	}
}

func TestCorrelateRefuses(t *testing.T) {
	tape := &autograd.Tape{}
	in := func(shape ...int) *autograd.Value { return tape.Input(autograd.New(shape...)) }
	one := [3]int{1, 1, 1}
	require.PanicsWithValue(t, "lno: correlate: kernel [1 3 3 2 4] does not fit shape [1 5 5 3]", func() { correlate(in(1, 5, 5, 3), in(1, 3, 3, 2, 4), nil, one, nil) })
	require.PanicsWithValue(t, "lno: correlate: kernel [1 3 6 3 4] is larger than the padded shape [1 5 5 3]", func() { correlate(in(1, 5, 5, 3), in(1, 3, 6, 3, 4), nil, one, nil) })
}

func TestStencil(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const in, out = 4, 6
	tables := []*table{differenceTable(3, 2, 0.5), pointTable().resize([3]int{1, 3, 3}), {n: 2, window: [3]int{1, 3, 3}, data: normal(rng, 18).Data}}
	groups := []int{1, 1, 2}
	weights := []*autograd.Tensor{normal(rng, out, in, 3, 3), normal(rng, out, in, 1), normal(rng, out, in/2, 2)}
	build := func(v []*autograd.Value) *autograd.Value {
		var terms []term
		for i, w := range v {
			terms = append(terms, term{weight: w, groups: groups[i], table: tables[i]})
		}
		return stencil(in, out, terms...)
	}
	tape := &autograd.Tape{}
	k := build([]*autograd.Value{tape.Input(weights[0]), tape.Input(weights[1]), tape.Input(weights[2])})
	require.Equal(t, []int{1, 3, 3, in, out}, k.Shape)
	for tap := range 9 {
		for i := range in {
			for o := range out {
				want := 0.0
				for n, w := range weights {
					ig, og := in/groups[n], out/groups[n]
					if i/ig != o/og {
						continue
					}
					for j := range tables[n].n {
						want += float64(tables[n].data[j*9+tap]) * float64(w.Data[(o*ig+i%ig)*tables[n].n+j])
					}
				}
				require.InDelta(t, want, k.Data[(tap*in+i)*out+o], 1e-5)
			}
		}
	}
	require.NoError(t, autograd.CheckGrad(autograd.GradCheck{}, func(v []*autograd.Value) *autograd.Value {
		return autograd.Mul(build(v), build(v)) // so that gradients add up
	}, weights...))
}

func TestTables(t *testing.T) {
	d := differenceTable(3, 1, 0.25)
	require.Equal(t, []float32{4, -4, 0, 0, 0, 0, 0, -4, 4}, d.data)
	require.Equal(t, [3]int{1, 1, 3}, d.window)
	wide := d.resize([3]int{1, 3, 5})
	require.Equal(t, [3]int{0, 1, 2}, wide.pad)
	require.Equal(t, []float32{4, -4, 0}, wide.data[6:9])
	require.Equal(t, d, wide.trim())
	require.Equal(t, [3]int{1, 1, 1}, (&table{n: 1, window: [3]int{1, 3, 3}, pad: [3]int{0, 1, 1}, data: []float32{0, 0, 0, 0, 2, 0, 0, 0, 0}}).trim().window)
	even := &table{n: 1, window: [3]int{1, 1, 2}, pad: [3]int{}, data: []float32{0, 1}}
	require.Equal(t, even, even.trim())
	require.False(t, even.odd())
	require.True(t, wide.odd())
}
