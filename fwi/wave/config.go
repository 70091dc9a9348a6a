package wave

import (
	"fmt"
	"math"
	"slices"
)

// Point is a cell of the model: Row counts down from the surface, Col from the left edge, both from 0.
type Point struct {
	Row int `json:"row"`
	Col int `json:"col"`
}

// Sides names sides of a model.
type Sides struct {
	Top    bool `json:"top,omitempty"`
	Bottom bool `json:"bottom,omitempty"`
	Left   bool `json:"left,omitempty"`
	Right  bool `json:"right,omitempty"`
}

// Config describes a survey. Its zero value is the survey of OpenFWI; a field that is left zero takes the value in its comment.
type Config struct {
	Dx      float64 `json:"dx,omitempty"`      // grid spacing in metres, on both axes (10)
	Dt      float64 `json:"dt,omitempty"`      // time step and sampling interval in seconds (0.001)
	Samples int     `json:"samples,omitempty"` // rows of a gather (1000)
	// Steps is the number of rows that are simulated and recorded; the rest of the gather is zero (Samples). OpenFWI's training
	// data hold 999 of 1000.
	Steps int `json:"steps,omitempty"`
	Pad   int `json:"pad,omitempty"`   // cells of the absorbing strip on each of the four sides (120)
	Order int `json:"order,omitempty"` // of the Laplacian in space: 2, 4, 6 or 8 (4)
	// Free names the sides of the model that end at a free surface, one cell outside, instead of an absorbing strip. An axis with
	// one is not periodic: its other end is a free surface too, behind the strip.
	Free Sides   `json:"free,omitzero"`
	Freq float64 `json:"freq,omitempty"` // peak frequency of the Ricker wavelet in hertz (15)
	// Wavelet replaces the Ricker wavelet where it is not nil: one value per time step, zero after the last.
	Wavelet []float64 `json:"wavelet,omitempty"`
	Shots   int       `json:"shots,omitempty"` // sources, evenly spread over row 1, where Sources is nil (5); else it follows from them
	// Sources holds one cell per shot. Nil means Line(1, Shots, nx).
	Sources []Point `json:"sources,omitempty"`
	// Receivers holds one cell per trace, the same for all shots. Nil means every column of row 1.
	Receivers []Point `json:"receivers,omitempty"`
	// ShotReceivers, where it is not nil, replaces Receivers by a list of its own for each shot, all of one length.
	ShotReceivers [][]Point `json:"shot_receivers,omitempty"`
	// Memory is about how many bytes a gradient may hold besides gathers (200e6). It decides how much of the wave field is kept and
	// how much is computed again, and where even that is too much, how many shots run at once; no result depends on it.
	Memory int64 `json:"memory,omitempty"`
}

// Line returns n points of a row that has nx columns, evenly spaced from the first column to the last and rounded to whole
// columns, halves to even, which is where OpenFWI puts its sources: Line(1, 5, 70) has columns 0, 17, 34, 52, 69. One point
// alone lies in column 0.
func Line(row, n, nx int) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i].Row = row
		if i > 0 {
			points[i].Col = int(math.RoundToEven(float64(i) * float64(nx-1) / float64(n-1)))
		}
	}
	return points
}

// clone returns a copy that shares no memory with c.
func (c Config) clone() Config {
	c.Wavelet, c.Sources, c.Receivers = slices.Clone(c.Wavelet), slices.Clone(c.Sources), slices.Clone(c.Receivers)
	c.ShotReceivers = slices.Clone(c.ShotReceivers)
	for i, list := range c.ShotReceivers {
		c.ShotReceivers[i] = slices.Clone(list)
	}
	return c
}

// complete returns the configuration with every field set for a model of nz x nx cells, or the reason why it cannot be used.
func (c Config) complete(nz, nx int) (Config, error) {
	if nz < 1 || nx < 1 {
		return c, fmt.Errorf("wave: model of %d x %d cells, want at least 1 x 1", nz, nx)
	}
	setDefault(&c.Dx, 10)
	setDefault(&c.Dt, 0.001)
	setDefault(&c.Freq, 15)
	setDefault(&c.Samples, 1000)
	setDefault(&c.Steps, c.Samples)
	setDefault(&c.Pad, 120)
	setDefault(&c.Order, 4)
	setDefault(&c.Shots, 5)
	setDefault(&c.Memory, 200e6)
	for _, f := range []struct {
		name  string
		value float64
	}{{"Dx", c.Dx}, {"Dt", c.Dt}, {"Freq", c.Freq}} {
		if !(f.value > 0) || math.IsInf(f.value, 0) {
			return c, fmt.Errorf("wave: %s is %v, want a positive finite number", f.name, f.value)
		}
	}
	switch {
	case c.Samples < 1:
		return c, fmt.Errorf("wave: Samples is %d, want at least 1", c.Samples)
	case c.Steps < 1 || c.Steps > c.Samples:
		return c, fmt.Errorf("wave: Steps is %d, want 1 to %d (Samples)", c.Steps, c.Samples)
	case stencils[c.Order].reach == 0:
		return c, fmt.Errorf("wave: Order is %d, want 2, 4, 6 or 8", c.Order)
	case c.Pad < 2:
		return c, fmt.Errorf("wave: Pad is %d, want at least 2", c.Pad)
	case (float64(nz)+2*float64(c.Pad))*(float64(nx)+2*float64(c.Pad)) > 1<<31: // integers would overflow
		return c, fmt.Errorf("wave: model of %d x %d cells with Pad %d on all sides, want at most 2^31 cells together", nz, nx, c.Pad)
	case c.Shots < 1 || c.Shots > 1<<20:
		return c, fmt.Errorf("wave: Shots is %d, want 1 to 2^20", c.Shots)
	case c.Memory < 0:
		return c, fmt.Errorf("wave: Memory is %d bytes, want a positive number", c.Memory)
	case c.Wavelet == nil && c.Freq*c.Dt < leastPhase:
		return c, fmt.Errorf("wave: a wavelet of Freq %v Hz lasts more than a million time steps of Dt %v s", c.Freq, c.Dt)
	}
	if c.Wavelet == nil {
		c.Wavelet = Ricker(c.Freq, c.Dt)
	}
	for i, w := range c.Wavelet {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return c, fmt.Errorf("wave: Wavelet[%d] is %v, want a finite number", i, w)
		}
	}
	if c.Sources == nil {
		c.Sources = Line(min(1, nz-1), c.Shots, nx)
	}
	c.Shots = len(c.Sources)
	if c.ShotReceivers != nil {
		if err := c.checkShotReceivers(nz, nx); err != nil {
			return c, err
		}
	} else if c.Receivers == nil {
		c.Receivers = Line(min(1, nz-1), nx, nx)
	}
	if err := inside("Sources", c.Sources, nz, nx); err != nil {
		return c, err
	}
	if c.ShotReceivers != nil {
		return c, nil
	}
	return c, inside("Receivers", c.Receivers, nz, nx)
}

func (c Config) checkShotReceivers(nz, nx int) error {
	if len(c.ShotReceivers) != len(c.Sources) {
		return fmt.Errorf("wave: ShotReceivers has %d lists, want one for each of %d sources", len(c.ShotReceivers), len(c.Sources))
	}
	for i, list := range c.ShotReceivers {
		if len(list) != len(c.ShotReceivers[0]) {
			return fmt.Errorf("wave: ShotReceivers[%d] has %d points, want %d as in ShotReceivers[0]", i, len(list), len(c.ShotReceivers[0]))
		}
		if err := inside(fmt.Sprintf("ShotReceivers[%d]", i), list, nz, nx); err != nil {
			return err
		}
	}
	return nil
}

func setDefault[T int | int64 | float64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

func inside(name string, points []Point, nz, nx int) error {
	if len(points) == 0 {
		return fmt.Errorf("wave: %s is empty, want at least one point", name)
	}
	for i, p := range points {
		if p.Row < 0 || p.Row >= nz || p.Col < 0 || p.Col >= nx {
			return fmt.Errorf("wave: %s[%d] lies at row %d, column %d, want a cell of the %d x %d model", name, i, p.Row, p.Col, nz, nx)
		}
	}
	return nil
}
