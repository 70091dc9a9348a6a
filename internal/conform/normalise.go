package conform

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/fwi"
)

// logMinMax runs the transforms of inputs (traces) and targets (velocities) there and back.
func logMinMax(c *testCase) (string, error) {
	cfg := newConfig(c.Config)
	factor := key(cfg, "k", 1.0)
	traces := fwi.MinMax(factor, key(cfg, "input_min", 0.0), key(cfg, "input_max", 0.0))
	velocity := fwi.MinMax(0, key(cfg, "output_min", 0.0), key(cfg, "output_max", 0.0))
	lo, hi := key(cfg, "log_min", 0.0), key(cfg, "log_max", 0.0)
	if err := cfg.done(); err != nil {
		return "", err
	}
	for want, got := range map[float64]float64{lo: traces.Shift[0] - traces.Scale[0], hi: traces.Shift[0] + traces.Scale[0]} {
		if math.Abs(got-want) > 1e-9 {
			return "", fmt.Errorf("the ends of the inputs have the logarithms %v and %v, this module finds %v", lo, hi, got)
		}
	}
	results := map[string][]float32{}
	for name, n := range map[string]fwi.Normalisation{"x": traces, "y": velocity} {
		a, err := c.input(name)
		if err != nil {
			return "", err
		}
		x, _, err := read[float32](c, a.File, a.Shape)
		if err != nil {
			return "", err
		}
		there, back := make([]float32, len(x)), make([]float32, len(x))
		n.Forward(there, x, 1)
		n.Inverse(back, there, 1)
		results[name], results[name+"_back"] = there, back
	}
	results["output"], results["y_norm"] = results["x"], results["y"]
	worst := 0.0
	for _, o := range c.Outputs {
		got, ok := results[o.Name]
		if !ok {
			return "", fmt.Errorf("this module gives no output %q", o.Name)
		}
		if n := size(o.Shape); n != len(got) {
			return "", fmt.Errorf("output %s has %d elements, want %d", o.Name, len(got), n)
		}
		e, err := c.checkOutput(o, o.Shape, func(i int) float64 { return float64(got[i]) })
		if err != nil {
			return "", err
		}
		worst = max(worst, e)
	}
	return fmt.Sprintf("outputs within %.2g of the tolerance", worst), nil
}

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
