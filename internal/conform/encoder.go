package conform

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/internal/reference"
)

func init() {
	runners["encoder_dino"] = differentiable(encoding)
	runners["encoder_convnext"] = differentiable(encoding)
}

// encoding builds an encoder. Cases without gradients hold large models: their pass records nothing.
func encoding(c *testCase, cfg *config) (*network, error) {
	config, err := reference.Encoder(c.Op, cfg.rest())
	if err != nil {
		return nil, err
	}
	model, err := encoder.New(config, nil)
	if err != nil {
		return nil, err
	}
	return &network{model: model, forward: func(in []*value) (values, error) {
		x := in[0]
		if !c.has("grads.safetensors") {
			x = (&autograd.Tape{NoGrad: true, BFloat16: c.bf16}).Const(x.Tensor)
		}
		o := model.ForwardWith(x, encoder.Options{})
		return values{"output": o.Latent, "type_weight": o.Types, "global_repr": o.Global}, nil
	}}, nil
}
