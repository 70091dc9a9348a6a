package conform

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/mno"
)

func init() {
	for _, op := range []string{"mwt1d", "mwt2d"} {
		runners[op] = differentiable(multiwavelet)
	}
	for _, op := range []string{"mwt_cz1d", "mwt_cz2d"} {
		runners[op] = differentiable(multiwaveletBlock)
	}
	runners["multiscale_no2d"] = differentiable(multiscale)
}

// multiwavelet is the operator on channels that come first; the cases have them last, and none on the result.
func multiwavelet(c *testCase, cfg *config) (*network, error) {
	set, err := reference.Multiwavelet(c.Op, cfg.rest())
	if err != nil {
		return nil, err
	}
	model, err := mno.New(set, nil)
	if err != nil {
		return nil, err
	}
	n := op(func(in []*value) *value {
		y := model.Forward(autograd.ChannelsFirst(in[0]))
		return autograd.Reshape(y, slices.Delete(slices.Clone(y.Shape), 1, 2)...)
	})
	n.model = model
	return n, nil
}

// multiwaveletBlock maps functions and their coefficients, which are one axis there and two in the cases.
func multiwaveletBlock(c *testCase, cfg *config) (*network, error) {
	set, err := reference.Multiwavelet(c.Op, cfg.rest())
	if err != nil {
		return nil, err
	}
	block, err := mno.NewBlock(set, nil)
	if err != nil {
		return nil, err
	}
	n := op(func(in []*value) *value {
		x := in[0]
		if x.Rank() != set.Dim+3 {
			panic(fmt.Sprintf("shape %v; want batch, %d axes, functions and coefficients", x.Shape, set.Dim))
		}
		y := block.Forward(autograd.Reshape(x, append(slices.Clone(x.Shape[:1+set.Dim]), -1)...))
		return autograd.Reshape(y, x.Shape...)
	})
	n.model = block
	return n, nil
}

// multiscale is SPAMoE's multiscale operator.
func multiscale(c *testCase, cfg *config) (*network, error) {
	set, err := reference.Multiscale(cfg.rest())
	if err != nil {
		return nil, err
	}
	model, err := mno.NewMultiscale(set, nil)
	if err != nil {
		return nil, err
	}
	n := op(func(in []*value) *value { return model.Forward(in[0]) })
	n.model = model
	return n, nil
}
