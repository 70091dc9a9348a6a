package spectral

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/memo"
)

// Conv is a spectral convolution (Li et al., arXiv 2010.08895, equation 4),
//
//	y = F^-1(R F(x)) + b,
//
// where F is the Fourier transform over the grid, R a complex matrix per mode between the channels, zero beyond the kept modes, and b
// a bias per channel. It knows modes, not grid points: the same weights serve every grid.
//
// x is nb x n1 .. nd x In and y nb x m1 .. md x Out, channels last, on real data; complex data have a further axis of 2. Only the
// kept modes are ever computed: the transforms are products with small matrices along one axis after the other. On a grid that has
// fewer modes than the weight, the weights of the missing modes take no part. The imaginary parts of what would be the constant and
// the highest mode of a real signal are ignored, as by any inverse transform to real data.
//
// A Conv may be used by many goroutines at once, except for SetModes. For each grid that it meets it makes a plan, the small matrices, which
// it keeps, up to 64 of them.
type Conv struct {
	Config Config          `param:"-"` // SetModes changes Modes
	Weight Weight          `param:"weight"`
	Bias   *autograd.Param `param:"bias"` // Out x 1 .. 1, or nil

	plans memo.Map[planKey, *plan]
}

// Weight is the matrix R of a Conv, In x Out x m1 .. md complex numbers, or In x m1 .. md if separable, where md is half of the last
// axis for real data. Mode j of an axis of m has the frequency j - floor(m/2), on a half axis j. It is one tensor, or the core and
// the factors of its Tucker decomposition,
//
//	R[i, o, j..] = sum over a, b, c.. of Core[a, b, c..] F0[i, a] F1[o, b] F2[j, c] ...
type Weight struct {
	Tensor  *autograd.Param            `param:"tensor"`
	Core    *autograd.Param            `param:"core"`
	Factors map[string]*autograd.Param `param:"factors"` // "factor_0" ..
}

// NewConv returns a convolution with weights drawn from rng: normal with standard deviation sqrt(2/(In+Out)) for the absolute value of
// an element of R, and for the bias. A nil rng leaves zeros.
func NewConv(c Config, rng *rand.Rand) (*Conv, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	v := &Conv{Config: c.clone()}
	shape := []int{c.In, c.Out}
	if c.Separable {
		shape = shape[:1]
	}
	shape = append(shape, v.weightModes()...)
	std := math.Sqrt(2 / float64(c.In+c.Out))
	if c.Rank > 0 {
		v.Weight = newTucker(shape, c.Rank, std, rng)
	} else {
		v.Weight.Tensor = newComplex(shape, std, rng)
	}
	if !c.NoBias {
		b := make([]int, 1+len(c.Modes))
		for i := range b {
			b[i] = 1
		}
		b[0] = c.Out
		v.Bias = autograd.NewParam(b...)
		if rng != nil {
			nn.Normal(v.Bias.Tensor, 0, std, rng)
		}
	}
	return v, nil
}

// newComplex returns a parameter of complex numbers of which E|w|^2 = std^2.
func newComplex(shape []int, std float64, rng *rand.Rand) *autograd.Param {
	p := autograd.NewComplexParam(shape...)
	if rng != nil {
		nn.Normal(p.Tensor, 0, std/math.Sqrt2, rng)
	}
	return p
}

func (v *Conv) weightModes() []int {
	if v.Config.MaxModes != nil {
		return v.Config.stored(v.Config.MaxModes)
	}
	return v.Config.stored(v.Config.Modes)
}

// Modes returns the modes in use along each axis.
func (v *Conv) Modes() []int { return slices.Clone(v.Config.Modes) }

// SetModes changes the modes in use, between 1 and the weight's along each axis: training may begin with few modes and add more
// (George et al., arXiv 2211.15188). Config has them from then on, and in MaxModes those of the weight.
func (v *Conv) SetModes(modes ...int) error {
	limit := v.Config.MaxModes
	if limit == nil {
		limit = v.Config.Modes
	}
	if len(modes) != len(limit) {
		return fmt.Errorf("spectral: SetModes: %v for %d axes", modes, len(limit))
	}
	for i, m := range modes {
		if m < 1 || m > limit[i] {
			return fmt.Errorf("spectral: SetModes: %v; want 1 to %v", modes, limit)
		}
	}
	v.Config.Modes, v.Config.MaxModes = slices.Clone(modes), limit
	return nil
}

// OutputSize returns the grid that Forward maps the grid n to: sizes times Scale, halves rounded to even, at most 2^31-1. Without Scale it is n
// itself.
func (v *Conv) OutputSize(n []int) []int {
	if len(v.Config.Scale) == 0 {
		return n
	}
	out := slices.Clone(n)
	for i, s := range v.Config.Scale {
		for a := range out {
			if a == i || len(v.Config.Scale) == 1 {
				out[a] = int(min(math.RoundToEven(s*float64(n[a])), math.MaxInt32))
			}
		}
	}
	return out
}

// mostNumbers bounds what a change of resolution may make of one sample: 8 GiB.
const mostNumbers = 1 << 31

// OutputGrid is OutputSize with a check: it reports a Scale that leaves no points of the grid n along an axis, or makes a sample of more than
// 2^31 numbers.
func (v *Conv) OutputGrid(n ...int) ([]int, error) {
	out := v.OutputSize(n)
	numbers := float64(v.Config.Out)
	for _, size := range out {
		numbers *= float64(size)
	}
	switch {
	case len(v.Config.Scale) == 0:
	case slices.Min(out) < 1:
		return nil, fmt.Errorf("spectral: scale %v leaves no points of the grid %v", v.Config.Scale, n)
	case numbers > mostNumbers:
		return nil, fmt.Errorf("spectral: scale %v of the grid %v makes more than %d numbers of a sample", v.Config.Scale, n, mostNumbers)
	}
	return out, nil
}

// Forward returns the convolution of x.
func (v *Conv) Forward(x *autograd.Value) *autograd.Value {
	d := len(v.Config.Modes)
	if x.Rank() < 2+d {
		panic(fmt.Sprintf("spectral: Conv: shape %v has no grid of %d axes between batch and channels", x.Shape, d))
	}
	return v.ForwardTo(x, v.OutputSize(x.Shape[1:1+d])...)
}

// ForwardTo returns the convolution of x on another grid of the same domain.
func (v *Conv) ForwardTo(x *autograd.Value, size ...int) *autograd.Value {
	p, y := v.spectrum(x, size)
	var bias *autograd.Value
	if v.Bias != nil {
		bias = x.Tape().Param(v.Bias)
	}
	y = inverse(p, v.Config.Complex, y, bias)
	if v.Config.Complex {
		y = planesLast(y)
	}
	return y
}

// spectrum returns R F(x), for a result on the grid size.
func (v *Conv) spectrum(x *autograd.Value, size []int) (*plan, *autograd.Value) {
	c := &v.Config
	d := len(c.Modes)
	rank := 2 + d
	if c.Complex {
		rank++
	}
	if x.Rank() != rank || x.Shape[1+d] != c.In || c.Complex && x.Shape[rank-1] != 2 {
		numbers := ""
		if c.Complex {
			numbers = ", 2"
		}
		panic(fmt.Sprintf("spectral: Conv: shape %v; want [batch, %d axes, %d channels%s]", x.Shape, d, c.In, numbers))
	}
	if len(size) != d || slices.Min(size) < 1 {
		panic(fmt.Sprintf("spectral: Conv: output grid %v for shape %v", slices.Clone(size), x.Shape))
	}
	p := v.plan(x.Shape[1:1+d], size)
	if c.Complex {
		x = planesFirst(x)
	}
	return p, v.multiply(p, transform(p, x))
}

// multiply applies R to a spectrum.
func (v *Conv) multiply(p *plan, x *autograd.Value) *autograd.Value {
	t := x.Tape()
	if v.Weight.Core != nil {
		return v.Weight.multiply(p, x)
	}
	w := t.Param(v.Weight.Tensor)
	if v.Config.Separable {
		return gate(p.order, p.rows, x, w)
	}
	return mixRows(p.order, p.rows, len(p.kept[0].in), x, w)
}

// planesFirst orders the axes nb, n1 .. nd, nc, 2 as nb, n1 .., 2, nd, nc.
func planesFirst(x *autograd.Value) *autograd.Value { return turnLast(x, 2, 0, 1) }

// planesLast is the reverse of planesFirst.
func planesLast(x *autograd.Value) *autograd.Value { return turnLast(x, 1, 2, 0) }

// turnLast puts the last three axes of x, counted from 0, in another order.
func turnLast(x *autograd.Value, a, b, c int) *autograd.Value {
	first := x.Rank() - 3
	axes := make([]int, 0, 8)
	for i := range first {
		axes = append(axes, i)
	}
	return autograd.Permute(x, append(axes, first+a, first+b, first+c)...)
}

// planKey says what a plan depends on, beside the configuration.
type planKey struct{ in, out, modes [3]int }

// plan returns the matrices between two grids, made once and kept.
func (v *Conv) plan(in, out []int) *plan {
	var key planKey
	copy(key.in[:], in)
	copy(key.out[:], out)
	copy(key.modes[:], v.Config.Modes)
	p, _ := v.plans.Get(key, func() (*plan, error) {
		return newPlan(&v.Config, in, out, v.Config.stored(v.Config.Modes), v.weightModes()), nil
	})
	return p
}
