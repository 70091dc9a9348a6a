package conform

import "github.com/spamoe/spamoe/fwi/inversionnet"

// inversionNet builds OpenFWI's convolutional baseline.
func inversionNet(c *testCase, cfg *config) (*network, error) {
	train := key(cfg, "training", true) // as PyTorch's modules start
	var set inversionnet.Config
	for i, name := range []string{"dim1", "dim2", "dim3", "dim4", "dim5"} {
		set.Widths[i] = key(cfg, name, 0)
	}
	if err := cfg.done(); err != nil {
		return nil, err
	}
	model, err := inversionnet.New(set, nil)
	if err != nil {
		return nil, err
	}
	n := op(func(in []*value) *value { return model.Forward(in[0]) })
	n.model, n.train = model, train
	return n, nil
}
