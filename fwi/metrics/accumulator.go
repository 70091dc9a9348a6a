package metrics

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Accumulator sums up the errors of batches of maps. It belongs to one goroutine.
type Accumulator struct {
	config  Config
	plan    *rings
	samples int
	sum     sums
	bands   []bandSums
	worst   float64
	lo, hi  float64 // of all targets

	physical struct{ abs, square, worst float64 } // as sum and worst, in the units of the maps
}

// sums are totals over all maps so far, or the share of one.
type sums struct {
	abs, square, target      float64 // |x - y|, (x - y)^2, y^2 over pixels
	ssim, relative           float64 // over samples
	predEnergy, targetEnergy float64 // |F|^2 over frequencies
	predRatio, targetRatio   float64
	correlation              float64
}

// bandSums are the like within one ring.
type bandSums struct {
	abs, square, target      float64
	predEnergy, targetEnergy float64
}

// share is what one map adds.
type share struct {
	sums
	bands         []bandSums
	worst, lo, hi float64
}

// New returns an empty accumulator for maps of ny x nx pixels. It panics on sizes below 1, on a band that is empty or lies outside of
// r >= 0, on a unit that is no positive number, and on a range below 0.
func New(ny, nx int, c Config) *Accumulator {
	c = c.resolve()
	if ny < 1 || nx < 1 {
		panic(fmt.Sprintf("metrics: New: maps of %d x %d pixels", ny, nx))
	}
	for _, b := range c.Bands {
		if !(b[0] >= 0 && b[0] < b[1]) {
			panic(fmt.Sprintf("metrics: New: band %v; want 0 <= lo < hi", b))
		}
	}
	for _, u := range c.Units {
		if !(u > 0) || math.IsInf(u, 1) {
			panic(fmt.Sprintf("metrics: New: unit %v; want a positive number", u))
		}
	}
	if !(c.Range >= 0) || math.IsInf(c.Range, 1) {
		panic(fmt.Sprintf("metrics: New: range %v; want a positive number, or 0 for that of all targets", c.Range))
	}
	return &Accumulator{config: c, plan: newRings(ny, nx, c), bands: make([]bandSums, len(c.Bands)), lo: math.Inf(1), hi: math.Inf(-1)}
}

// Add takes in predicted and true maps, one after the other. Numbers that are not finite are an error, which names the map by its
// place among all that were added; nothing is taken in then. It panics where the lengths are not those of the same number of
// maps.
func (a *Accumulator) Add(pred, target []float32) error {
	n := a.plan.ny * a.plan.nx
	if len(pred) != len(target) || len(pred)%n != 0 {
		panic(fmt.Sprintf("metrics: Add: %d and %d pixels for maps of %d x %d", len(pred), len(target), a.plan.ny, a.plan.nx))
	}
	for what, x := range map[string][]float32{"prediction": pred, "target": target} {
		for i, v := range x {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("metrics: %s %d is %v at pixel (%d, %d); want finite numbers", what, a.samples+i/n, v, i%n/a.plan.nx, i%a.plan.nx)
			}
		}
	}
	shares := make([]share, len(pred)/n)
	kernel.Parallel(len(shares), 1, func(lo, hi int) {
		work := a.plan.work()
		for i := lo; i < hi; i++ {
			shares[i] = a.measure(work, pred[i*n:(i+1)*n], target[i*n:(i+1)*n])
		}
	})
	for _, s := range shares {
		a.take(s)
	}
	return nil
}

func (a *Accumulator) take(s share) {
	unit := a.config.Units[a.samples%len(a.config.Units)]
	a.physical.abs += unit * s.abs
	a.physical.square += unit * unit * s.square
	a.physical.worst = max(a.physical.worst, unit*s.worst)
	a.samples++
	a.worst, a.lo, a.hi = max(a.worst, s.worst), min(a.lo, s.lo), max(a.hi, s.hi)
	t, u := &a.sum, s.sums
	t.abs += u.abs
	t.square += u.square
	t.target += u.target
	t.ssim += u.ssim
	t.relative += u.relative
	t.predEnergy += u.predEnergy
	t.targetEnergy += u.targetEnergy
	t.predRatio += u.predRatio
	t.targetRatio += u.targetRatio
	t.correlation += u.correlation
	for i, b := range s.bands {
		t := &a.bands[i]
		t.abs += b.abs
		t.square += b.square
		t.target += b.target
		t.predEnergy += b.predEnergy
		t.targetEnergy += b.targetEnergy
	}
}

// measure returns what one map adds.
func (a *Accumulator) measure(w *work, x, y []float32) share {
	s := share{lo: math.Inf(1), hi: math.Inf(-1)}
	for i, v := range x {
		t := float64(y[i])
		d := math.Abs(float64(v) - t)
		s.abs += d
		s.square += d * d
		s.target += t * t
		s.worst, s.lo, s.hi = max(s.worst, d), min(s.lo, t), max(s.hi, t)
		w.x[i], w.y[i] = v/2+0.5, y[i]/2+0.5
	}
	s.relative = math.Sqrt(s.square) / max(math.Sqrt(s.target), tiny)
	s.ssim = loss.SSIMOfImages(w.x, w.y, a.plan.ny, a.plan.nx, loss.SSIMConfig{})[0]
	a.plan.measure(w, &s, x, y)
	return s
}
