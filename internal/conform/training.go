package conform

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fwi"
)

// trainingRun is how a case trains.
type trainingRun struct {
	optimiser optim.Config
	rates     optim.Schedule
	objective fwi.Objective
	detached  bool // the load-balancing loss has no gradient
}

// readTraining reads the keys of a config that say how to train.
func readTraining(cfg *config) (*trainingRun, error) {
	adamW, rates := newConfig(key(cfg, "optimizer", json.RawMessage("{}"))), newConfig(key(cfg, "scheduler", json.RawMessage("{}")))
	betas := key(adamW, "betas", [2]float64{0.9, 0.999})
	run := &trainingRun{optimiser: optim.Config{Beta1: betas[0], Beta2: betas[1], Eps: key(adamW, "eps", key(cfg, "eps", 1e-8)), Decay: key(adamW, "weight_decay", 0.01)}}
	base := key(adamW, "lr", 1e-3)
	if err := adamW.done(); err != nil {
		return nil, fmt.Errorf("optimizer: %w", err)
	}
	if err := run.optimiser.Validate(); err != nil || run.optimiser.Beta1 == 0 || run.optimiser.Beta2 == 0 || run.optimiser.Eps == 0 {
		return nil, fmt.Errorf("optimizer: betas %v, eps %v; want positive numbers, betas below 1", betas, run.optimiser.Eps)
	}
	var err error
	if run.rates, err = schedule(key(rates, "name", "WarmupCosineAnnealingWarmRestarts"), base, rates); err != nil {
		return nil, fmt.Errorf("scheduler: %w", err)
	}
	run.objective, run.detached, err = objectiveOf(key(cfg, "loss", "0.6 L1+0.4 MSE+0.15 Sobel+0.10 FourierMag+0.01*aux.detach()"))
	return run, err
}

// objectiveOf reads a loss like "0.6 L1+0.4 MSE+0.15 Sobel+0.10 FourierMag + 0.01*aux.detach() (a remark)".
func objectiveOf(text string) (o fwi.Objective, detached bool, err error) {
	terms := map[string]*float64{"L1": &o.L1, "MSE": &o.MSE, "Sobel": &o.Gradient, "FourierMag": &o.Fourier, "aux": &o.LoadBalance}
	formula := regexp.MustCompile(` +\([^()]*\)$`).ReplaceAllString(text, "")
	for _, term := range strings.Split(formula, "+") {
		m := regexp.MustCompile(`^ *([\d.]+)[ *](\w+)(\.detach\(\))? *$`).FindStringSubmatch(term)
		if m == nil || terms[m[2]] == nil || m[3] != "" && m[2] != "aux" {
			return o, false, fmt.Errorf("loss %q: term %q is not understood", text, term)
		}
		if *terms[m[2]], err = strconv.ParseFloat(m[1], 64); err != nil {
			return o, false, fmt.Errorf("loss %q: %w", text, err)
		}
		delete(terms, m[2]) // a second time it is not known
		detached = detached || m[3] != ""
	}
	return o, detached, o.Validate()
}

// logLine is what the reference found in one step of training.
type logLine struct {
	Step int
	Rate float64 `json:"lr_used"`
	Loss float64
	Aux  float64
}

func (l logLine) String() string {
	return fmt.Sprintf("step %d: rate %.9g, loss %.9g, balance %.9g", l.Step, l.Rate, l.Loss, l.Aux)
}

// limits are how far parameters may be off after some step: percentiles over all of them.
type limits struct{ P99, P9999, Max float64 }

// spamoeTraining trains as the reference did, on one batch, and compares rate, losses and parameters on the way.
func spamoeTraining(c *testCase) (string, error) {
	cfg := newConfig(c.Config)
	run, err := readTraining(cfg)
	if err != nil {
		return "", err
	}
	model, err := c.newSPAMoE(cfg, func(set *fwi.SPAMoEConfig) { set.Mixture.Defects.DetachedBalance = run.detached })
	if err != nil {
		return "", err
	}
	if err := cfg.done(); err != nil {
		return "", err
	}
	if err := c.load(model, ""); err != nil {
		return "", err
	}
	if len(c.Log) == 0 || len(c.Inputs) != 2 {
		return "", fmt.Errorf("case.json has %d lines in log_f64 and %d inputs; want a line for each step, and input and target", len(c.Log), len(c.Inputs))
	}
	var pair [2]*autograd.Tensor
	for i, a := range c.Inputs {
		if pair[i], err = c.readInput(a, ""); err != nil {
			return "", err
		}
	}
	var relLoss, relAux float64
	if err := c.tolerances(map[string]*float64{"loss_rel": &relLoss, "aux_rel": &relAux}); err != nil {
		return "", err
	}
	after := map[int]limits{}
	if err := json.Unmarshal(c.Tolerance["params_after_step"], &after); err != nil || len(after) == 0 {
		return "", fmt.Errorf("case.json has no tolerance params_after_step")
	}
	adamW := optim.NewAdamW(model, run.optimiser)
	tape := &autograd.Tape{Train: true, Rand: rand.New(rand.NewPCG(1, 2))}
	worst, compared := 0.0, 0
	for k, want := range c.Log {
		tape.Reset()
		out := model.ForwardWith(tape.Const(pair[0]), false)
		aux := balanceOf(out, tape)
		l := run.objective.Loss(out.Map, tape.Const(pair[1]))
		l = autograd.Add(l, autograd.Scale(aux, float32(run.objective.LoadBalance)))
		got := logLine{k, run.rates.Rate(k), float64(l.Data[0]), float64(aux.Data[0])}
		const sameRate = 1e-9
		e := max(ratio(math.Abs(got.Rate-want.Rate), sameRate*want.Rate), ratio(math.Abs(got.Loss-want.Loss), relLoss*math.Abs(want.Loss)),
			ratio(math.Abs(got.Aux-want.Aux), relAux*math.Abs(want.Aux)))
		if got.Step != want.Step || e > 1 {
			return "", fmt.Errorf("%v; want %v", got, want)
		}
		worst = max(worst, e)
		adamW.Step(got.Rate, l.Backward())
		if limit, ok := after[k+1]; ok {
			e, err := c.checkParams(model, k+1, limit)
			if err != nil {
				return "", err
			}
			worst = max(worst, e)
			compared++
		}
	}
	if compared < len(after) {
		return "", fmt.Errorf("the tolerance has parameters after steps %v, the log has %d steps", slices.Sorted(maps.Keys(after)), len(c.Log))
	}
	return fmt.Sprintf("%d steps, parameters after %d of them, within %.2g of the tolerance", len(c.Log), compared, worst), nil
}

// checkParams compares all parameters with those that the reference had after some step.
func (c *testCase) checkParams(model any, step int, limit limits) (float64, error) {
	name := fmt.Sprintf("params_after_step%d.safetensors", step)
	file, err := checkpoint.Read(c.path(name))
	if err != nil {
		return 0, err
	}
	var diff []float64
	known := 0
	for p, x := range autograd.Params(model) {
		want, ok := file.Tensor(p)
		if !ok {
			return 0, fmt.Errorf("%s has no %s", name, p)
		}
		if !slices.Equal(want.Shape, x.Shape) {
			return 0, fmt.Errorf("%s has %s of shape %v, the model of %v", name, p, want.Shape, x.Shape)
		}
		for i, w := range want.Float64() {
			diff = append(diff, math.Abs(float64(x.Data[i])-w))
		}
		known++
	}
	if n := len(file.Names()); n != known {
		return 0, fmt.Errorf("%s has %d tensors, the model %d parameters", name, n, known)
	}
	slices.Sort(diff)
	worst := 0.0
	for _, q := range []struct{ rank, limit float64 }{{0.99, limit.P99}, {0.9999, limit.P9999}, {1, limit.Max}} {
		d := quantile(diff, q.rank)
		e := ratio(d, q.limit)
		if e > 1 {
			return e, fmt.Errorf("after step %d the quantile %v of the differences of parameters is %.3g, want at most %.3g", step, q.rank, d, q.limit)
		}
		worst = max(worst, e)
	}
	return worst, nil
}

// quantile returns the quantile q of sorted numbers, on the line between the two nearest ones. It is NaN where one of them is.
func quantile(sorted []float64, q float64) float64 {
	if math.IsNaN(sorted[0]) { // they sort first
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}
