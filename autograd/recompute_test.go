package autograd

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Recomputing changes neither results nor gradients, not even where parts are random, nested, frozen or joined from outside.
func TestRecompute(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m, x := newPerceptron(rng), normal(rng, 3, 7, 5)
	frozen := &Param{Tensor: normal(rng, 9), Frozen: true}
	plain := func(x *Value, f func(*Value) *Value) *Value { return f(x) }
	run := func(tape *Tape, part func(*Value, func(*Value) *Value) *Value) (loss float32, gradients []*Tensor) {
		tape.Rand = rand.New(rand.NewPCG(7, 8))
		in := tape.Input(x)
		twice := Scale(in, 2)
		h := part(in, func(x *Value) *Value {
			h := part(x, func(x *Value) *Value {
				return Dropout(LinearGELU(x, tape.Param(m.W1), tape.Param(m.B1)), 0.25)
			})
			return Dropout(MulLast(h, tape.Param(frozen)), 0.25)
		})
		h = part(h, func(x *Value) *Value { return x })
		y := part(h, func(h *Value) *Value { return MulLast(Linear(h, tape.Param(m.W2), nil), tape.Param(m.Gate)) })
		y = Add(Mean(Square(Dropout(y, 0.1))), part(tape.Const(x), func(x *Value) *Value { return Mean(Mul(x, twice)) }))
		loss = y.Data[0]
		seeds := []Seed{{y, []float32{1}}}
		g := tape.Backward(seeds...)
		if !tape.Once {
			g = tape.Backward(seeds...) // the record is as it was
		}
		for _, v := range []*Value{in, tape.Param(m.W1), tape.Param(m.B1), tape.Param(m.W2), tape.Param(m.Gate)} {
			gradients = append(gradients, g.Wrt(v).Clone())
		}
		require.Nil(t, g.Of(frozen))
		tape.Reset()
		return loss, gradients
	}
	loss, want := run(&Tape{Train: true}, plain)
	for _, tape := range []*Tape{{Train: true}, {Train: true, Once: true}} {
		for range 3 {
			l, got := run(tape, Recompute)
			require.Equal(t, loss, l)
			require.Equal(t, want, got)
		}
	}
	for _, tape := range []*Tape{{}, {NoGrad: true}} {
		v := Recompute(tape.Const(x), func(x *Value) *Value {
			return MulLast(GELU(Linear(x, tape.Const(m.W1.Tensor), nil)), tape.Param(frozen))
		})
		require.False(t, v.NeedsGrad())
		require.Empty(t, tape.nodes)
		require.Len(t, tape.live, 1)
	}
}

func TestRecomputeMemory(t *testing.T) {
	x := normal(rand.New(rand.NewPCG(1, 1)), 256, 256)
	used := func(part func(*Value, func(*Value) *Value) *Value) int {
		tape := &Tape{}
		v := tape.Input(x)
		for range 16 {
			v = part(v, func(v *Value) *Value {
				for range 8 {
					v = GELU(v)
				}
				return v
			})
		}
		Mean(v).Backward()
		return tape.memory.total / x.Len()
	}
	require.LessOrEqual(t, used(Recompute), 32) // 16 results and one part's, to the next power of two
	require.GreaterOrEqual(t, used(func(x *Value, f func(*Value) *Value) *Value { return f(x) }), 16*8)
}
