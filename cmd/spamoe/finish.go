package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/metrics"
	"github.com/spamoe/spamoe/internal/picture"
)

// baseline is the guess that ignores the recordings: the mean of the training maps.
type baseline struct {
	mae        float64 // over the validation set, in the unit of the maps
	normalised float64 // the same of normalised maps
}

func newBaseline(c *fwi.Config, train, val fwi.Data) (b baseline, err error) {
	mean, err := fwi.MeanMap(train)
	if err != nil {
		return b, err
	}
	mae, err := fwi.BaselineMAE(val, mean)
	for channel, e := range mae {
		b.mae += e / float64(len(mae))
		b.normalised += e / c.YNorm.Unit(channel) / float64(len(mae))
	}
	return b, err
}

// compare tells how the error of a model, in the unit of the maps, stands to that of the baseline.
func (b baseline) compare(mae float64, unit string) string {
	if b.mae == 0 {
		return "The validation maps all equal the mean of the training maps: there was nothing to learn."
	}
	return fmt.Sprintf("The mean of the training maps has a MAE of %s; the model has %.2f of that.", format(b.mae, unit), mae/b.mae)
}

// summary is metrics.json.
type summary struct {
	metrics.Result
	// MeanMap is the mean absolute error, in the unit of the maps, of the mean of the training maps.
	MeanMap float64 `json:"mean_map"`
}

// shownPairs is how many pairs of a validation set a picture shows.
const shownPairs = 4

// finish measures the model that training kept, prints the result and draws the pictures.
func (c *runConfig) finish(ctx context.Context, env *environment, m *fwi.Model, val fwi.Data, base baseline, dir string) error {
	shown := newGallery(&m.Config, val.Len())
	result, err := fwi.Evaluate(ctx, m, val, shown.add)
	if err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, metricsFile), summary{result, base.mae}); err != nil {
		return err
	}
	log, err := fwi.ReadLog(filepath.Join(dir, fwi.LogFile))
	if err != nil {
		return err
	}
	printResult(env, &m.Config, result)
	printRouting(env, &m.Config, log)
	fmt.Fprintln(env.stdout, base.compare(result.Physical.MAE, m.Config.Unit))
	if err := shown.save(filepath.Join(dir, mapsPicture), "Validation pairs"); err != nil {
		return err
	}
	if err := c.drawLoss(dir, log, base); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s holds the model, its metrics and pictures.\n", dir)
	return nil
}

// drawLoss draws the curves of training.
func (c *runConfig) drawLoss(dir string, log []fwi.Record, base baseline) error {
	loss, val, rate := picture.Line{Name: "training loss"}, picture.Line{Name: "validation MAE"}, picture.Line{Name: "learning rate"}
	for _, r := range log {
		loss.Y, val.Y, rate.Y = append(loss.Y, r.Loss), append(val.Y, r.ValMAE), append(rate.Y, r.Rate)
	}
	return picture.Save(filepath.Join(dir, lossPicture), picture.Curves{Title: "Training", YLabel: "Normalised error", Lines: []picture.Line{loss, val}, Rate: &rate,
		Levels: []picture.Level{{Name: "MAE of the mean map", Y: base.normalised}}})
}

// printResult prints metrics in normalised and in physical units.
func printResult(env *environment, c *fwi.Config, r metrics.Result) {
	unit := c.Unit
	fmt.Fprintf(env.stdout, "\n%-12s %12s %14s\n", fmt.Sprintf("%d pairs", r.Samples), "normalised", strings.TrimSpace("physical "+unit))
	for _, row := range []struct {
		name           string
		value, natural float64
	}{{"MAE", r.MAE, r.Physical.MAE}, {"RMSE", r.RMSE, r.Physical.RMSE}, {"max error", r.MaxError, r.Physical.MaxError}} {
		fmt.Fprintf(env.stdout, "%-12s %12.4f %14.5g\n", row.name, row.value, row.natural)
	}
	fmt.Fprintf(env.stdout, "%-12s %12.4f\n%-12s %12.4f\n%-12s %12.2f dB\n", "SSIM", r.SSIM, "relative L2", r.RelativeL2, "PSNR", r.PSNR)
	for _, b := range r.Bands {
		fmt.Fprintf(env.stdout, "%-12s %12.4f relative L2 at radial frequencies %.2f to %.2f\n", b.Name+" band", b.RelativeL2, b.Range[0], b.Range[1])
	}
	fmt.Fprintln(env.stdout)
}

// printRouting prints how the router and the spectral floor of the best model of a log dealt with the validation set, if it was a SPAMoE.
func printRouting(env *environment, c *fwi.Config, log []fwi.Record) {
	var best *fwi.Routing
	for _, r := range log {
		if r.Best && r.Routing != nil {
			best = r.Routing
		}
	}
	if best == nil {
		return
	}
	for e, n := range best.Samples {
		fmt.Fprintf(env.stdout, "expert %-12s %5d samples, mean gate %.3f\n", c.SPAMoE.Experts[e].Name(), n, best.Gates[e])
	}
	if best.Rho > 0 {
		fmt.Fprintf(env.stdout, "energy ratio of high to low frequencies %.4g before the floor of %.4g, %.4g after; active for %.0f %% of the samples\n",
			best.Before, best.Rho, best.After, 100*best.Active)
	}
	fmt.Fprintln(env.stdout)
}

// describe tells what a model is, in a few words.
func describe(m *fwi.Model) string {
	return fmt.Sprintf("%s with %s parameters, %v to %v", m.Config.Network, thousands(autograd.CountParams(m.Net)), m.Config.X, m.Config.Y)
}

// thousands writes n in groups of three digits.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// gallery keeps some of the pairs of a set for a picture.
type gallery struct {
	cfg     *fwi.Config
	keep    []int
	samples []picture.Sample
}

// newGallery returns a gallery for pairs spread evenly over a set of n.
func newGallery(cfg *fwi.Config, n int) *gallery {
	g := &gallery{cfg: cfg}
	for k := range min(n, shownPairs) {
		g.keep = append(g.keep, k*n/min(n, shownPairs))
	}
	return g
}

// add takes in pair i, if it is one of those to show: its first channel, and of three dimensions the first slice.
func (g *gallery) add(i int, prediction, truth []float32) {
	if !slices.Contains(g.keep, i) {
		return
	}
	n := g.frame().NZ * g.frame().NX
	g.samples = append(g.samples, picture.Sample{Truth: slices.Clone(truth[:n]), Prediction: slices.Clone(prediction[:n])})
}

func (g *gallery) frame() picture.Frame {
	s := g.cfg.Y
	nz, nx := 1, s[len(s)-1]
	if len(s) > 2 {
		nz = s[len(s)-2]
	}
	if g.cfg.Unit == "m/s" {
		return picture.Velocity(nz, nx, 10)
	}
	return picture.Frame{NZ: nz, NX: nx, Quantity: "y", Units: g.cfg.Unit}
}

func (g *gallery) save(path, title string) error {
	return picture.Save(path, picture.Comparison{Frame: g.frame(), Title: title, Samples: g.samples})
}
