package lno

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/memo"
)

// IntegralConfig describes a local integral kernel over two axes. In, Out and Grid are required.
type IntegralConfig struct {
	In  int `json:"in"`
	Out int `json:"out"`
	// Grid is the grid that the kernel is mostly used on; it sizes the default radius.
	Grid [2]int `json:"grid"`
	// Stride makes the output grid coarser than the input grid by whole factors; 0 means 1.
	Stride [2]int `json:"stride,omitempty"`
	// Domain holds the lengths of the box; 0 means 2, that of -1 .. 1.
	Domain [2]float64 `json:"domain,omitempty"`
	// Basis holds the functions that kernels are made of.
	Basis Basis `json:"basis,omitzero"`
	// Radius of the disc that the functions live on, in the unit of Domain. 0 means Basis.Cells cells of the output grid.
	Radius float64 `json:"radius,omitempty"`
	// Groups keeps channels apart: In and Out fall into as many groups, without a weight between different ones; 0 means 1.
	Groups int `json:"groups,omitempty"`
	// NoBias leaves out the bias.
	NoBias bool `json:"no_bias,omitempty"`
	// Padding says how functions go on beyond the grid; the default is Periodic.
	Padding Padding `json:"padding,omitempty"`
	// Defects of the reference that its checkpoints were trained with.
	Defects IntegralDefects `json:"defects,omitzero"`
}

// IntegralDefects reproduces what the reference does wrong. The zero value is right.
type IntegralDefects struct {
	// OneCell makes the default radius one cell of the output grid. Hats of any kind then have no support but the point itself.
	OneCell bool `json:"one_cell,omitempty"`
	// ZeroPadding pads by zeros, whatever Padding says.
	ZeroPadding bool `json:"zero_padding,omitempty"`
	// Spread takes samples of the basis on floor(2 radius / cell) + 1 points spread evenly over the disc instead of the grid's own.
	// Where their number is even the output lies half a cell off and is a point smaller. A function without support is zero.
	Spread bool `json:"spread,omitempty"`
	// FixedGrid uses the samples and quadrature weights of Grid on every grid, so that the integral is over another disc there.
	FixedGrid bool `json:"fixed_grid,omitempty"`
	// SpareWeights has (n-1) m + 1 weights for a basis of shape {n, m}, more than functions; those beyond do nothing.
	SpareWeights bool `json:"spare_weights,omitempty"`
	// Table, if not nil, holds the samples that the reference's rounding gave: K x ny x nx, as its buffer local_filter_matrix does. It
	// needs Spread and FixedGrid.
	Table [][][]float32 `json:"table,omitempty"`
}

// ReferenceIntegralDefects are those of SPAMoE's fork of neuraloperator, and of neuraloperator itself.
func ReferenceIntegralDefects() IntegralDefects {
	return IntegralDefects{OneCell: true, ZeroPadding: true, Spread: true, FixedGrid: true, SpareWeights: true}
}

// clone returns a copy of d with a table of its own.
func (d IntegralDefects) clone() IntegralDefects {
	d.Table = slices.Clone(d.Table)
	for i, f := range d.Table {
		d.Table[i] = slices.Clone(f)
		for j, row := range f {
			d.Table[i][j] = slices.Clone(row)
		}
	}
	return d
}

// defaults fills in what 0 stands for.
func (c IntegralConfig) defaults() IntegralConfig {
	c.Groups = max(1, c.Groups)
	for a := range 2 {
		c.Stride[a] = max(1, c.Stride[a])
		if c.Domain[a] == 0 {
			c.Domain[a] = 2
		}
	}
	if c.Defects.ZeroPadding {
		c.Padding = Zeros
	}
	if c.Radius == 0 {
		cells := c.Basis.Cells()
		if c.Defects.OneCell {
			cells = 1
		}
		for a := range 2 {
			c.Radius = max(c.Radius, cells*(c.Domain[a]/float64(c.Grid[a]/c.Stride[a])))
		}
	}
	return c
}

// Check reports the first thing in c that cannot work; among that are functions of the basis without a point of Grid in their support.
func (c IntegralConfig) Check() error {
	if c.In < 1 || c.Out < 1 {
		return fmt.Errorf("lno: %d input and %d output channels; want at least 1", c.In, c.Out)
	}
	if err := c.Basis.Check(); err != nil {
		return err
	}
	if err := c.Padding.Check(); err != nil {
		return err
	}
	if err := checkGroups(c.Groups, c.In, c.Out); err != nil {
		return err
	}
	for a := range 2 {
		s := c.Stride[a]
		switch {
		case c.Grid[a] < 1 || s < 0 || s > c.Grid[a]:
			return fmt.Errorf("lno: strides %v on a grid of %v points; want at least a point in and out", c.Stride, c.Grid)
		case !(c.Domain[a] >= 0) || math.IsInf(c.Domain[a], 0):
			return fmt.Errorf("lno: a domain of lengths %v; want positive numbers", c.Domain)
		}
	}
	if !(c.Radius >= 0) || math.IsInf(c.Radius, 0) {
		return fmt.Errorf("lno: radius %v; want a positive number", c.Radius)
	}
	f := c.defaults()
	if err := f.checkGiven(); err != nil {
		return err
	}
	_, err := f.sample(c.Grid)
	return err
}

func (c *IntegralConfig) checkGiven() error {
	t := c.Defects.Table
	if t == nil {
		return nil
	}
	if !c.Defects.Spread || !c.Defects.FixedGrid {
		return fmt.Errorf("lno: a table of samples needs the defects spread and fixed_grid, whose samples it has")
	}
	if len(t) != c.functions() {
		return fmt.Errorf("lno: a table of %d functions for %d weights", len(t), c.functions())
	}
	for _, f := range t {
		for _, row := range f {
			if len(f) != len(t[0]) || len(row) != len(t[0][0]) || len(row) < 1 {
				return fmt.Errorf("lno: the functions and rows of a table differ in length, or are empty")
			}
		}
		if len(f) < 1 {
			return fmt.Errorf("lno: a table of functions without rows")
		}
	}
	return nil
}

// functions returns how many weights there are between two channels.
func (c *IntegralConfig) functions() int {
	if c.Defects.SpareWeights && c.Basis.Kind != Morlet {
		n, m := c.Basis.size()
		if c.Basis.Kind == Zernike {
			m = n
		}
		return max(c.Basis.Len(), (n-1)*m+1)
	}
	return c.Basis.Len()
}

// sample returns the functions on a grid of n points; c has no zeros left that stand for something else.
func (c *IntegralConfig) sample(n [2]int) (*table, error) {
	if c.Defects.FixedGrid {
		n = c.Grid
	}
	if t := c.Defects.Table; t != nil {
		return c.given(t), nil
	}
	if !c.Defects.Spread {
		return sampleBasis(c.Basis, c.Radius, [2]float64{c.Domain[0] / float64(n[0]), c.Domain[1] / float64(n[1])})
	}
	taps := 1
	for a := range n {
		w := 2 * c.Radius * float64(n[a]) / c.Domain[a]
		if w >= maxWindow {
			return nil, fmt.Errorf("lno: a radius of %g makes a kernel of %g points; want at most %d", c.Radius, w, maxWindow)
		}
		taps *= int(w) + 1
	}
	if err := checkTable(c.functions(), taps); err != nil {
		return nil, err
	}
	return sampleReference(c.Basis, c.functions(), c.Radius, n, c.Domain), nil
}

// given turns a table of the reference's over, as sampleReference does.
func (c *IntegralConfig) given(values [][][]float32) *table {
	h, w := len(values[0]), len(values[0][0])
	t := &table{n: len(values), window: [3]int{1, w, h}, pad: [3]int{0, (h+1)/2 - 1, (w+1)/2 - 1}}
	q := float32(c.Domain[0] * c.Domain[1] / float64(c.Grid[0]) / float64(c.Grid[1]))
	for _, f := range values {
		for a := range w {
			for b := range h {
				t.data = append(t.data, q*f[h-1-b][w-1-a])
			}
		}
	}
	return t
}

// Integral is a local integral kernel, a discrete-continuous convolution (Liu-Schiaffini et al., arXiv 2402.16845, section 4.2; Ocampo,
// Price, McEwen, arXiv 2209.13603),
//
//	y_o(p) = b_o + sum over i and k of W[o, i, k] / |psi_k| times the integral over a disc of psi_k(s) x_i(p + s) ds,
//
// with fixed functions psi_k and learned weights. The sum over grid points that takes the integral's place is a convolution with an assembled
// kernel; on finer grids it converges to the integral, the disc staying the same. |psi_k| is the integral of the function's absolute value.
// An Integral may be used by many goroutines at once.
type Integral struct {
	Config IntegralConfig  `param:"-"`      // with 0 replaced by what it stands for
	Weight *autograd.Param `param:"weight"` // out x in/groups x functions
	Bias   *autograd.Param `param:"bias"`   // out, or nil

	tables memo.Map[[2]int, *table]
}

// NewIntegral returns a kernel with normal weights of variance 1 / (in/groups functions) and no bias yet; a nil rng leaves zeros.
func NewIntegral(c IntegralConfig, rng *rand.Rand) (*Integral, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.defaults()
	c.Basis, c.Defects = c.Basis.clone(), c.Defects.clone()
	ig, k := c.In/c.Groups, c.functions()
	l := &Integral{Config: c, Weight: autograd.NewParam(c.Out, ig, k)}
	if rng != nil {
		nn.Normal(l.Weight.Tensor, 0, 1/math.Sqrt(float64(ig*c.Basis.Len())), rng)
	}
	if !c.NoBias {
		l.Bias = autograd.NewParam(c.Out)
	}
	return l, nil
}

// CheckGrid reports an input grid of n0 x n1 points that is too coarse for the radius, or too small to be padded.
func (l *Integral) CheckGrid(n0, n1 int) error {
	t, err := l.table([2]int{n0, n1})
	if err != nil {
		return err
	}
	return l.Config.Padding.fits([]int{n0, n1}, t.pad)
}

// table samples the basis on a grid, once for each.
func (l *Integral) table(n [2]int) (*table, error) {
	if l.Config.Defects.FixedGrid {
		n = l.Config.Grid
	}
	return l.tables.Get(n, func() (*table, error) {
		t, err := l.Config.sample(n)
		if err != nil {
			return nil, err
		}
		t = t.trim()
		t.used = runs(t)
		return t, nil
	})
}

// Samples returns what weights are multiplied by to make the kernel for an input grid of n0 x n1 points: the functions times the quadrature
// weight, functions x taps along the first axis x taps along the second.
func (l *Integral) Samples(n0, n1 int) (*autograd.Tensor, error) {
	t, err := l.Config.sample([2]int{n0, n1})
	if err != nil {
		return nil, err
	}
	return autograd.FromSlice(t.data, t.n, t.window[1], t.window[2]), nil
}

// Forward maps x, nb x n0 x n1 x In, to nb x n0/stride x n1/stride x Out, rounded up. It panics where CheckGrid reports an error.
func (l *Integral) Forward(x *autograd.Value) *autograd.Value {
	c := &l.Config
	if x.Rank() != 4 || x.Dim(-1) != c.In {
		panic(fmt.Sprintf("lno: Integral: shape %v; want batch, two axes, %d channels", x.Shape, c.In))
	}
	if err := l.CheckGrid(x.Shape[1], x.Shape[2]); err != nil {
		panic(err.Error())
	}
	t, _ := l.table([2]int(x.Shape[1:3]))
	w := stencil(c.In, c.Out, l.term(x.Tape(), t))
	return correlate(c.Padding.apply(x, t.pad), w, l.bias(x.Tape()), [3]int{1, c.Stride[0], c.Stride[1]}, t.used)
}

func (l *Integral) term(tape *autograd.Tape, t *table) term {
	return term{weight: tape.Param(l.Weight), groups: l.Config.Groups, table: t}
}

func (l *Integral) bias(tape *autograd.Tape) *autograd.Value {
	if l.Bias == nil {
		return nil
	}
	return tape.Param(l.Bias)
}
