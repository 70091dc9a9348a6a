package lno

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// DifferentialConfig describes a differential kernel. In, Out and Dim are required.
type DifferentialConfig struct {
	In  int `json:"in"`
	Out int `json:"out"`
	Dim int `json:"dim"` // axes of the grid, 1 to 3
	// Kernel is how many points the stencil has along each axis, an odd number up to 31, or 15 over three axes; 0 means 3.
	Kernel int `json:"kernel,omitempty"`
	// Groups keeps channels apart: In and Out fall into as many groups, without a weight between different ones; 0 means 1.
	Groups int `json:"groups,omitempty"`
	// Padding says how functions go on beyond the grid; the default is Periodic.
	Padding Padding `json:"padding,omitempty"`
}

// Check reports the first thing in c that cannot work.
func (c DifferentialConfig) Check() error {
	switch {
	case c.In < 1 || c.Out < 1:
		return fmt.Errorf("lno: %d input and %d output channels; want at least 1", c.In, c.Out)
	case c.Dim < 1 || c.Dim > 3:
		return fmt.Errorf("lno: differential kernels over %d axes; want 1 to 3", c.Dim)
	case c.Kernel != 0 && (c.Kernel < 3 || c.Kernel > 31 || c.Kernel%2 == 0):
		return fmt.Errorf("lno: differential kernels of %d points; want an odd number from 3 to 31", c.Kernel)
	}
	taps := 1
	for range c.Dim {
		taps *= max(c.Kernel, 1)
	}
	if err := checkTable(taps, taps); err != nil {
		return err
	}
	if err := checkGroups(c.Groups, c.In, c.Out); err != nil {
		return err
	}
	return c.Padding.Check()
}

func checkGroups(groups, in, out int) error {
	if groups < 0 || groups > 0 && (in%groups != 0 || out%groups != 0) {
		return fmt.Errorf("lno: %d groups of %d input and %d output channels", groups, in, out)
	}
	return nil
}

// Differential is a differential kernel (Liu-Schiaffini et al., arXiv 2402.16845, section 4.1),
//
//	y[p, o] = b^-1 sum over t and i of W[o, i, t] (x[p + t, i] - x[p, i]),
//
// a difference stencil: a convolution minus what it makes of a constant, over the width b of a grid cell. On finer grids it converges to
// the derivative sum of W[o, i, t] (t . grad) x_i, with an error of first order, or second where W is odd in t.
type Differential struct {
	Config DifferentialConfig `param:"-"`
	Weight *autograd.Param    `param:"weight"` // out x in/groups x k1 .. kd
	// Conv has the same weight under the other name that files have for it.
	Conv struct {
		Weight *autograd.Param `param:"weight"`
	} `param:"conv"`
}

// NewDifferential returns a kernel whose weights are uniform within 1/sqrt(in/groups k^dim), as PyTorch's convolutions start; a nil rng
// leaves zeros.
func NewDifferential(c DifferentialConfig, rng *rand.Rand) (*Differential, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Kernel == 0 {
		c.Kernel = 3
	}
	c.Groups = max(1, c.Groups)
	shape := []int{c.Out, c.In / c.Groups}
	for range c.Dim {
		shape = append(shape, c.Kernel)
	}
	l := &Differential{Config: c, Weight: autograd.NewParam(shape...)}
	l.Conv.Weight = l.Weight
	if rng != nil {
		nn.KaimingUniform(l.Weight.Tensor, sqrt5, rng)
	}
	return l, nil
}

// sqrt5 is the slope with which PyTorch initialises convolutions.
const sqrt5 = 2.23606797749979

// Forward maps x, nb x n1 .. nd x In, to nb x n1 .. nd x Out. Width is the size of a grid cell, in whatever unit the derivatives shall
// have; it scales the result by 1/width.
func (l *Differential) Forward(x *autograd.Value, width float64) *autograd.Value {
	c := &l.Config
	if x.Rank() != c.Dim+2 || x.Dim(-1) != c.In {
		panic(fmt.Sprintf("lno: Differential: shape %v; want batch, %d axes, %d channels", x.Shape, c.Dim, c.In))
	}
	if !(width > 0) {
		panic(fmt.Sprintf("lno: Differential: width %v; want a positive number", width))
	}
	t := differenceTable(c.Kernel, c.Dim, width)
	if err := c.Padding.fits(x.Shape[1:1+c.Dim], t.pad); err != nil {
		panic(err.Error())
	}
	w := stencil(c.In, c.Out, l.term(x.Tape(), t))
	return correlate(c.Padding.apply(x, t.pad), w, nil, [3]int{1, 1, 1}, nil)
}

func (l *Differential) term(tape *autograd.Tape, t *table) term {
	return term{weight: tape.Param(l.Weight), groups: l.Config.Groups, table: t}
}
