package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
)

// FloorAction is what the floor did to one sample.
type FloorAction string

// The actions.
const (
	FloorHeld     FloorAction = "held"     // R >= rho as it came
	FloorScaled   FloorAction = "scaled"   // the high band was scaled
	FloorBorrowed FloorAction = "borrowed" // the input's high band was added
	FloorPassed   FloorAction = "passed"   // there was nothing to compare with or to raise: unchanged
	FloorMissed   FloorAction = "missed"   // R < rho, and the mode is not "layer": unchanged
)

// FloorReport tells of one forward pass how far the spectra were from the bound.
type FloorReport struct {
	Rho     float64       `json:"rho"`
	Samples []FloorSample `json:"samples"`
}

// FloorSample is the part of a report on one sample: R before and after the floor, both found from the map's spectrum; 0 where the
// low band is empty.
type FloorSample struct {
	Before float64     `json:"before"`
	After  float64     `json:"after"`
	Action FloorAction `json:"action"`
}

// Count returns how many samples met with one of the given actions.
func (r *FloorReport) Count(actions ...FloorAction) int {
	n := 0
	for _, s := range r.Samples {
		for _, a := range actions {
			if s.Action == a {
				n++
			}
		}
	}
	return n
}

// Active returns the part of the samples for which the bound was active: raised, or below it in another mode than "layer".
func (r *FloorReport) Active() float64 {
	if len(r.Samples) == 0 {
		return 0
	}
	return float64(r.Count(FloorScaled, FloorBorrowed, FloorMissed)) / float64(len(r.Samples))
}

// Means returns the means over samples of R before and after, as geometric means, since ratios spread over decades; samples with a
// ratio of 0 do not count.
func (r *FloorReport) Means() (before, after float64) {
	mean := func(of func(FloorSample) float64) float64 {
		sum, n := 0.0, 0
		for _, s := range r.Samples {
			if v := of(s); v > 0 {
				sum += math.Log(v)
				n++
			}
		}
		if n == 0 {
			return 0
		}
		return math.Exp(sum / float64(n))
	}
	return mean(func(s FloorSample) float64 { return s.Before }), mean(func(s FloorSample) float64 { return s.After })
}

// measure reports on maps that nothing is done to.
func (f Floor) measure(x *autograd.Value, report *FloorReport) {
	b := bandsOf(x.Shape)
	pairs := make([]float64, 2*x.Shape[0])
	b.energies(pairs, make([]float32, b.spectrumLen(x.Shape[0])), x.Data)
	f.tell(report, pairs)
}

// tell adds samples of the given energies that stay as they are.
func (f Floor) tell(report *FloorReport, pairs []float64) {
	for i := range len(pairs) / 2 {
		e := energyOf(pairs, i)
		s := FloorSample{Before: e.ratio(), After: e.ratio(), Action: FloorHeld}
		switch {
		case !(e.low > 0):
			s.Action = FloorPassed
		case e.high < f.Rho*e.low:
			s.Action = FloorMissed
		}
		report.Samples = append(report.Samples, s)
	}
}
