package waveop_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/fwi/wave/waveop"
)

const nz, nx = 8, 10

func survey(t testing.TB) *waveop.Survey {
	s, err := waveop.New(wave.Config{Samples: 70, Pad: 8, Freq: 25, Shots: 2}, nz, nx)
	require.NoError(t, err)
	return s
}

// Velocities are 2500 + 400 x, so that steps of CheckGrad are neither lost in rounding nor bend the gathers.
func TestGradient(t *testing.T) {
	s := survey(t)
	rng := rand.New(rand.NewPCG(1, 2))
	x := autograd.New(2, 1, nz, nx)
	for i := range x.Data {
		x.Data[i] = rng.Float32() - 0.5
	}
	// The least velocity of each model lies in one cell that does not depend on x: the damping then does not change.
	mask, base := autograd.New(2, 1, nz, nx), autograd.New(2, 1, nz, nx)
	for i := range mask.Data {
		mask.Data[i], base.Data[i] = 400, 2500
		if i%(nz*nx) == 5 {
			mask.Data[i], base.Data[i] = 0, 2000
		}
	}
	require.NoError(t, autograd.CheckGrad(autograd.GradCheck{Step: 1.0 / 32, Tol: 2e-3}, func(v []*autograd.Value) *autograd.Value {
		tape := v[0].Tape()
		y, err := s.Simulate(autograd.Add(autograd.Mul(v[0], tape.Const(mask)), tape.Const(base)))
		require.NoError(t, err)
		return y
	}, x))
}

func TestErrors(t *testing.T) {
	s := survey(t)
	tape := &autograd.Tape{}
	bad := autograd.New(1, 1, nz, nx)
	_, err := s.Simulate(tape.Input(bad))
	require.EqualError(t, err, "wave: model 0, row 0, column 0: velocity is 0 m/s, want a positive finite number")
	require.PanicsWithValue(t, "waveop: Simulate: velocities of shape [1 2 8 10], want nb x 1 x 8 x 10", func() {
		s.Simulate(tape.Input(autograd.New(1, 2, nz, nx)))
	})
	_, err = waveop.New(wave.Config{Dx: -1}, nz, nx)
	require.ErrorContains(t, err, "wave: Dx is -1")
	for i := range bad.Data {
		bad.Data[i] = 2500
	}
	v := tape.Input(bad)
	y, err := s.Simulate(v)
	require.NoError(t, err)
	inf := autograd.New(y.Shape...)
	inf.Data[0] = float32(math.Inf(1))
	g := autograd.Sum(autograd.Mul(y, tape.Const(inf))).Backward().Wrt(v)
	require.True(t, math.IsNaN(float64(g.Data[3])))
}

// A batch of none goes through, and back.
func TestBatchOfNone(t *testing.T) {
	s := survey(t)
	v := (&autograd.Tape{}).Input(autograd.New(0, 1, nz, nx))
	y, err := s.Simulate(v)
	require.NoError(t, err)
	require.Equal(t, []int{0, 2, 70, nx}, y.Shape)
	require.Empty(t, autograd.Sum(y).Backward().Wrt(v).Data)
}

// A "network" of one parameter, the contrast of a layer, learns it from gathers alone.
func Example() {
	s, err := waveop.New(wave.Config{Samples: 200, Pad: 30, Shots: 2}, 20, 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	layer, ground := autograd.New(1, 1, 20, 20), autograd.New(1, 1, 20, 20)
	for i := range layer.Data {
		ground.Data[i] = 2000
		if i >= 200 {
			layer.Data[i] = 100
		}
	}
	gathers := func(tape *autograd.Tape, contrast *autograd.Value) *autograd.Value {
		step := autograd.Broadcast(contrast, 1, 1, 20, 20)
		y, err := s.Simulate(autograd.Add(autograd.Mul(step, tape.Const(layer)), tape.Const(ground)))
		if err != nil {
			panic(err)
		}
		return y
	}
	tape := &autograd.Tape{NoGrad: true}
	recorded := gathers(tape, tape.Const(autograd.FromSlice([]float32{6}, 1, 1, 1, 1)))
	model := &struct {
		Contrast *autograd.Param `param:"contrast"`
	}{&autograd.Param{Tensor: autograd.FromSlice([]float32{4}, 1, 1, 1, 1)}}
	adam := optim.NewAdamW(model, optim.Config{})
	for range 60 {
		tape := &autograd.Tape{Train: true}
		d := autograd.Sub(gathers(tape, tape.Param(model.Contrast)), tape.Const(recorded.Tensor))
		adam.Step(0.1, autograd.Mean(autograd.Square(d)).Backward())
	}
	fmt.Printf("contrast %.0f\n", model.Contrast.Data[0])
	// Output: contrast 6
}
