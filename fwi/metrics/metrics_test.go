package metrics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/spamoe/spamoe/fwi/metrics"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/kernel"
)

func Example() {
	pred := []float32{0, 0.5, 1, -1, 0, 0.5, 1, -1, 0}
	target := []float32{0, 0.5, 1, -1, 0, 0.5, 1, -1, 0.9}
	a := metrics.New(3, 3, metrics.Config{})
	if err := a.Add(pred, target); err != nil {
		panic(err)
	}
	r := a.Result()
	fmt.Printf("MAE %.3f, that is %.0f m/s; RMSE %.3f; PSNR %.1f dB\n", r.MAE, r.Physical.MAE, r.RMSE, r.PSNR)
	// Output: MAE 0.100, that is 150 m/s; RMSE 0.300; PSNR 16.5 dB
}

func TestGolden(t *testing.T) {
	c := golden.Load(t, "metrics_seismic")
	var want struct {
		Config struct {
			Values map[string]float64
			Bands  map[string]struct {
				RelativeL2 float64 `json:"rel_l2"`
				MAE        float64
				Pred       float64 `json:"pred_energy_ratio"`
				Target     float64 `json:"tgt_energy_ratio"`
			} `json:"freq_band_metrics"`
			Sample map[string]float64 `json:"spectral_accumulator_sample0"`
		}
		Tolerance struct {
			Rel  float64
			PSNR float64 `json:"psnr_abs"`
		}
	}
	c.Decode(&want)
	tol := want.Tolerance.Rel
	pred, target := c.Input("pred").Data, c.Input("target").Data
	a := metrics.New(70, 70, metrics.Config{ReferenceRadius: true})
	require.NoError(t, a.Add(pred[:4900], target[:4900]))
	require.InEpsilon(t, want.Config.Sample["HF_pred"], a.Result().Spectrum.PredRatio, tol)
	require.InEpsilon(t, want.Config.Sample["HF_gt"], a.Result().Spectrum.TargetRatio, tol)
	require.InEpsilon(t, want.Config.Sample["spec_corr_pred_gt"], a.Result().Spectrum.Correlation, tol)
	require.NoError(t, a.Add(pred[4900:], target[4900:]))
	r := a.Result()
	v := want.Config.Values
	for name, got := range map[string]float64{"mae": r.MAE, "mse": r.MSE, "rmse": r.RMSE, "ssim": r.SSIM, "relative_l2": r.RelativeL2} {
		require.InEpsilon(t, v[name], got, tol, name)
	}
	require.InDelta(t, v["psnr"], r.PSNR, want.Tolerance.PSNR)
	require.Len(t, want.Config.Bands, len(r.Bands))
	for _, b := range r.Bands {
		w := want.Config.Bands[b.Name]
		require.InEpsilon(t, w.RelativeL2, b.RelativeL2, tol, b.Name)
		require.InEpsilon(t, w.MAE, b.MAE, tol, b.Name)
		require.InEpsilon(t, w.Pred, b.PredEnergy, tol, b.Name)
		require.InEpsilon(t, w.Target, b.TargetEnergy, tol, b.Name)
	}
	require.InDelta(t, 1500*r.MAE, r.Physical.MAE, 1e-9)
	require.InDelta(t, 1500*r.RMSE, r.Physical.RMSE, 1e-9)
}

// maps returns n pairs of maps, the second ones noisy copies of the first.
func maps(n, ny, nx int) (pred, target []float32) {
	rng := rand.New(rand.NewPCG(1, 2))
	pred, target = make([]float32, n*ny*nx), make([]float32, n*ny*nx)
	for i := range pred {
		target[i] = float32(math.Sin(float64(i)*0.05) * math.Cos(float64(i/nx)*0.2))
		pred[i] = target[i] + 0.1*float32(rng.NormFloat64())
	}
	return pred, target
}

// TestBatchesDoNotMatter: the same bits for any cut of a data set and any number of threads.
func TestBatchesDoNotMatter(t *testing.T) {
	defer kernel.SetThreads(0)
	const n, ny, nx = 7, 12, 15
	pred, target := maps(n, ny, nx)
	var results []metrics.Result
	for i, batch := range []int{1, 3, 7} {
		kernel.SetThreads(i + 1)
		a := metrics.New(ny, nx, metrics.Config{})
		for at := 0; at < n; at += batch {
			end := min(at+batch, n) * ny * nx
			require.NoError(t, a.Add(pred[at*ny*nx:end], target[at*ny*nx:end]))
		}
		results = append(results, a.Result())
	}
	require.Equal(t, results[0], results[1])
	require.Equal(t, results[0], results[2])
	require.Equal(t, n, results[0].Samples)
}

// TestBandsAddUp: bands that cover all frequencies share out energies and squared errors without rest, on even and odd grids.
func TestBandsAddUp(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {15, 12}, {13, 13}, {1, 9}} {
		for _, reference := range []bool{false, true} {
			a := metrics.New(size[0], size[1], metrics.Config{ReferenceRadius: reference})
			pred, target := maps(3, size[0], size[1])
			require.NoError(t, a.Add(pred, target))
			p, q, squares, norm := 0.0, 0.0, 0.0, 0.0
			for _, v := range target {
				norm += float64(v) * float64(v)
			}
			for _, b := range a.Result().Bands {
				p += b.PredEnergy
				q += b.TargetEnergy
				// The relative error of a band is over the band's own norm, which has the share TargetEnergy of the whole.
				squares += b.RelativeL2 * b.RelativeL2 * b.TargetEnergy * norm
			}
			require.InDelta(t, 1, p, 1e-12, "%v", size)
			require.InDelta(t, 1, q, 1e-12, "%v", size)
			if !reference {
				require.InEpsilon(t, a.Result().RelativeL2*a.Result().RelativeL2*norm, squares, 1e-9, "%v", size)
			}
		}
	}
}

// TestBandOfAWave puts one frequency in and finds it in its band only, with gonum's transform as witness of the radius.
func TestBandOfAWave(t *testing.T) {
	const n = 16
	target, pred := make([]float32, n*n), make([]float32, n*n)
	line := make([]complex128, n)
	for i := range target {
		target[i] = float32(math.Cos(2 * math.Pi * 5 * float64(i%n) / n))
		pred[i] = 1.5 * target[i]
		if i < n {
			line[i] = complex(float64(target[i]), 0)
		}
	}
	fft := fourier.NewCmplxFFT(n)
	for i, c := range fft.Coefficients(nil, line) {
		require.Equal(t, math.Abs(fft.Freq(i)*n) == 5, cmplx.Abs(c) > 1)
	}
	a := metrics.New(n, n, metrics.Config{})
	require.NoError(t, a.Add(pred, target))
	r := 5 / math.Hypot(8, 8) // 0.44, in the middle band
	for _, b := range a.Result().Bands {
		inside := b.Range[0] <= r && r < b.Range[1]
		require.Equal(t, b.Name == "mid", inside)
		want := 0.0
		if inside {
			want = 1
			require.InDelta(t, 0.5, b.RelativeL2, 1e-6)
			require.InDelta(t, a.Result().MAE, b.MAE, 1e-6)
		}
		require.InDelta(t, want, b.TargetEnergy, 1e-12)
		require.InDelta(t, want, b.PredEnergy, 1e-12)
	}
}

func TestPerfectPrediction(t *testing.T) {
	_, target := maps(2, 14, 14)
	a := metrics.New(14, 14, metrics.Config{Range: 2})
	require.NoError(t, a.Add(target, target))
	r := a.Result()
	require.Zero(t, r.MAE+r.RMSE+r.RelativeL2+r.MaxError+r.MeanRelativeL2)
	require.InDelta(t, 1, r.SSIM, 1e-12)
	require.InDelta(t, 1, r.Spectrum.Correlation, 1e-9)
	require.InDelta(t, 20*math.Log10(2)+120, r.PSNR, 1e-9, "the error counts as 1e-12 at least")

	require.NoError(t, a.Add(make([]float32, 14*14), make([]float32, 14*14)))
	_, err := json.Marshal(a.Result())
	require.NoError(t, err, "empty maps give numbers")
	shifted := make([]float32, 14*14)
	kernel.Fill(shifted, 0.5)
	b := metrics.New(14, 14, metrics.Config{Units: []float64{500}})
	require.NoError(t, b.Add(shifted, make([]float32, 14*14)))
	require.InDelta(t, 250, b.Result().Physical.MAE, 1e-9)
	require.InDelta(t, 250, b.Result().Physical.MaxError, 1e-9)
}

// Maps of several channels have units of their own, one after the other, however they come in batches.
func TestUnitsInTurn(t *testing.T) {
	pred, target := make([]float32, 4*6), make([]float32, 4*6)
	kernel.Fill(pred[:6], 1)
	kernel.Fill(pred[6:12], 0.5)
	kernel.Fill(pred[18:], -0.5)
	a := metrics.New(2, 3, metrics.Config{Units: []float64{10, 1000}})
	require.NoError(t, a.Add(pred[:6], target[:6]))
	require.NoError(t, a.Add(pred[6:], target[6:]))
	r := a.Result()
	require.InDelta(t, 0.5, r.MAE, 1e-12)
	require.InDelta(t, (10+500+0+500)/4., r.Physical.MAE, 1e-9)
	require.InDelta(t, math.Sqrt((100+250000+0+250000)/4.), r.Physical.RMSE, 1e-9)
	require.InDelta(t, 500, r.Physical.MaxError, 1e-9)
}

func TestNothingAdded(t *testing.T) {
	text, err := json.Marshal(metrics.New(70, 70, metrics.Config{}).Result())
	require.NoError(t, err)
	require.Contains(t, string(text), `"samples":0`)
}

func TestMistakes(t *testing.T) {
	a := metrics.New(2, 3, metrics.Config{})
	good, bad := make([]float32, 12), make([]float32, 12)
	require.NoError(t, a.Add(good[:6], good[:6]))
	bad[10] = float32(math.NaN())
	require.EqualError(t, a.Add(bad, good), "metrics: prediction 2 is NaN at pixel (1, 1); want finite numbers")
	bad[10] = float32(math.Inf(1))
	require.EqualError(t, a.Add(good, bad), "metrics: target 2 is +Inf at pixel (1, 1); want finite numbers")
	require.Equal(t, 1, a.Result().Samples)
	require.PanicsWithValue(t, "metrics: Add: 12 and 6 pixels for maps of 2 x 3", func() { _ = a.Add(good, good[:6]) })
	require.PanicsWithValue(t, "metrics: New: maps of 0 x 3 pixels", func() { metrics.New(0, 3, metrics.Config{}) })
	require.PanicsWithValue(t, "metrics: New: band [0.5 0.2]; want 0 <= lo < hi", func() {
		metrics.New(2, 3, metrics.Config{Bands: [][2]float64{{0.5, 0.2}}})
	})
	for _, unit := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		require.PanicsWithValue(t, fmt.Sprintf("metrics: New: unit %v; want a positive number", unit), func() {
			metrics.New(2, 3, metrics.Config{Units: []float64{1, unit}})
		})
	}
	for _, span := range []float64{-2, math.NaN(), math.Inf(1)} {
		require.PanicsWithValue(t, fmt.Sprintf("metrics: New: range %v; want a positive number, or 0 for that of all targets", span), func() {
			metrics.New(2, 3, metrics.Config{Range: span})
		})
	}
}

// No units are the usual ones, as nil is, and only the usual bands have names.
func TestUsualUnitsAndBands(t *testing.T) {
	pred, target := maps(2, 6, 6)
	results := map[string]metrics.Result{}
	for name, c := range map[string]metrics.Config{"zero": {}, "empty": {Units: []float64{}}, "spelt out": {Bands: [][2]float64{{0, 0.30}, {0.30, 0.65}, {0.65, 1.01}}},
		"others": {Bands: [][2]float64{{0, 0.1}, {0.1, 0.2}, {0.2, 0.3}}}} {
		a := metrics.New(6, 6, c)
		require.NoError(t, a.Add(pred, target))
		results[name] = a.Result()
	}
	require.Equal(t, results["zero"], results["empty"])
	require.Equal(t, results["zero"], results["spelt out"])
	require.Equal(t, "mid", results["zero"].Bands[1].Name)
	for _, b := range results["others"].Bands {
		require.Empty(t, b.Name)
	}
}

func BenchmarkAdd(b *testing.B) {
	pred, target := maps(32, 70, 70)
	a := metrics.New(70, 70, metrics.Config{})
	for b.Loop() {
		if err := a.Add(pred, target); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(32*float64(b.N)/b.Elapsed().Seconds(), "maps/s")
}
