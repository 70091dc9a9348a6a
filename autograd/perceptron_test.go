package autograd

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// In one pass or in two, over one chunk of rows or many, with gradients in one group or many, the values are the same up to rounding.
func TestPerceptronIsTwoLayers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, s := range []struct{ rows, ni, nh, no int }{{0, 3, 4, 2}, {1, 3, 5, 1}, {1300, 33, 70, 17}, {700, 4, 1, 3}, {90, 5, 1000, 2}} {
		in := []*Tensor{normal(rng, s.rows, s.ni), normal(rng, s.nh, s.ni, 1), normal(rng, s.nh), normal(rng, s.no, s.nh), normal(rng, s.no)}
		gy := normal(rng, s.rows, s.no).Data
		for _, bias := range []bool{true, false} {
			run := func(f func(x, w1, b1, w2, b2 *Value) *Value) (out [][]float32) {
				tape := &Tape{}
				v := make([]*Value, len(in))
				for i, x := range in {
					if bias || x.Rank() > 1 {
						v[i] = tape.Input(x)
					}
				}
				x2 := Scale(v[0], 1) // needs a gradient of its own
				y := Add(f(v[0], v[1], v[2], v[3], v[4]), f(x2, v[1], v[2], v[3], v[4]))
				g := tape.Backward(Seed{y, gy})
				out = append(out, y.Data)
				for _, x := range v {
					if x != nil {
						out = append(out, g.Wrt(x).Data)
					}
				}
				none := &Tape{NoGrad: true}
				c := func(x *Value) *Value {
					if x == nil {
						return nil
					}
					return none.Const(x.Tensor)
				}
				return append(out, f(c(v[0]), c(v[1]), c(v[2]), c(v[3]), c(v[4])).Data)
			}
			want := run(func(x, w1, b1, w2, b2 *Value) *Value { return Linear(LinearGELU(x, w1, b1), w2, b2) })
			got := run(Perceptron)
			for i := range want {
				scale := 1.0
				for _, v := range want[i] {
					scale = max(scale, float64(v))
				}
				require.InDeltaSlice(t, want[i], got[i], 2e-6*scale, "%+v: %d", s, i)
			}
		}
	}
}

func TestPerceptronRefuses(t *testing.T) {
	tape := &Tape{}
	x, w, b := tape.Input(New(4, 3)), tape.Input(New(5, 3)), tape.Input(New(5))
	require.PanicsWithValue(t, "autograd: Perceptron: weight [5 3] does not fit x [5]: want [out, in] and [.., in]", func() { Perceptron(x, w, b, w, nil) })
	require.PanicsWithValue(t, "autograd: Perceptron: bias [5] does not fit weight [2 5]", func() { Perceptron(x, w, b, tape.Input(New(2, 5)), b) })
}
