package invert

import (
	"fmt"
	"math"
	"strings"
)

// Misfit is a measure of how far a simulated gather d lies from the recorded one o.
type Misfit int

const (
	// L2 is half the squared difference over the energy of the recording, 1/2 |d - o|^2 / |o|^2: half the square of the relative
	// error. The most exact one for data without outliers.
	L2 Misfit = iota
	// L1 is the sum of sqrt((d - o)^2 + e^2) - e over that of |o|, with e a thousandth of the root mean square of o. It follows
	// neither spikes nor bad traces.
	L1
	// Envelope compares the envelopes sqrt(d^2 + (H d)^2), H the Hilbert transform, as L2 compares the values. It sees arrival
	// times beyond half a period and no polarity (Bozdag, Trampert and Tromp, Geophys. J. Int. 185, 2011).
	Envelope
	// Correlation is one minus the normalised correlation <d, o> / (|d| |o|), the mean over traces. It does not depend on
	// amplitudes (Choi and Alkhalifah, Geophys. Prospect. 60, 2012).
	Correlation
)

var misfitNames = []string{"l2", "l1", "envelope", "correlation"}

// String returns the name that ParseMisfit reads.
func (m Misfit) String() string {
	if m < 0 || int(m) >= len(misfitNames) {
		return fmt.Sprintf("Misfit(%d)", int(m))
	}
	return misfitNames[m]
}

// ParseMisfit returns the misfit of a name: l2, l1, envelope or correlation.
func ParseMisfit(name string) (Misfit, error) {
	for i, n := range misfitNames {
		if strings.EqualFold(n, name) {
			return Misfit(i), nil
		}
	}
	return 0, fmt.Errorf("invert: unknown misfit %q, want one of %s", name, strings.Join(misfitNames, ", "))
}

// MarshalText writes the name.
func (m Misfit) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a name as ParseMisfit does.
func (m *Misfit) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMisfit(string(text))
	return err
}

// comparison measures the misfit between gathers and what was recorded. It may be used by many goroutines at once.
type comparison struct {
	kind     Misfit
	filter   lowPass
	nt, nr   int
	taper    []float64   // per sample, what data and simulation are multiplied by before the filter
	recorded [][]float64 // per shot: filtered, and for Envelope its envelope; nt x nr
	live     [][]bool    // per shot and trace: something was recorded
	gain     [][]float64 // per shot: what filtered data and simulation are multiplied by, for L2 and L1; nil: one
	total    float64     // what the misfit is divided by
	soft     float64     // e of L1, and the floor of an envelope
	hilbert  *hilbert
}

// newComparison prepares the comparison with data, shots x nt x nr.
// Samples from window on, where that is not zero, do not count, and those of the last quarter before it less and less.
func newComparison(kind Misfit, filter lowPass, data []float32, shots, nt, nr, window int, gain float64) *comparison {
	c := &comparison{kind: kind, filter: filter, nt: nt, nr: nr, taper: newTaper(nt, window)}
	if kind == Envelope {
		c.hilbert = newHilbert(nt)
	}
	sum, energy, traces := 0.0, 0.0, 0
	for s := range shots {
		o, live := make([]float64, nt*nr), liveTraces(data[s*nt*nr:][:nt*nr], nr)
		for i, v := range data[s*nt*nr:][:nt*nr] {
			o[i] = float64(v)
		}
		c.weigh(o)
		filter.apply(o, nr)
		if gain > 0 && (kind == L2 || kind == L1) {
			c.gain = append(c.gain, c.balance(o, gain))
			for i, g := range c.gain[s] {
				o[i] *= g
			}
		}
		for _, v := range o {
			sum += math.Abs(v)
			energy += v * v
		}
		for _, ok := range live {
			if ok {
				traces++
			}
		}
		c.recorded, c.live = append(c.recorded, o), append(c.live, live)
	}
	rms := math.Sqrt(energy / float64(max(1, traces*nt)))
	switch kind {
	case L2:
		c.total = energy
	case L1:
		c.total, c.soft = sum, 1e-3*rms
	case Correlation:
		c.total = float64(traces)
	case Envelope:
		c.soft = 1e-3 * rms
		for _, o := range c.recorded {
			c.envelope(o, nil)
			for _, v := range o {
				c.total += v * v
			}
		}
	}
	if c.total == 0 {
		c.total = 1
	}
	return c
}

// liveTraces returns of which of nr traces of a gather something was recorded. The others are dead, and say nothing.
func liveTraces(gather []float32, nr int) []bool {
	live := make([]bool, nr)
	for i, v := range gather {
		if v != 0 {
			live[i%nr] = true
		}
	}
	return live
}

// measure returns the misfit of a shot and stores its derivative with respect to gather in adjoint, both nt x nr.
func (c *comparison) measure(shot int, adjoint, gather []float32) float64 {
	d := make([]float64, len(gather))
	for i, v := range gather {
		d[i] = float64(v)
	}
	value := c.derivative(shot, d)
	for i, v := range d {
		adjoint[i] = float32(v)
	}
	return value
}

// derivative returns the misfit of a shot and replaces its gather by the derivative.
func (c *comparison) derivative(shot int, d []float64) float64 {
	o, live := c.recorded[shot], c.live[shot]
	c.prepare(shot, d)
	var value float64
	switch c.kind {
	case L2:
		for i, v := range d {
			r := v - o[i]*alive(live[i%c.nr])
			value += r * r / 2
			d[i] = r / c.total
		}
	case L1:
		for i, v := range d {
			r := v - o[i]*alive(live[i%c.nr])
			size := math.Sqrt(r*r + c.soft*c.soft)
			value += size - c.soft
			d[i] = r / size / c.total
		}
	case Correlation:
		value = c.correlate(d, o, live)
	case Envelope:
		value = c.compareEnvelopes(d, o, live)
	}
	for i := range d {
		if !live[i%c.nr] {
			d[i] = 0
		}
	}
	c.amplify(shot, d)
	c.filter.adjoint(d, c.nr)
	c.weigh(d)
	return value / c.total
}

// prepare does to a simulated gather what was done to the recorded one.
func (c *comparison) prepare(shot int, d []float64) {
	c.weigh(d)
	c.filter.apply(d, c.nr)
	c.amplify(shot, d)
	for i := range d {
		if !c.live[shot][i%c.nr] {
			d[i] = 0
		}
	}
}

// newTaper returns the weights of nt samples for a window.
func newTaper(nt, window int) []float64 {
	w := make([]float64, nt)
	for i := range w {
		w[i] = 1
		if window > 0 && window < nt {
			end := (window + 3) / 4
			x := float64(window-i) / float64(end)
			w[i] = 0.5 - 0.5*math.Cos(math.Pi*min(max(x, 0), 1))
		}
	}
	return w
}

func (c *comparison) weigh(d []float64) {
	for i := range d {
		d[i] *= c.taper[i/c.nr]
	}
}

func alive(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// correlate returns the sum over live traces of 1 - <d, o> / (|d| |o|) and replaces d by its derivative over total,
//
//   - o / (|d| |o|) + <d, o> d / (|d|^3 |o|).
//
// A simulated trace that is zero counts as uncorrelated, with derivative zero.
func (c *comparison) correlate(d, o []float64, live []bool) float64 {
	dd, oo, do := make([]float64, c.nr), make([]float64, c.nr), make([]float64, c.nr)
	for i, v := range d {
		r := i % c.nr
		dd[r] += v * v
		oo[r] += o[i] * o[i]
		do[r] += v * o[i]
	}
	value := 0.0
	for r := range dd {
		if !live[r] {
			continue
		}
		if dd[r] == 0 || oo[r] == 0 {
			value++
			dd[r], do[r], oo[r] = 1, 0, math.Inf(1)
			continue
		}
		value += 1 - do[r]/math.Sqrt(dd[r]*oo[r])
	}
	for i, v := range d {
		r := i % c.nr
		d[i] = (do[r]/dd[r]*v - o[i]) / math.Sqrt(dd[r]*oo[r]) / c.total
	}
	return value
}
