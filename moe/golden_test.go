package moe_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/moe"
)

// check loads the case's weights into model, runs forward and holds outputs and gradients against the case.
func check(t *testing.T, c *golden.Case, model any, forward func(x *autograd.Value) map[string]*autograd.Value) {
	t.Helper()
	weights := c.Weights()
	for _, e := range autograd.State(model) {
		w, ok := weights[e.Name]
		require.True(t, ok, e.Name)
		if e.Param != nil {
			require.Equal(t, w.Shape, e.Param.Shape, e.Name)
			copy(e.Param.Data, w.Data)
		} else {
			require.Equal(t, append([]int{}, w.Shape...), e.Buffer.Shape, e.Name)
			copy(e.Buffer.Data, w.Data)
		}
	}
	require.Len(t, autograd.State(model), len(weights))
	tape := &autograd.Tape{}
	in := c.Input("x")
	x := tape.Input(autograd.FromSlice(in.Data, in.Shape...))
	var seeds []autograd.Seed
	for name, y := range forward(x) {
		c.CheckOutput(name, y.Shape, y.Data)
		file := "cotangent_" + name + ".npy"
		if name == "output" {
			file = "cotangent.npy"
		}
		if c.Has(file) {
			seeds = append(seeds, autograd.Seed{Value: y, Grad: c.Read(file).Data})
		}
	}
	grads := tape.Backward(seeds...)
	got := map[string][]float32{"grad_input": grads.Wrt(x).Data}
	for name, p := range autograd.Params(model) {
		if g := grads.Of(p); g != nil {
			got[name] = g.Data
		} else {
			got[name] = make([]float32, p.Len())
		}
	}
	c.CheckGrads(got)
}

func TestGoldenRouter(t *testing.T) {
	for _, name := range []string{"router_soft", "router_soft_alpha", "router_hard", "router_hard_nomix_noattn", "router_noattn", "router_nodecomp",
		"router_nomix", "router_top1", "router_top3", "router_uniform"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			var config json.RawMessage
			c.Config(&config)
			set, err := reference.Router(config)
			require.NoError(t, err)
			r, err := moe.NewRouter(set, nil)
			require.NoError(t, err)
			check(t, c, r, func(x *autograd.Value) map[string]*autograd.Value {
				route := r.Route(x)
				var inputs []*autograd.Value
				for e := range set.Experts {
					in := route.Input(e)
					inputs = append(inputs, autograd.Reshape(in, append([]int{1}, in.Shape...)...))
				}
				var chosen []float32
				for _, e := range slices.Concat(route.Experts...) {
					chosen = append(chosen, float32(e))
				}
				require.Equal(t, c.Read("output_topk_indices.npy").Data, chosen)
				out := map[string]*autograd.Value{"output": autograd.Concat(0, inputs...), "topk_weights": route.Weights}
				require.Equal(t, c.Has("output_aux_loss.npy"), route.Balance != nil)
				if route.Balance != nil {
					out["aux_loss"] = route.Balance
				}
				return out
			})
		})
	}
}

func TestGoldenMixture(t *testing.T) {
	for _, name := range []string{"afreqmoe_top1", "afreqmoe_top2", "afreqmoe_top3", "afreqmoe_mixed"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			var config json.RawMessage
			c.Config(&config)
			// The samples of the local operator's basis, the same in all these cases.
			psi := golden.Load(t, "afreqmoe_top1").Read("psi_local_filter_matrix.npy")
			var table [][][]float32
			for f := range slices.Chunk(psi.Data, psi.Shape[1]*psi.Shape[2]) {
				table = append(table, slices.Collect(slices.Chunk(f, psi.Shape[2])))
			}
			m, err := reference.Mixture(config, table)
			require.NoError(t, err)
			check(t, c, m, func(x *autograd.Value) map[string]*autograd.Value {
				route := m.Router.Route(x)
				return map[string]*autograd.Value{"output": m.Apply(route), "aux_loss": route.Balance}
			})
		})
	}
}

func TestGoldenBands(t *testing.T) {
	for _, name := range []string{"band_masks_16x16", "band_masks_70x70"} {
		c := golden.Load(t, name)
		soft, hard, radius := c.Read("output.npy"), c.Read("output_hard.npy"), c.Read("output_radius.npy")
		ny, nx := radius.Shape[0], radius.Shape[1]
		b := moe.Bands{Centers: []float32{0, 0.5, 1}, Sharpness: 20, Defects: moe.ReferenceDefects()}
		h := b
		h.Hard = true
		// The case has the constant mode in the middle.
		shifted := func(x *autograd.Tensor) []float32 {
			out := make([]float32, x.Len())
			for i := range out {
				plane, y, col := i/(ny*nx)*(ny*nx), i/nx%ny+ny-ny/2, i%nx+nx-nx/2
				out[i] = x.Data[plane+y%ny*nx+col%nx]
			}
			return out
		}
		require.InDeltaSlice(t, radius.Data, shifted(b.Radius(ny, nx)), 1e-6)
		require.InDeltaSlice(t, soft.Data, shifted(b.Masks(ny, nx)), 2e-6)
		require.Equal(t, hard.Data, shifted(h.Masks(ny, nx)))
	}
}
