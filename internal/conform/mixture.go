package conform

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/moe"
)

func init() {
	runners["band_masks"] = bandMasks
	runners["spectral_router"] = differentiable(router)
	runners["adaptive_freq_moe"] = differentiable(mixture)
}

// router gives what every expert gets of the whole batch, stacked, and how it chose.
func router(c *testCase, cfg *config) (*network, error) {
	set, err := reference.Router(cfg.rest())
	if err != nil {
		return nil, err
	}
	r, err := moe.NewRouter(set, nil)
	if err != nil {
		return nil, err
	}
	var route *moe.Route
	n := &network{model: r, forward: func(in []*value) (values, error) {
		route = r.Route(in[0])
		var inputs []*value
		for e := range set.Experts {
			x := route.Input(e)
			inputs = append(inputs, autograd.Reshape(x, append([]int{1}, x.Shape...)...))
		}
		out := values{"output": autograd.Concat(0, inputs...), "topk_weights": route.Weights}
		if route.Balance != nil {
			out["aux_loss"] = route.Balance
		}
		return out, nil
	}}
	n.arrays = func(name string) (shape []int, data []float64, ok bool) {
		for _, chosen := range route.Experts {
			for _, e := range chosen {
				data = append(data, float64(e))
			}
		}
		return slices.Clone(route.Weights.Shape), data, name == "topk_indices"
	}
	return n, nil
}

// mixture is a router with its experts.
func mixture(c *testCase, cfg *config) (*network, error) {
	table, err := c.expertsPsi()
	if err != nil {
		return nil, err
	}
	m, err := reference.Mixture(cfg.rest(), table)
	if err != nil {
		return nil, err
	}
	return &network{model: m, forward: func(in []*value) (values, error) {
		route := m.Router.Route(in[0])
		out := values{"output": m.Apply(route)}
		if route.Balance != nil {
			out["aux_loss"] = route.Balance
		}
		return out, nil
	}}, nil
}

// expertsPsi reads the samples of basis functions that the case's experts used. They follow from the configuration of the experts, so
// a case without that file takes it from one beside it with the same experts.
func (c *testCase) expertsPsi() ([][][]float32, error) {
	if c.has(psiFile) {
		return c.psi()
	}
	folders, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Clean(c.dir)), "*", psiFile))
	if err != nil {
		return nil, err
	}
	own := key(newConfig(c.Config), "experts", []any(nil))
	for _, f := range folders {
		other, err := readCase(filepath.Dir(f))
		if err != nil {
			return nil, err
		}
		if other.Op == c.Op && reflect.DeepEqual(key(newConfig(other.Config), "experts", []any(nil)), own) {
			return other.psi()
		}
	}
	return nil, nil
}

// bandMasks compares radii and masks; those of the case have the constant mode in the middle.
func bandMasks(c *testCase) (string, error) {
	cfg := newConfig(c.Config)
	ny, nx, bands, sharpness := key(cfg, "H", 0), key(cfg, "W", 0), key(cfg, "num_bands", 3), key(cfg, "sharpness", 20.0)
	if err := cfg.done(); err != nil {
		return "", err
	}
	set := moe.Reference(1, 1)
	set.Experts, set.BandSharpness = bands, sharpness
	r, err := moe.NewRouter(set, nil)
	if err != nil {
		return "", err
	}
	soft := r.Bands()
	hard := soft
	hard.Hard = true
	found := map[string]*autograd.Tensor{"output": soft.Masks(ny, nx), "hard": hard.Masks(ny, nx), "radius": soft.Radius(ny, nx)}
	worst := 0.0
	for _, o := range c.Outputs {
		x, ok := found[o.Name]
		if !ok {
			return "", fmt.Errorf("this module gives no output %q", o.Name)
		}
		e, err := c.checkOutput(o, x.Shape, func(i int) float64 {
			// Point i of the shifted plane is the bin (row - ny/2, column - nx/2).
			y, col := i/nx%ny+ny-ny/2, i%nx+nx-nx/2
			return float64(x.Data[i/(ny*nx)*ny*nx+y%ny*nx+col%nx])
		})
		if err != nil {
			return "", err
		}
		worst = max(worst, e)
	}
	return fmt.Sprintf("outputs within %.2g of the tolerance", worst), nil
}
