package conform

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/spectral"
)

// channelMLP is a layer over channels that come last; the cases have them first.
func channelMLP(c *testCase, cfg *config) (*network, error) {
	in := key(cfg, "in_channels", 0)
	m := nn.ChannelMLPConfig{In: in, Out: key(cfg, "out_channels", in), Hidden: key(cfg, "hidden_channels", in), Layers: key(cfg, "n_layers", 2),
		Dropout: key(cfg, "dropout", float32(0))}
	if err := cfg.done(); err != nil {
		return nil, err
	}
	mlp := nn.NewChannelMLP(m, nil)
	n := op(func(in []*value) *value { return autograd.ChannelsFirst(mlp.Forward(autograd.ChannelsLast(in[0]))) })
	n.model = mlp
	return n, nil
}

func gridEmbedding(c *testCase, cfg *config) (*network, error) {
	channels, dim, bounds := key(cfg, "in_channels", 1), key(cfg, "dim", 2), key(cfg, "grid_boundaries", [][2]float64(nil))
	if err := cfg.done(); err != nil {
		return nil, err
	}
	e := nn.NewGridEmbedding(dim, bounds...)
	return op(func(in []*value) *value {
		if in[0].Dim(1) != channels {
			panic(fmt.Sprintf("config's in_channels is %d for shape %v", channels, in[0].Shape))
		}
		return e.ForwardChannelsFirst(in[0])
	}), nil
}

func spectralConv(defects spectral.Defects) runner {
	return differentiable(func(c *testCase, cfg *config) (*network, error) {
		var ref reference.SpectralConv
		if cfg.into(&ref); cfg.err != nil {
			return nil, cfg.err
		}
		conv, err := spectral.NewConv(ref.Config(defects), nil)
		if err != nil {
			return nil, err
		}
		last, first := channelOrders(len(ref.NModes), ref.ComplexData)
		n := op(func(in []*value) *value {
			h := autograd.Permute(in[0], last...)
			if size := ref.Forward.OutputShape; size != nil {
				h = conv.ForwardTo(h, size...)
			} else {
				h = conv.Forward(h)
			}
			return autograd.Permute(h, first...)
		})
		n.model = conv
		return n, nil
	})
}

// channelOrders returns the orders of axes that bring the channels of a grid of dim axes to the end, and back. Complex data keep
// their axis of 2 behind the channels.
func channelOrders(dim int, complex bool) (last, first []int) {
	last, first = []int{0}, []int{0, dim + 1}
	for i := range dim {
		last, first = append(last, 2+i), append(first, 1+i)
	}
	last = append(last, 1)
	if complex {
		last, first = append(last, dim+2), append(first, dim+2)
	}
	return last, first
}

// fourierOperator builds the Fourier neural operators of several classes of the reference, each with its own defaults.
func fourierOperator(c *testCase, cfg *config) (*network, error) {
	train := key(cfg, "training", true) // as PyTorch's modules start
	set, err := reference.FNO(c.Op, cfg.rest())
	if err != nil {
		return nil, err
	}
	model, err := fno.New(set, nil)
	if err != nil {
		return nil, err
	}
	n := op(func(in []*value) *value { return model.Forward(in[0]) })
	n.model, n.train = model, train
	return n, nil
}
