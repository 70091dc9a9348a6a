package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPadModes(t *testing.T) {
	x := []float32{1, 2, 3, 4}
	for _, c := range []struct {
		mode          Padding
		before, after int
		want          []float32
	}{
		{PadZeros, 2, 3, []float32{0, 0, 1, 2, 3, 4, 0, 0, 0}},
		{PadReflect, 2, 3, []float32{3, 2, 1, 2, 3, 4, 3, 2, 1}},
		{PadReplicate, 2, 3, []float32{1, 1, 1, 2, 3, 4, 4, 4, 4}},
		{PadCircular, 2, 3, []float32{3, 4, 1, 2, 3, 4, 1, 2, 3}},
		{PadZeros, -1, -2, []float32{2}},
		{PadReplicate, -1, 1, []float32{2, 3, 4, 4}},
		{PadZeros, 2, -3, []float32{0, 0, 1}},
		{PadZeros, 0, 0, x},
	} {
		a := PadAxis{4, c.before, c.after}
		dst, untouched := guarded[float32](a.Out(), 1)
		Pad(dst, x, c.mode, 1, a)
		require.Equal(t, c.want, dst)
		untouched(t)
	}
}

// TestPad compares three axes at once with the composition of single ones, and the gradient by <P x, y> = <x, P' y>.
func TestPad(t *testing.T) {
	eachBody(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(35, 36))
		for _, mode := range []Padding{PadZeros, PadReflect, PadReplicate, PadCircular} {
			for _, axes := range [][]PadAxis{
				{{7, 3, 2}},
				{{6, 1, 1}, {5, 1, 1}},
				{{10, 0, 6}, {9, 0, 5}},
				{{4, 2, 1}, {5, 0, 3}, {40, 17, 18}},
				{{4, -1, 1}, {5, 2, -2}, {6, -2, -1}},
			} {
				const outer = 3
				in, out := outer, outer
				for _, a := range axes {
					in *= a.N
					out *= a.Out()
				}
				x, y := normals[float32](rng, in), normals[float32](rng, out)
				// By single axes: the last one first, so that what is outer does not change.
				step, inner := x, 1
				for k := len(axes) - 1; k >= 0; k-- {
					a := axes[k]
					n := len(step) / (a.N * inner)
					next := make([]float32, n*a.Out()*inner)
					for o := range n {
						for i := range a.Out() {
							if s := a.source(mode, i); s >= 0 {
								copy(next[(o*a.Out()+i)*inner:][:inner], step[(o*a.N+s)*inner:])
							}
						}
					}
					step, inner = next, inner*a.Out()
				}
				got, untouched := guarded[float32](out, 3)
				Pad(got, x, mode, outer, axes...)
				untouched(t)
				require.Equal(t, step, got)

				back, untouched := guarded[float32](in, 3)
				PadGrad(back, y, mode, outer, false, axes...)
				untouched(t)
				require.InDelta(t, dotGeneric(got, y), dotGeneric(x, back), 1e-4)
				twice := make([]float32, in)
				copy(twice, back)
				PadGrad(twice, y, mode, outer, true, axes...)
				for i := range twice {
					require.InDelta(t, 2*back[i], twice[i], 1e-4)
				}
			}
		}
	})
}

func TestPadPanics(t *testing.T) {
	x := make([]float32, 20)
	require.PanicsWithValue(t, "kernel: Pad: mode 1 cannot pad 4 points by 4 and 0", func() { Pad(x[:8], x[:4], PadReflect, 1, PadAxis{4, 4, 0}) })
	require.PanicsWithValue(t, "kernel: Pad: mode 0 cannot pad 4 points by -3 and -2", func() { Pad(x[:0], x[:4], PadZeros, 1, PadAxis{4, -3, -2}) })
	require.Panics(t, func() { Pad(x[:6], x[:4], PadZeros, 1, PadAxis{4, 1, 0}) })
}
