package conform

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/spamoe/spamoe/internal/npy"
)

// tolerance is how far an output may be off. The first of Equal, Atol and RelToMax that is given counts; otherwise the two
// suggested numbers do.
type tolerance struct {
	Equal         bool
	Atol          *float64
	RelToMax      *float64 `json:"rel_to_max"`
	SuggestedAtol *float64 `json:"suggest_atol_vs_f64"`
	SuggestedRtol float64  `json:"suggest_rtol"`
}

// checkOutput compares one output with the reference and returns the worst error in units of the tolerance.
func (c *testCase) checkOutput(o array, shape []int, got func(i int) float64) (float64, error) {
	var tol tolerance
	text, ok := c.Tolerance[o.Name]
	if !ok {
		return 0, fmt.Errorf("case.json has no tolerance for output %s", o.Name)
	}
	if err := json.Unmarshal(text, &tol); err != nil {
		return 0, fmt.Errorf("tolerance of %s: %w", o.Name, err)
	}
	file := beside(o.File, "output", "output64")
	if tol.Equal || !c.has(file) {
		file = o.File
	}
	want, size, err := npy.Read[float64](c.path(file))
	if err != nil {
		return 0, err
	}
	if !slices.Equal(shape, size) {
		return 0, fmt.Errorf("output %s has shape %v, want %v", o.Name, shape, size)
	}
	if c.bf16 && !tol.Equal {
		return outputDeviation(o.Name, want, got)
	}
	largest := maxAbs(want)
	allowed := func(w float64) float64 { return 0 }
	switch {
	case tol.Equal:
	case tol.Atol != nil:
		allowed = func(float64) float64 { return *tol.Atol }
	case tol.RelToMax != nil:
		allowed = func(float64) float64 { return *tol.RelToMax * largest }
	case tol.SuggestedAtol != nil:
		allowed = func(w float64) float64 { return *tol.SuggestedAtol + tol.SuggestedRtol*math.Abs(w) }
	default:
		return 0, fmt.Errorf("case.json's tolerance for output %s has none of equal, atol, rel_to_max and suggest_atol_vs_f64", o.Name)
	}
	worst, at := 0.0, -1
	for i, w := range want {
		if e := ratio(math.Abs(got(i)-w), allowed(w)); e > worst {
			worst, at = e, i
		}
	}
	if worst > 1 {
		return worst, fmt.Errorf("output %s, element %d: %.9g, want %.9g within %.3g", o.Name, at, got(at), want[at], allowed(want[at]))
	}
	return worst, nil
}

// tolerances reads numbers that a case states beside those of its outputs.
func (c *testCase) tolerances(want map[string]*float64) error {
	for name, dst := range want {
		if err := json.Unmarshal(c.Tolerance[name], dst); err != nil {
			return fmt.Errorf("case.json has no tolerance %s", name)
		}
	}
	return nil
}

// ratio is the error in units of what is allowed. A result that is not a number is infinitely wrong.
func ratio(err, allowed float64) float64 {
	switch {
	case math.IsNaN(err):
		return math.Inf(1)
	case err == 0:
		return 0
	}
	return err / allowed
}

func maxAbs[T float32 | float64](x []T) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}

// gradient is one tensor's gradient and the reference's; got is nil where there is none, which counts as zeros.
type gradient struct {
	name      string
	got, want []float32
}

// checkGradients compares all gradients of a case and returns the worst error in units of the tolerance.
func (c *testCase) checkGradients(list []gradient) (float64, error) {
	var tol struct {
		Floored *float64 `json:"suggest_rel_tol_floored"`
	}
	if err := json.Unmarshal(c.Tolerance["grad"], &tol); err != nil || tol.Floored == nil {
		return 0, fmt.Errorf("case.json has no tolerance for gradients")
	}
	largest := 0.0
	for _, g := range list {
		largest = max(largest, maxAbs(g.want))
	}
	worst := 0.0
	for _, g := range list {
		if g.got != nil && len(g.got) != len(g.want) {
			return 0, fmt.Errorf("gradient of %s has %d elements, want %d", g.name, len(g.got), len(g.want))
		}
		allowed := *tol.Floored * max(maxAbs(g.want), 0.01*largest)
		for i, w := range g.want {
			v := float32(0)
			if g.got != nil {
				v = g.got[i]
			}
			e := ratio(math.Abs(float64(v)-float64(w)), allowed)
			if e > 1 {
				return e, fmt.Errorf("gradient of %s, element %d: %.9g, want %.9g within %.3g", g.name, i, v, w, allowed)
			}
			worst = max(worst, e)
		}
	}
	return worst, nil
}
