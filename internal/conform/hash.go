package conform

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/spamoe/spamoe/autograd"
)

// hashUniform fills dst with the numbers that belong to a name, in [-1, 1): element i is 2u - 1 with u the upper 24 bits of the
// splitmix64 finaliser of FNV1a64(name) + (i+1) 0x9E3779B97F4A7C15. Large cases state inputs and weights by such names.
func hashUniform(dst []float64, name string) {
	seed := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		seed = (seed ^ uint64(name[i])) * 0x100000001b3
	}
	for i := range dst {
		z := seed + uint64(i+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		dst[i] = 2*float64(z>>40)/(1<<24) - 1
	}
}

// hashFill fills the parameters of a model by their names, except for buffers and the two parameters that keep what their
// constructors set. A rule is "hash_fill", and may go on " then NAME*=FACTOR ..".
func hashFill(model any, rule string) error {
	rest, ok := strings.CutPrefix(rule, "hash_fill")
	m := regexp.MustCompile(`^ then ([\w.]+)\*=([\d.]+)`).FindStringSubmatch(rest)
	if !ok || rest != "" && m == nil {
		return fmt.Errorf("config's rule for weights is %q, want hash_fill", rule)
	}
	scaled := false
	for name, p := range autograd.Params(model) {
		if strings.HasSuffix(name, "expert_freq") || strings.HasSuffix(name, "router_temp") {
			continue
		}
		v := make([]float64, p.Len())
		hashUniform(v, name)
		mean, spread := hashScale(name, p)
		for i := range v {
			p.Data[i] = float32(mean + spread*v[i])
		}
		if m != nil && m[1] == name {
			factor, err := strconv.ParseFloat(m[2], 32)
			if err != nil {
				return fmt.Errorf("config's rule for weights is %q: %w", rule, err)
			}
			for i := range p.Data {
				p.Data[i] *= float32(factor)
			}
			scaled = true
		}
	}
	if m != nil && !scaled {
		return fmt.Errorf("config's rule for weights scales %s, which the model has not", m[1])
	}
	return nil
}

// hashScale returns what a parameter's numbers in [-1, 1) are scaled and shifted by, from its name and shape.
func hashScale(name string, p *autograd.Param) (mean, spread float64) {
	last := name[strings.LastIndex(name, ".")+1:]
	rank := p.Rank()
	switch {
	case p.Complex:
		return 0, math.Sqrt(3 / (2 * float64(p.Shape[0])))
	case last == "cls_token" || last == "reg_token":
		return 0, 0.5
	case rank > 1 && last == "bias":
		return 0, 0.1
	case rank > 2 && p.Len() == p.Shape[1] && strings.Contains(name, "_skips."): // a gate by channel
		return 1, 0.1
	case rank > 1:
		return 0, math.Sqrt(3 * float64(p.Shape[0]) / float64(p.Len()))
	case last == "gamma" || last == "gamma_1" || last == "gamma_2":
		return 0.5, 0.1
	case last == "weight":
		return 1, 0.1
	}
	return 0, 0.1
}
