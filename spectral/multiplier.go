package spectral

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
)

// Multiplier is a spectral convolution without weights of its own, y = F^-1(R F(x)): R lies on the tape, for operators that assemble it
// from parameters, or use the same ones on several grids. It keeps no bias and works on real data.
//
// A Multiplier may be used by many goroutines at once.
type Multiplier struct{ conv Conv }

// NewMultiplier returns a multiplier for at most the given modes of each axis, both signs together; their number is the dimension.
func NewMultiplier(in, out int, modes ...int) (*Multiplier, error) {
	m := &Multiplier{conv: Conv{Config: Config{In: in, Out: out, Modes: slices.Clone(modes), NoBias: true}}}
	if err := m.conv.Config.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// Kept returns how many frequencies of each axis take part on the grid n. Those of an axis of k are -floor(k/2) and up, on the last axis
// 0 and up. The result is the multiplier's own and must not be changed.
func (m *Multiplier) Kept(n []int) []int {
	if d := len(m.conv.Config.Modes); len(n) != d || slices.Min(n) < 1 {
		panic(fmt.Sprintf("spectral: Multiplier: grid %v; want %d axes of at least 1 point", slices.Clone(n), d))
	}
	return m.conv.plan(n, n).counts
}

// Forward maps x, nb x n1 .. nd x In, to nb x n1 .. nd x Out by r, In x Out x k1 .. kd x 2, where k is what Kept returns for the grid.
func (m *Multiplier) Forward(x, r *autograd.Value) *autograd.Value {
	c := &m.conv.Config
	d := len(c.Modes)
	if x.Rank() != 2+d || x.Shape[1+d] != c.In {
		panic(fmt.Sprintf("spectral: Multiplier: shape %v; want batch, %d axes and %d channels", x.Shape, d, c.In))
	}
	n := x.Shape[1 : 1+d]
	p := m.conv.plan(n, n)
	want := append(make([]int, 0, 8), c.In, c.Out)
	for _, k := range p.kept {
		want = append(want, len(k.in))
	}
	if want = append(want, 2); !slices.Equal(r.Shape, want) {
		panic(fmt.Sprintf("spectral: Multiplier: matrices %v for x %v; want %v", r.Shape, x.Shape, slices.Clone(want)))
	}
	return inverse(p, false, mix(p, transform(p, x), r), nil)
}
