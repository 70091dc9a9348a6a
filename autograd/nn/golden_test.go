package nn_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/golden"
)

// load fills a layer with the weights of a case, whose names must be the layer's.
func load(t *testing.T, layer any, c *golden.Case) {
	t.Helper()
	weights := c.Weights()
	var names []string
	for name, p := range autograd.Params(layer) {
		w, ok := weights[name]
		require.True(t, ok, "%s is not among %v", name, slices.Sorted(maps.Keys(weights)))
		require.Equal(t, w.Shape, p.Shape, name)
		copy(p.Data, w.Data)
		names = append(names, name)
	}
	require.ElementsMatch(t, slices.Sorted(maps.Keys(weights)), names)
}

func tensor(g golden.Tensor) *autograd.Tensor { return autograd.FromSlice(g.Data, g.Shape...) }

// check runs a layer on the input of a case and holds output and gradients against it.
func check(t *testing.T, c *golden.Case, layer any, forward func(x *autograd.Value) *autograd.Value) {
	t.Helper()
	tape := &autograd.Tape{Train: true}
	x := tape.Input(tensor(c.Input("x")))
	y := forward(x)
	c.CheckOutput("output", y.Shape, y.Data)
	grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
	got := map[string][]float32{"grad_input": grads.Wrt(x).Data}
	for name, p := range autograd.Params(layer) {
		got[name] = grads.Of(p).Data
	}
	c.CheckGrads(got)
}
