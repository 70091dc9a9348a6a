package conform

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/internal/reference"
)

func init() {
	runners["encoder_dino"] = differentiable(encoding)
	runners["encoder_convnext"] = differentiable(encoding)
}

// encoding builds an encoder. Where the config says that the weights are made by a rule, they are, and the pass records nothing: these
// are large models, whose cases hold every eighth channel of the latent map and no gradients.
func encoding(c *testCase, cfg *config) (*network, error) {
	rule := key(cfg, "weights", "")
	config, err := reference.Encoder(c.Op, cfg.rest())
	if err != nil {
		return nil, err
	}
	model, err := encoder.New(config, nil)
	if err != nil {
		return nil, err
	}
	if rule == "" {
		return &network{model: model, forward: func(in []*value) (values, error) {
			return outputs(model.ForwardWith(in[0], encoder.Options{})), nil
		}}, nil
	}
	if rule != "hash_fill" {
		return nil, fmt.Errorf("config key \"weights\" is %q, want hash_fill", rule)
	}
	hashFill(model)
	return &network{forward: func(in []*value) (values, error) {
		tape := &autograd.Tape{NoGrad: true}
		out := outputs(model.ForwardWith(tape.Const(in[0].Tensor), encoder.Options{}))
		y := out["output"]
		data, shape := sample(y.Data, y.Shape, []int{1, 8, 1, 1})
		out["output"] = tape.Const(autograd.FromSlice(data, shape...))
		return out, nil
	}}, nil
}

func outputs(o encoder.Output) values {
	return values{"output": o.Latent, "type_weight": o.Types, "global_repr": o.Global}
}
