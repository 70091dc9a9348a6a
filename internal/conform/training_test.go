package conform

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/testdata"
)

func TestObjectiveOf(t *testing.T) {
	o, detached, err := objectiveOf("0.6 L1+0.4 MSE+0.15 Sobel+0.10 FourierMag + 0.01*aux.detach() (aux NEVER gets gradient)")
	require.NoError(t, err)
	require.True(t, detached)
	require.Equal(t, fwi.DefaultObjective(), o)
	o, detached, err = objectiveOf("1 MSE + 0.5*aux")
	require.NoError(t, err)
	require.False(t, detached)
	require.Equal(t, fwi.Objective{MSE: 1, LoadBalance: 0.5}, o)
	for text, want := range map[string]string{
		"1 L1 + 2 L3":       `term " 2 L3" is not understood`,
		"1 L1 - 1 MSE":      "is not understood",
		"1 L1 + 1 L1":       "is not understood",
		"1 L1.detach()":     "is not understood",
		"0.1.2 L1":          "invalid syntax",
		"0.5*aux":           "all weights of the data are zero",
		"1 L1+(1 MSE) note": "is not understood",
	} {
		_, _, err := objectiveOf(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 4, 8, 16}
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.3: 2.4, 0.5: 4, 1: 16} {
		require.InDelta(t, want, quantile(x, q), 1e-12)
	}
	require.True(t, math.IsNaN(quantile([]float64{math.NaN(), 1}, 1)))
}

// altered runs a golden case whose case.json is changed.
func altered(t *testing.T, name string, change func(text map[string]any)) Result {
	from, to := filepath.Join(testdata.Shared(t, "golden"), name), t.TempDir()
	files, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, f := range files {
		if f.Name() != "case.json" {
			abs, err := filepath.Abs(filepath.Join(from, f.Name()))
			require.NoError(t, err)
			require.NoError(t, os.Symlink(abs, filepath.Join(to, f.Name())))
		}
	}
	b, err := os.ReadFile(filepath.Join(from, "case.json"))
	require.NoError(t, err)
	var text map[string]any
	require.NoError(t, json.Unmarshal(b, &text))
	change(text)
	b, err = json.Marshal(text)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(to, "case.json"), b, 0o644))
	return Run(to, Options{})
}

func TestTrainingFindsMistakes(t *testing.T) {
	part := func(text map[string]any, keys ...string) map[string]any {
		for _, k := range keys {
			text = text[k].(map[string]any)
		}
		return text
	}
	for name, c := range map[string]struct {
		change func(text map[string]any)
		want   string
	}{
		"unchanged": {func(map[string]any) {}, ""},
		"rate":      {func(x map[string]any) { part(x, "config", "optimizer")["lr"] = 2e-3 }, "step 0: rate 0.000666"},
		"warm-up":   {func(x map[string]any) { part(x, "config", "scheduler")["warmup_iters"] = 1 }, "step 1: rate 0.001"},
		"decay":     {func(x map[string]any) { part(x, "config", "optimizer")["weight_decay"] = 0.1 }, "after step 1 the quantile 0.99"},
		"betas":     {func(x map[string]any) { part(x, "config", "optimizer")["betas"] = []float64{0.8, 0.999} }, "after step 3"},
		"eps":       {func(x map[string]any) { part(x, "config")["eps"] = 1e-3 }, "after step 1"},
		"loss":      {func(x map[string]any) { part(x, "config")["loss"] = "0.6 L1+0.4 MSE" }, "step 0: rate 0.000333333333, loss"},
		"attached": {func(x map[string]any) {
			part(x, "config")["loss"] = "0.6 L1+0.4 MSE+0.15 Sobel+0.10 FourierMag + 0.01*aux"
		}, "want step 2"},
		"balance":       {func(x map[string]any) { part(x, "config")["router_alpha"] = 0.2 }, "balance 0.0049"},
		"top k":         {func(x map[string]any) { part(x, "config")["top_k"] = 1 }, "step 0"},
		"width":         {func(x map[string]any) { part(x, "config")["hidden"] = 8 }, "does not fit the model"},
		"key":           {func(x map[string]any) { part(x, "config")["dropout"] = 0.1 }, `unknown field "dropout"`},
		"scheduler key": {func(x map[string]any) { part(x, "config", "scheduler")["T_up"] = 1 }, `scheduler: config keys ["T_up"]`},
		"optimizer key": {func(x map[string]any) { part(x, "config", "optimizer")["amsgrad"] = true }, `optimizer: config keys ["amsgrad"]`},
		"no log":        {func(x map[string]any) { delete(x, "log_f64") }, "0 lines in log_f64"},
		"short log":     {func(x map[string]any) { x["log_f64"] = x["log_f64"].([]any)[:4] }, "parameters after steps [1 3 6], the log has 4 steps"},
	} {
		r := altered(t, "emo_train_steps", c.change)
		if c.want == "" {
			require.Equal(t, Passed, r.Status, r.Detail)
			continue
		}
		require.Equal(t, Failed, r.Status, "%s: %s", name, r.Detail)
		require.Contains(t, r.Detail, c.want, name)
	}
}

func TestSPAMoEFindsMistakes(t *testing.T) {
	r := altered(t, "emo_tiny", func(x map[string]any) { x["config"].(map[string]any)["band_sharpness"] = 5 })
	require.Equal(t, Failed, r.Status, r.Detail)
	require.Contains(t, r.Detail, "output output")
}
