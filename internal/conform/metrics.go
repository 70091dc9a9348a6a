package conform

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/fwi/metrics"
)

// measures compares the metrics of velocity maps with the values in a case's config, and those of single samples with its files.
func measures(c *testCase) (string, error) {
	cfg := newConfig(c.Config)
	order, values := key(cfg, "order", []string(nil)), key(cfg, "values", map[string]float64(nil))
	bands := key(cfg, "freq_band_metrics", map[string]struct {
		RelativeL2 float64    `json:"rel_l2"`
		MAE        float64    `json:"mae"`
		Pred       float64    `json:"pred_energy_ratio"`
		Target     float64    `json:"tgt_energy_ratio"`
		Range      [2]float64 `json:"band_range"`
	}(nil))
	openFWI := key(cfg, "openfwi_pytorch_ssim", math.NaN())
	first := key(cfg, "spectral_accumulator_sample0", map[string]float64(nil))
	if err := cfg.done(); err != nil {
		return "", err
	}
	for _, o := range c.Outputs {
		if o.Name != "output" && o.Name != "ssim_per_sample" && o.Name != "output_f64ref" {
			return "", fmt.Errorf("this module gives no output %q", o.Name)
		}
	}
	pred, target, size, err := c.maps()
	if err != nil {
		return "", err
	}
	ny, nx := size[len(size)-2], size[len(size)-1]
	var tol struct{ rel, psnr float64 }
	if err := c.tolerances(map[string]*float64{"rel": &tol.rel, "psnr_abs": &tol.psnr}); err != nil {
		return "", err
	}
	worst := 0.0
	check := func(name string, got, want, allowed float64) {
		e := ratio(math.Abs(got-want), allowed)
		if e > 1 && err == nil {
			err = fmt.Errorf("%s is %.9g, want %.9g", name, got, want)
		}
		worst = max(worst, e)
	}
	near := func(name string, got, want float64) { check(name, got, want, tol.rel*math.Abs(want)) }

	a := metrics.New(ny, nx, metrics.Config{ReferenceRadius: true})
	one := metrics.New(ny, nx, metrics.Config{ReferenceRadius: true})
	if err := a.Add(pred, target); err != nil {
		return "", err
	}
	if err := one.Add(pred[:ny*nx], target[:ny*nx]); err != nil {
		return "", err
	}
	r := a.Result()
	found := map[string]float64{"loss": r.MSE, "mae": r.MAE, "mse": r.MSE, "rmse": r.RMSE, "psnr": r.PSNR, "ssim": r.SSIM,
		"relative_l2": r.RelativeL2, "openfwi_ssim": r.SSIM}
	for name, want := range values {
		got, ok := found[name]
		switch {
		case !ok:
			return "", fmt.Errorf("config has a value of %q, which this module does not measure", name)
		case name == "psnr":
			check(name, got, want, tol.psnr)
		default:
			near(name, got, want)
		}
	}
	near("openfwi_ssim", r.SSIM, openFWI)
	for _, file := range []string{"output.npy", "output_output_f64ref.npy"} {
		listed, _, err := read[float64](c, file, []int{len(order)})
		if err != nil {
			return "", err
		}
		for i, name := range order {
			if name == "psnr" {
				check(file+", "+name, found[name], listed[i], tol.psnr)
			} else {
				near(file+", "+name, found[name], listed[i])
			}
		}
	}
	for _, b := range r.Bands {
		want, ok := bands[b.Name]
		if !ok || want.Range != b.Range || len(bands) != len(r.Bands) {
			return "", fmt.Errorf("config's bands are %v, this module's include %s %v", bands, b.Name, b.Range)
		}
		near("rel_l2 of band "+b.Name, b.RelativeL2, want.RelativeL2)
		near("mae of band "+b.Name, b.MAE, want.MAE)
		near("pred_energy_ratio of band "+b.Name, b.PredEnergy, want.Pred)
		near("tgt_energy_ratio of band "+b.Name, b.TargetEnergy, want.Target)
	}
	// The other numbers of this sample belong to a tensor u that the case does not hold.
	s := one.Result().Spectrum
	near("HF_pred", s.PredRatio, first["HF_pred"])
	near("HF_gt", s.TargetRatio, first["HF_gt"])
	near("spec_corr_pred_gt", s.Correlation, first["spec_corr_pred_gt"])
	each, _, readErr := read[float64](c, "output_ssim_per_sample.npy", []int{len(pred) / (ny * nx)})
	if readErr != nil {
		return "", readErr
	}
	for i, got := range loss.SSIMOfImages(half(pred), half(target), ny, nx, loss.SSIMConfig{}) {
		near(fmt.Sprintf("ssim of sample %d", i), got, each[i])
	}
	return fmt.Sprintf("values within %.2g of the tolerance", worst), err
}

// half maps -1..1 to 0..1.
func half(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v/2 + 0.5
	}
	return y
}

// maps returns the predictions and targets of a case, of one shape.
func (c *testCase) maps() (pred, target []float32, size []int, err error) {
	p, err := c.input("pred")
	if err != nil {
		return nil, nil, nil, err
	}
	t, err := c.input("target")
	if err != nil {
		return nil, nil, nil, err
	}
	if pred, size, err = read[float32](c, p.File, p.Shape); err != nil {
		return nil, nil, nil, err
	}
	if len(size) < 2 {
		return nil, nil, nil, fmt.Errorf("maps of shape %v", size)
	}
	target, _, err = read[float32](c, t.File, size)
	return pred, target, size, err
}
