package optim_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/golden"
)

func ExampleCosineRestarts() {
	s := optim.CosineRestarts{Base: 1e-4, Min: 1e-6, First: 10, Mult: 2, Warmup: optim.Warmup{Steps: 5}}
	for _, step := range []int{0, 4, 5, 10, 14, 15} {
		fmt.Printf("%d %.3g\n", step, s.Rate(step))
	}
	// Output:
	// 0 3.33e-05
	// 4 8.67e-05
	// 5 0.0001
	// 10 5.05e-05
	// 14 3.42e-06
	// 15 0.0001
}

func TestSchedulesGolden(t *testing.T) {
	var file struct {
		Table []struct {
			Scheduler string
			Base      float64 `json:"base_lr"`
			LR        []float64
			Kwargs    struct {
				T0     int     `json:"T_0"`
				Mult   int     `json:"T_mult"`
				TMax   int     `json:"T_max"`
				Min    float64 `json:"eta_min"`
				Factor float64 `json:"warmup_factor"`
				Steps  int     `json:"warmup_iters"`
				Method string  `json:"warmup_method"`
				Gamma  float64
				Stones []int `json:"milestones"`
			}
		}
		Tolerance struct{ Rel float64 }
	}
	golden.Load(t, "lr_schedules").Decode(&file)
	require.Len(t, file.Table, 5)
	for i, row := range file.Table {
		k := row.Kwargs
		w := optim.Warmup{Steps: k.Steps, Factor: k.Factor, Constant: k.Method == "constant"}
		s := map[string]optim.Schedule{
			"WarmupCosineAnnealingWarmRestarts": optim.CosineRestarts{Base: row.Base, Min: k.Min, First: k.T0, Mult: k.Mult, Warmup: w},
			"WarmupCosineLR":                    optim.Cosine{Base: row.Base, Min: k.Min, Steps: k.TMax, Warmup: w},
			"WarmupMultiStepLR":                 optim.MultiStep{Base: row.Base, Milestones: k.Stones, Gamma: k.Gamma, Warmup: w},
		}[row.Scheduler]
		require.NotNil(t, s, row.Scheduler)
		require.NoError(t, s.(interface{ Validate() error }).Validate())
		for step, want := range row.LR {
			require.InEpsilon(t, want, s.Rate(step), file.Tolerance.Rel, "row %d, %s, step %d", i, row.Scheduler, step)
		}
	}
}

func TestSchedulesAreContinuousWhereTheyShouldBe(t *testing.T) {
	w := optim.Warmup{Steps: 10, Factor: 0.1}
	require.Equal(t, 3.0, optim.Constant{Base: 3, Warmup: w}.Rate(10))
	require.InDelta(t, 0.3, optim.Constant{Base: 3, Warmup: w}.Rate(0), 1e-15)
	c := optim.Cosine{Base: 3, Min: 1, Steps: 20, Warmup: w}
	require.Equal(t, 3.0, c.Rate(10))
	require.InDelta(t, 1, c.Rate(30), 1e-15)
	require.Equal(t, c.Rate(30), c.Rate(1000), "it stays at the least rate")
	for step := range 60 {
		require.LessOrEqual(t, math.Abs(c.Rate(step+1)-c.Rate(step)), 0.3, "step %d", step)
	}
	m := optim.MultiStep{Base: 3, Milestones: []int{4, 4, 8}}
	require.Equal(t, 3.0, m.Rate(3))
	require.InEpsilon(t, 0.03, m.Rate(4), 1e-12, "two milestones at one step count twice")
	require.InEpsilon(t, 0.003, m.Rate(8), 1e-12)
}

func TestSchedulesRefuseNonsense(t *testing.T) {
	for want, s := range map[string]interface{ Validate() error }{
		"optim: a learning rate of 0; want a finite one, more than 0":        optim.Constant{},
		"optim: a learning rate of NaN; want a finite one, more than 0":      optim.Constant{Base: math.NaN()},
		"optim: a learning rate of +Inf; want a finite one, more than 0":     optim.Constant{Base: math.Inf(1)},
		"optim: a least learning rate of +Inf; want a finite one, 0 or more": optim.Cosine{Base: 1, Min: math.Inf(1), Steps: 3},
		"optim: a warm-up of -1 steps; want 0 or more":                       optim.Constant{Base: 1, Warmup: optim.Warmup{Steps: -1}},
		"optim: a warm-up factor of -1; want 0 (for 1/3) or more":            optim.Constant{Base: 1, Warmup: optim.Warmup{Factor: -1}},
		"optim: a cosine over 0 steps; want at least 1":                      optim.Cosine{Base: 1},
		"optim: a least learning rate of -1; want a finite one, 0 or more":   optim.Cosine{Base: 1, Min: -1, Steps: 3},
		"optim: a first cycle of 0 steps; want at least 1":                   optim.CosineRestarts{Base: 1},
		"optim: cycles that grow by a factor of -2; want 0 (for 1) or more":  optim.CosineRestarts{Base: 1, First: 3, Mult: -2},
		"optim: milestones [3 1]; want them in ascending order":              optim.MultiStep{Base: 1, Milestones: []int{3, 1}},
		"optim: a factor of -1 at milestones; want 0 (for 0.1) or more":      optim.MultiStep{Base: 1, Gamma: -1},
		"optim: a weight decay of -1; want 0 or more":                        optim.Config{Decay: -1},
		"optim: beta1 is 1; want 0 <= beta1 < 1":                             optim.Config{Beta1: 1},
		"optim: beta2 is NaN; want 0 <= beta2 < 1":                           optim.Config{Beta2: math.NaN()},
		"optim: eps is -1; want 0 (for 1e-8) or more":                        optim.Config{Eps: -1},
	} {
		require.EqualError(t, s.Validate(), want)
	}
	require.NoError(t, optim.Config{}.Validate())
}

func TestSchedulesWithoutALengthPanic(t *testing.T) {
	for want, s := range map[string]optim.Schedule{
		"optim: a cosine over 0 steps; want at least 1":     optim.Cosine{Base: 1e-3},
		"optim: a cosine over -1 steps; want at least 1":    optim.Cosine{Base: 1e-3, Steps: -1},
		"optim: a first cycle of 0 steps; want at least 1":  optim.CosineRestarts{Base: 1e-3},
		"optim: a first cycle of -2 steps; want at least 1": optim.CosineRestarts{Base: 1e-3, First: -2, Mult: 2},
	} {
		require.PanicsWithValue(t, want, func() { s.Rate(3) })
	}
}

func TestSchedulesBeginAtStep0(t *testing.T) {
	for _, s := range []optim.Schedule{
		optim.Constant{Base: 1}, optim.Cosine{Base: 1, Steps: 10}, optim.CosineRestarts{Base: 1, First: 3, Mult: 2},
		optim.MultiStep{Base: 1, Warmup: optim.Warmup{Steps: 2}},
	} {
		require.PanicsWithValue(t, "optim: the learning rate of step -1; want a step of 0 or more", func() { s.Rate(-1) }, "%T", s)
	}
}
