package lno

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/spectral"
)

// A block's one convolution is the sum of its local kernels, each by itself, and of its path around.
func TestOneConvolutionIsTheSum(t *testing.T) {
	const hidden = 4
	table := func() (t [][][]float32) { // samples with support, so that the integral cannot join the others
		for k := range 4 {
			t = append(t, [][]float32{{0, 1, 0}, {1, float32(k), 2}, {0, 1, 0}})
		}
		return t
	}
	spread := IntegralDefects{ZeroPadding: true, Spread: true, FixedGrid: true}
	given := spread
	given.Table = table()
	for name, c := range map[string]struct {
		set   Config
		apart bool
	}{
		"default":        {Config{}, false},
		"periodic":       {Config{Padding: Periodic, Stencil: 7}, false},
		"groups":         {Config{Depthwise: true, IntegralGroups: 2}, false},
		"differential":   {Config{Integral: []bool{false}}, false},
		"integral":       {Config{Differential: []bool{false}}, false},
		"integral zeros": {Config{Differential: []bool{false}, Defects: Defects{Integral: given}}, false},
		"reference":      {Config{Padding: Periodic, Defects: ReferenceDefects()}, false}, // its integral is a matrix: padding does not matter
		"apart":          {Config{Padding: Periodic, Defects: Defects{Integral: given}}, true},
		"zeros":          {Config{Padding: Zeros, Defects: Defects{Integral: given}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			set := c.set
			set.In, set.Out, set.Hidden, set.Modes, set.Grid = 1, 1, hidden, []int{4, 4}, []int{12, 12}
			rng := rand.New(rand.NewPCG(1, 2))
			m, err := New(set, rng)
			require.NoError(t, err)
			b := m.Blocks
			for _, l := range b.Integral {
				nn.Normal(l.Bias.Tensor, 0, 1, rng)
			}
			tape := &autograd.Tape{NoGrad: true}
			n := 18
			if set.Defects.Integral.FixedGrid {
				n = 12
			}
			x := tape.Const(normal(rng, 2, n, n, hidden))
			skip := b.Skips[0].(*spectral.LinearSkip)
			got := b.local(x, nil, 0, skip, false)
			want := skip.Forward(x)
			if l := b.differentialOf[0]; l != nil {
				want = autograd.Add(want, l.Forward(x, 12/float64(n)))
			}
			if l := b.integralOf[0]; l != nil {
				want = autograd.Add(want, l.Forward(x))
			}
			require.Equal(t, want.Shape, got.Shape)
			require.InDeltaSlice(t, want.Data, got.Data, 3e-5)
			p, err := b.plan(0, []int{n, n})
			require.NoError(t, err)
			require.Equal(t, c.apart, p.apart)
		})
	}
}

// The width of a cell is 1 on the model's grid and shrinks with the cells; the reference mixes up the axes.
func TestWidth(t *testing.T) {
	c := Config{Grid: []int{70, 140}}
	require.InDelta(t, 1, c.width([]int{70, 140}), 1e-12)
	require.InDelta(t, 0.25, c.width([]int{280, 560}), 1e-12)
	require.InDelta(t, 0.5, c.width([]int{280, 140}), 1e-12, "the geometric mean of 1/4 and 1")
	c.Defects.MixedWidth = true
	require.InDelta(t, 0.5, c.width([]int{70, 140}), 1e-12)
}

func TestPaddings(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for d, n := range [][]int{{5}, {5, 4}, {5, 4, 6}} {
		d++
		for p, mode := range padModes {
			x := normal(rng, append(append([]int{2}, n...), 3)...)
			pads := [3]int{2, 1, 3}
			for a := range 3 - d {
				pads[a] = 0
			}
			tape := &autograd.Tape{}
			y := p.apply(tape.Const(x), pads)
			// By axes, channels first.
			want := autograd.ChannelsFirst(tape.Const(x))
			var list []int
			for a := range d {
				list = append(list, pads[2-a], pads[2-a])
			}
			want = autograd.ChannelsLast(autograd.Pad(want, list, mode))
			require.Equal(t, want.Shape, y.Shape)
			require.Equal(t, want.Data, y.Data, fmt.Sprint(p, d))
		}
	}
	require.NoError(t, Periodic.fits([]int{3, 4}, [3]int{0, 3, 3}))
	require.Error(t, Periodic.fits([]int{3, 4}, [3]int{0, 4, 3}))
	require.NoError(t, Reflect.fits([]int{3, 4}, [3]int{0, 2, 3}))
	require.Error(t, Reflect.fits([]int{3, 4}, [3]int{0, 3, 3}))
	require.NoError(t, Zeros.fits([]int{3, 4}, [3]int{0, 9, 9}))
}
