package metrics

import (
	"math"
	"slices"
)

// Config sets an Accumulator. The zero Config is the usual one of OpenFWI.
type Config struct {
	// Units are the physical sizes of one normalised unit of maps that are added in turn, such as those of the channels of a sample;
	// none means 1500 m/s for all, of velocities between 1500 and 4500 m/s.
	Units []float64 `json:"units,omitempty"`
	// Range is the range of the PSNR; 0 means that of all targets.
	Range float64 `json:"range,omitempty"`
	// Bands are half-open intervals of r; nil means 0..0.30, 0.30..0.65, 0.65..1.01, which are called low, mid and high.
	Bands [][2]float64 `json:"bands,omitempty"`
	// ReferenceRadius takes r as SPAMoE's code does, from coordinates that run from -1 to 1 over the shifted spectrum, both ends
	// included: on even grids the zero frequency is half a step off the centre.
	ReferenceRadius bool `json:"reference_radius,omitempty"`
}

// usualBands are the three bands of the zero Config, bandNames their names.
var (
	usualBands = [][2]float64{{0, 0.30}, {0.30, 0.65}, {0.65, 1.01}}
	bandNames  = []string{"low", "mid", "high"}
)

func (c Config) resolve() Config {
	if len(c.Units) == 0 {
		c.Units = []float64{1500}
	}
	if c.Bands == nil {
		c.Bands = usualBands
	}
	return c
}

// Result is what an Accumulator has found. Values are of normalised maps unless they are physical.
type Result struct {
	Samples    int     `json:"samples"`
	MAE        float64 `json:"mae"`
	MSE        float64 `json:"mse"`
	RMSE       float64 `json:"rmse"`
	SSIM       float64 `json:"ssim"`
	PSNR       float64 `json:"psnr"` // dB
	RelativeL2 float64 `json:"relative_l2"`
	// MeanRelativeL2 is the mean over samples of each one's relative L2.
	MeanRelativeL2 float64  `json:"mean_relative_l2"`
	MaxError       float64  `json:"max_error"`
	Physical       Physical `json:"physical"`
	Bands          []Band   `json:"bands,omitempty"`
	Spectrum       Spectrum `json:"spectrum"`
}

// Physical holds errors in the units of the maps, m/s for velocities.
type Physical struct {
	MAE      float64 `json:"mae"`
	RMSE     float64 `json:"rmse"`
	MaxError float64 `json:"max_error"`
}

// Band holds the errors within one ring of frequencies, and how much of the energy of each side lies in it.
type Band struct {
	Name         string     `json:"name"` // empty save for the usual three
	Range        [2]float64 `json:"range"`
	MAE          float64    `json:"mae"`
	RelativeL2   float64    `json:"relative_l2"`
	PredEnergy   float64    `json:"pred_energy_ratio"`
	TargetEnergy float64    `json:"target_energy_ratio"`
}

// Spectrum holds means over samples: the ratio R of the energy in 0.40 <= r < 0.85 to that in 0.05 <= r < 0.30 on both sides, and
// the correlation of log(1 + |F|^2) between them.
type Spectrum struct {
	PredRatio   float64 `json:"pred_ratio"`
	TargetRatio float64 `json:"target_ratio"`
	Correlation float64 `json:"correlation"`
}

// tiny keeps quotients and logarithms finite where there is nothing to measure.
const tiny = 1e-12

// Result returns the metrics of all that was added. Without any samples all are zero.
func (a *Accumulator) Result() Result {
	r := Result{Samples: a.samples}
	if a.samples == 0 {
		return r
	}
	n := float64(a.samples) * float64(a.plan.ny*a.plan.nx)
	s := a.sum
	r.MAE, r.MSE = s.abs/n, s.square/n
	r.RMSE = math.Sqrt(r.MSE)
	r.RelativeL2 = math.Sqrt(s.square) / max(math.Sqrt(s.target), tiny)
	r.SSIM = s.ssim / float64(a.samples)
	r.MeanRelativeL2 = s.relative / float64(a.samples)
	r.MaxError = a.worst
	span := a.config.Range
	if span == 0 {
		span = a.hi - a.lo
	}
	r.PSNR = 20*math.Log10(max(span, tiny)) - 10*math.Log10(max(r.MSE, tiny))
	r.Physical = Physical{MAE: a.physical.abs / n, RMSE: math.Sqrt(a.physical.square / n), MaxError: a.physical.worst}
	r.Spectrum = Spectrum{s.predRatio / float64(a.samples), s.targetRatio / float64(a.samples), s.correlation / float64(a.samples)}
	named := slices.Equal(a.config.Bands, usualBands)
	for i, b := range a.bands {
		band := Band{
			Range:        a.config.Bands[i],
			MAE:          b.abs / n,
			RelativeL2:   math.Sqrt(b.square) / max(math.Sqrt(b.target), tiny),
			PredEnergy:   b.predEnergy / max(s.predEnergy, tiny),
			TargetEnergy: b.targetEnergy / max(s.targetEnergy, tiny),
		}
		if named {
			band.Name = bandNames[i]
		}
		r.Bands = append(r.Bands, band)
	}
	return r
}
