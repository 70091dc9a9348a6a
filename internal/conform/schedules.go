package conform

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd/optim"
)

// schedules compares tables of learning rates.
func schedules(c *testCase) (string, error) {
	var table []struct {
		Scheduler string
		Base      float64 `json:"base_lr"`
		Kwargs    json.RawMessage
		LR        []float64
	}
	if err := json.Unmarshal(c.Table, &table); err != nil || len(table) == 0 {
		return "", fmt.Errorf("case.json's table is empty or not understood: %v", err)
	}
	var tol float64
	if err := c.tolerances(map[string]*float64{"rel": &tol}); err != nil {
		return "", err
	}
	worst := 0.0
	for i, row := range table {
		s, err := schedule(row.Scheduler, row.Base, newConfig(row.Kwargs))
		if err != nil {
			return "", fmt.Errorf("row %d, %s: %w", i, row.Scheduler, err)
		}
		for step, want := range row.LR {
			e := ratio(math.Abs(s.Rate(step)-want), tol*want)
			if e > 1 {
				return "", fmt.Errorf("row %d, %s: rate %.12g at step %d, want %.12g", i, row.Scheduler, s.Rate(step), step, want)
			}
			worst = max(worst, e)
		}
	}
	return fmt.Sprintf("%d schedules within %.2g of the tolerance", len(table), worst), nil
}

// schedule returns a schedule by the reference's name for it and its arguments.
func schedule(name string, base float64, cfg *config) (s optim.Schedule, err error) {
	w := optim.Warmup{Steps: key(cfg, "warmup_iters", 5), Factor: key(cfg, "warmup_factor", 1.0/3), Constant: key(cfg, "warmup_method", "linear") == "constant"}
	switch name {
	case "WarmupCosineAnnealingWarmRestarts":
		s = optim.CosineRestarts{Base: base, Min: key(cfg, "eta_min", 0.0), First: key(cfg, "T_0", 0), Mult: key(cfg, "T_mult", 1), Warmup: w}
	case "WarmupCosineLR":
		s = optim.Cosine{Base: base, Min: key(cfg, "eta_min", 0.0), Steps: key(cfg, "T_max", 0), Warmup: w}
	case "WarmupMultiStepLR":
		s = optim.MultiStep{Base: base, Milestones: key(cfg, "milestones", []int(nil)), Gamma: key(cfg, "gamma", 0.1), Warmup: w}
	default:
		return nil, fmt.Errorf("no such scheduler")
	}
	return s, cfg.done()
}
