package conform

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/reference"
)

func init() {
	runners["emo"] = differentiable(spamoe)
	runners["emo_training"] = spamoeTraining
}

// newSPAMoE builds a network from what is left of a config; change, which may be nil, comes before.
func (c *testCase) newSPAMoE(cfg *config, change func(set *fwi.SPAMoEConfig)) (*fwi.SPAMoE, error) {
	table, err := c.expertsPsi()
	if err != nil {
		return nil, err
	}
	set, err := reference.SPAMoE(cfg.rest(), table)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(&set)
	}
	return fwi.NewSPAMoE(set, nil)
}

// spamoe is the whole network. Cases without gradients hold large ones: their pass records nothing.
func spamoe(c *testCase, cfg *config) (*network, error) {
	model, err := c.newSPAMoE(cfg, nil)
	if err != nil {
		return nil, err
	}
	return &network{model: model, forward: func(in []*value) (values, error) {
		x := in[0]
		if !c.has("grads.safetensors") {
			x = (&autograd.Tape{NoGrad: true, BFloat16: c.bf16}).Const(x.Tensor)
		}
		o := model.ForwardWith(x, false)
		out := values{"output": o.Map, "aux_loss": balanceOf(o, x.Tape())}
		if o.Types != nil {
			out["type_weight"] = o.Types
		}
		return out, nil
	}}, nil
}

// balanceOf is the load-balancing loss, 0 where the network has none.
func balanceOf(o fwi.Output, t *autograd.Tape) *value {
	if o.Balance == nil {
		return t.Const(autograd.New())
	}
	return o.Balance
}
