package conform

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/lno"
)

func init() {
	runners["finite_difference_conv"] = differentiable(differential)
	runners["disco_conv2d"] = differentiable(integral)
	runners["disco_psi"] = basisTable
	runners["local_no"] = differentiable(localOperator)
}

// channelsLast returns a network of a layer that takes channels last; the cases have them first.
func channelsLast(model any, forward func(x *value) *value) *network {
	n := op(func(in []*value) *value { return autograd.ChannelsFirst(forward(autograd.ChannelsLast(in[0]))) })
	n.model = model
	return n
}

func differential(c *testCase, cfg *config) (*network, error) {
	set := lno.DifferentialConfig{In: key(cfg, "in_channels", 0), Out: key(cfg, "out_channels", 0), Dim: key(cfg, "n_dim", 0),
		Kernel: key(cfg, "kernel_size", 3), Groups: key(cfg, "groups", 1), Padding: key(cfg, "padding", lno.Periodic)}
	width := key(cfg, "grid_width", 1.0)
	if err := cfg.done(); err != nil {
		return nil, err
	}
	l, err := lno.NewDifferential(set, nil)
	if err != nil {
		return nil, err
	}
	return channelsLast(l, func(x *value) *value { return l.Forward(x, width) }), nil
}

// psiFile has the samples of basis functions that the reference computed, rounding noise included.
const psiFile = "psi_local_filter_matrix.npy"

// psi reads psiFile; nil where the case has none.
func (c *testCase) psi() ([][][]float32, error) {
	if !c.has(psiFile) {
		return nil, nil
	}
	data, shape, err := npy.Read[float32](c.path(psiFile))
	if err != nil {
		return nil, err
	}
	if len(shape) != 3 || len(data) == 0 {
		return nil, fmt.Errorf("%s has shape %v, want functions and two axes", psiFile, shape)
	}
	var table [][][]float32
	for f := range slices.Chunk(data, shape[1]*shape[2]) {
		table = append(table, slices.Collect(slices.Chunk(f, shape[2])))
	}
	return table, nil
}

func integral(c *testCase, cfg *config) (*network, error) {
	var ref reference.Integral
	if cfg.into(&ref); cfg.err != nil {
		return nil, cfg.err
	}
	table, err := c.psi()
	if err != nil {
		return nil, err
	}
	set, err := ref.Config(table)
	if err != nil {
		return nil, err
	}
	l, err := lno.NewIntegral(set, nil)
	if err != nil {
		return nil, err
	}
	s, err := l.Samples(set.Grid[0], set.Grid[1])
	if err != nil {
		return nil, err
	}
	if s.Shape[1] != ref.Width || s.Shape[2] != ref.Height {
		return nil, fmt.Errorf("a kernel of %v points, the config says %d x %d", s.Shape[1:], ref.Width, ref.Height)
	}
	d := l.Config.Domain
	if q := d[0] * d[1] / float64(set.Grid[0]*set.Grid[1]); math.Abs(q-ref.Weight) > 1e-12*q {
		return nil, fmt.Errorf("a quadrature weight of %g, the config says %g", q, ref.Weight)
	}
	return channelsLast(l, l.Forward), nil
}

func localOperator(c *testCase, cfg *config) (*network, error) {
	table, err := c.psi()
	if err != nil {
		return nil, err
	}
	set, err := reference.LocalNO(cfg.rest(), table)
	if err != nil {
		return nil, err
	}
	model, err := lno.New(set, nil)
	if err != nil {
		return nil, err
	}
	n := op(func(in []*value) *value { return model.Forward(in[0]) })
	n.model = model
	return n, nil
}

// basisTable compares samples of piecewise linear bases at the reference's default radius, by grid and shape.
func basisTable(c *testCase) (string, error) {
	cfg := newConfig(c.Config)
	for name := range cfg.raw {
		cfg.asked[name] = cfg.asked[name] || tableName.MatchString(name)
	}
	if err := cfg.done(); err != nil {
		return "", err
	}
	file, err := checkpoint.Read(c.path("psi64.safetensors"))
	if err != nil {
		return "", err
	}
	var tol float64
	if err := c.tolerances(map[string]*float64{"rel_to_max": &tol}); err != nil {
		return "", err
	}
	worst, tables := 0.0, 0
	for name := range cfg.raw {
		if name == "note" {
			continue
		}
		tables++
		var size struct {
			H, W int
			Q    float64
		}
		cfg.get(name, &size)
		want, ok := file.Tensor("psi64_" + name)
		if !ok || len(want.Shape) != 3 {
			return "", fmt.Errorf("psi64.safetensors has no table psi64_%s", name)
		}
		got, err := referenceSamples(name)
		if err != nil {
			return "", err
		}
		if !slices.Equal(want.Shape, []int{got.Shape[0], size.H, size.W}) || got.Shape[1] != size.W || got.Shape[2] != size.H {
			return "", fmt.Errorf("%s: samples of shape %v, want %v", name, got.Shape, want.Shape)
		}
		// The kernel has the functions turned over, and times the quadrature weight.
		psi := make([]float64, len(got.Data))
		for i := range psi {
			psi[i] = float64(got.At(i/(size.H*size.W), size.W-1-i%size.W, size.H-1-i/size.W%size.H)) / size.Q
		}
		e, err := compareSamples(psi, want.Float64(), tol)
		if err != nil {
			return "", fmt.Errorf("%s, %w", name, err)
		}
		worst = max(worst, e)
	}
	if tables == 0 && cfg.err == nil {
		cfg.err = fmt.Errorf("the config lists no tables")
	}
	return fmt.Sprintf("%d tables within %.2g of the tolerance", tables, worst), cfg.err
}

// tableName is a grid and the shape of a basis.
var tableName = regexp.MustCompile(`^n(\d+)_k(\d+)x(\d+)$`)

// referenceSamples takes "n16_k2x4" for a grid of 16 x 16 points and a basis of shape {2, 4}.
func referenceSamples(name string) (*autograd.Tensor, error) {
	m := tableName.FindStringSubmatch(name)
	var v [3]int
	for i := range v {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return nil, fmt.Errorf("config key %q: %w", name, err)
		}
		v[i] = n
	}
	l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{v[0], v[0]}, Basis: lno.Basis{Shape: v[1:]},
		Defects: lno.ReferenceIntegralDefects()}, nil)
	if err != nil {
		return nil, err
	}
	return l.Samples(v[0], v[0])
}

// compareSamples returns the worst error in units of the tolerance, which is relative to the largest sample; smaller ones count as zero.
func compareSamples(got, want []float64, tol float64) (float64, error) {
	allowed := tol * maxAbs(want)
	floored := func(x float64) float64 {
		if math.Abs(x) < allowed {
			return 0
		}
		return x
	}
	worst := 0.0
	for i := range want {
		e := ratio(math.Abs(floored(got[i])-floored(want[i])), allowed)
		if e > 1 {
			return e, fmt.Errorf("sample %d: %.9g, want %.9g within %.3g", i, got[i], want[i], allowed)
		}
		worst = max(worst, e)
	}
	return worst, nil
}
