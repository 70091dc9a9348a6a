package fno_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/reference"
)

func TestGolden(t *testing.T) {
	for _, name := range []string{"fno1d_spamoe", "fno2d_spamoe", "fno2d_spamoe_norms", "fno2d_spamoe_pad", "fno2d_spamoe_variants",
		"fno_generic_fork_defaults_eval", "upstream_fno2d", "upstream_fno2d_pad"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			var about struct {
				Op     string
				Config json.RawMessage
			}
			c.Decode(&about)
			config, err := reference.FNO(about.Op, about.Config)
			require.NoError(t, err)
			model, err := fno.New(config, nil)
			require.NoError(t, err)
			weights := c.Weights()
			n := 0
			for name, p := range autograd.Params(model) {
				require.Equal(t, weights[name].Shape, p.Shape, name)
				copy(p.Data, weights[name].Data)
				n++
			}
			require.Equal(t, len(weights), n)
			tape := &autograd.Tape{}
			in := c.Input("x")
			x := tape.Input(autograd.FromSlice(in.Data, in.Shape...))
			y := model.Forward(x)
			c.CheckOutput("output", y.Shape, y.Data)
			grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
			got := map[string][]float32{"grad_input": grads.Wrt(x).Data}
			for name, p := range autograd.Params(model) {
				got[name] = grads.Of(p).Data
			}
			c.CheckGrads(got)
		})
	}
}
