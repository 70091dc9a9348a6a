package mno_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/mno"
)

// check loads the weights of a golden case into a model and holds output and gradients against it.
func check(t *testing.T, c *golden.Case, model any, forward func(x *autograd.Value) *autograd.Value) {
	weights := c.Weights()
	n := 0
	for _, e := range autograd.State(model) {
		w, ok := weights[e.Name]
		require.True(t, ok, "the case has no %s", e.Name)
		shape, data := []int(nil), []float32(nil)
		if e.Param != nil {
			shape, data = e.Param.Shape, e.Param.Data
		} else {
			shape, data = e.Buffer.Shape, e.Buffer.Data
		}
		require.Equal(t, w.Shape, shape, e.Name)
		copy(data, w.Data)
		n++
	}
	require.Equal(t, len(weights), n)
	tape := &autograd.Tape{}
	in := c.Input("x")
	x := tape.Input(autograd.FromSlice(in.Data, in.Shape...))
	y := forward(x)
	c.CheckOutput("output", y.Shape, y.Data)
	grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
	got := map[string][]float32{"grad_input": grads.Wrt(x).Data}
	for name, p := range autograd.Params(model) {
		if g := grads.Of(p); g != nil {
			got[name] = g.Data
		}
	}
	c.CheckGrads(got)
	inference := &autograd.Tape{NoGrad: true}
	again := forward(inference.Const(autograd.FromSlice(in.Data, in.Shape...)))
	require.Equal(t, y.Data, again.Data, "inference gives the same")
}

func about(c *golden.Case) (op string, config json.RawMessage) {
	var file struct {
		Op     string
		Config json.RawMessage
	}
	c.Decode(&file)
	return file.Op, file.Config
}

func TestGoldenModels(t *testing.T) {
	for _, name := range []string{"mwt1d_chebyshev", "mwt1d_legendre", "mwt2d_chebyshev", "mwt2d_legendre"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			config, err := reference.Multiwavelet(about(c))
			require.NoError(t, err)
			model, err := mno.New(config, nil)
			require.NoError(t, err)
			check(t, c, model, func(x *autograd.Value) *autograd.Value {
				y := model.Forward(autograd.ChannelsFirst(x))
				return autograd.Reshape(y, slices.Delete(slices.Clone(y.Shape), 1, 2)...)
			})
		})
	}
}

func TestGoldenBlocks(t *testing.T) {
	for _, name := range []string{"mwt_cz1d_chebyshev", "mwt_cz1d_legendre", "mwt_cz2d_chebyshev", "mwt_cz2d_legendre"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			config, err := reference.Multiwavelet(about(c))
			require.NoError(t, err)
			block, err := mno.NewBlock(config, nil)
			require.NoError(t, err)
			check(t, c, block, func(x *autograd.Value) *autograd.Value {
				shape := append(slices.Clone(x.Shape[:x.Rank()-2]), -1) // functions and coefficients are one axis
				return autograd.Reshape(block.Forward(autograd.Reshape(x, shape...)), x.Shape...)
			})
		})
	}
}

func TestGoldenMultiscale(t *testing.T) {
	for _, name := range []string{"multiscaleno2d", "multiscaleno2d_70", "multiscaleno2d_adaptive"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			_, text := about(c)
			config, err := reference.Multiscale(text)
			require.NoError(t, err)
			model, err := mno.NewMultiscale(config, nil)
			require.NoError(t, err)
			check(t, c, model, model.Forward)
		})
	}
}
