package conform

import (
	"math"
	"strings"

	"github.com/spamoe/spamoe/autograd"
)

// hashFill fills the parameters of a model by the rule that cases without weights state: the numbers v that belong to a parameter's
// name, in [-1, 1), become, by the first line that fits,
//
//	v sqrt(3 / (2 s0))    complex tensors, s0 their first size
//	0.5 v                 tokens
//	1 + 0.1 v             soft gates, 1 x nc x 1 x 1
//	0.5 + 0.1 v           names that end in gamma, gamma_1, gamma_2
//	0.1 v                 biases of spectral convolutions, nc x 1 x 1
//	v sqrt(3 / fan in)    tensors of two axes or more
//	1 + 0.1 v             names that end in .weight
//	0.1 v                 all others
//
// A tensor with several names goes by the first. Parameters that keep holds, and all buffers, keep their values.
func hashFill(model any, keep ...string) {
	kept := map[string]bool{}
	for _, name := range keep {
		kept[name] = true
	}
	for name, p := range autograd.Params(model) {
		if kept[name] {
			continue
		}
		hashUniform(p.Data, name)
		a, b := hashRule(name, p)
		for i, v := range p.Data {
			p.Data[i] = float32(a + b*float64(v))
		}
	}
}

// hashRule returns a and b of a + b v.
func hashRule(name string, p *autograd.Param) (a, b float64) {
	last := name[strings.LastIndexByte(name, '.')+1:]
	rank := p.Rank()
	switch {
	case p.Complex:
		return 0, math.Sqrt(3 / (2 * float64(p.Shape[0])))
	case last == "cls_token" || last == "reg_token":
		return 0, 0.5
	case strings.Contains(name, "_skips.") && last == "weight" && rank > 2 && p.Shape[0] == 1 && p.Shape[1] == p.Len():
		return 1, 0.1
	case last == "gamma" || last == "gamma_1" || last == "gamma_2":
		return 0.5, 0.1
	case last == "bias" && rank > 1:
		return 0, 0.1
	case rank > 1:
		return 0, math.Sqrt(3 * float64(p.Shape[0]) / float64(p.Len()))
	case strings.HasSuffix(name, ".weight"):
		return 1, 0.1
	}
	return 0, 0.1
}
