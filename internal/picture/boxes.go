package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// Boxes shows how values spread, on a logarithmic axis: groups along the axis, and in each group a box per series, from the lower to
// the upper quartile with a line at the median, and whiskers from the 5th to the 95th percentile. Few values are shown as points too.
// Values that the axis cannot show (zero, negative, NaN, infinite) are left out.
type Boxes struct {
	Title, XLabel, YLabel string
	Groups                []string // below the axis; a line break starts a second line
	Series                []BoxSeries
	Colours               []color.RGBA // of the groups where there is one series, of the series else; nil: those of curves
}

// BoxSeries is a box in every group.
type BoxSeries struct {
	Name   string
	Values [][]float64 // group x value
}

// pointsMost is how many values of a box are shown as points.
const pointsMost = 80

// Draw implements Picture.
func (p Boxes) Draw() (*image.RGBA, error) {
	m, _, err := p.draw()
	return m, err
}

// draw gives the image and the plot.
func (p Boxes) draw() (*image.RGBA, plot, error) {
	if len(p.Groups) == 0 || len(p.Series) == 0 {
		return nil, plot{}, errors.New("picture: boxes: no groups or no series")
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	sorted := make([][][]float64, len(p.Series))
	for k, s := range p.Series {
		if len(s.Values) != len(p.Groups) {
			return nil, plot{}, fmt.Errorf("picture: boxes: series %q has %d groups, want %d", s.Name, len(s.Values), len(p.Groups))
		}
		for _, values := range s.Values {
			values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !drawable(v) })
			slices.Sort(values)
			sorted[k] = append(sorted[k], values)
			switch {
			case len(values) > pointsMost:
				lo, hi = min(lo, at(values, 0.05)), max(hi, at(values, 0.95))
			case len(values) > 0:
				lo, hi = min(lo, values[0]), max(hi, values[len(values)-1])
			}
		}
	}
	if lo > hi {
		return nil, plot{}, errors.New("picture: boxes: no value that the axis can show")
	}
	h := &chart{title: p.Title, xlabel: p.XLabel, labels: []string{p.YLabel}, plots: []plot{logarithmic(lo, hi)}, high: 520}
	lines := h.columns(p.Groups, 90)
	if len(p.Series) > 1 {
		for k, s := range p.Series {
			h.names = append(h.names, name{text: s.Name, colour: colour(p.Colours, k)})
		}
	}
	c, err := h.lay()
	if err != nil {
		return nil, plot{}, err
	}
	q := h.plots[0]
	for g := range p.Groups {
		centre, slots := slots(q.box, g, len(p.Groups), len(p.Series))
		for k := range p.Series {
			col := colour(p.Colours, k)
			if len(p.Series) == 1 {
				col = colour(p.Colours, g)
			}
			q.spread(c, slots[k], sorted[k][g], col)
		}
		c.under(q.box, centre, lines[g])
	}
	h.finish(c)
	return c.RGBA, q, nil
}

// spread draws one box of sorted values.
func (q plot) spread(c *canvas, s slot, sorted []float64, col color.RGBA) {
	if len(sorted) == 0 {
		return
	}
	row := func(p float64) int {
		y, _ := q.height(at(sorted, p))
		return int(math.Round(y))
	}
	mid, third := (s.lo+s.hi)/2, (s.hi-s.lo)/3
	c.fill(image.Rect(mid-1, row(0.95), mid+1, row(0.05)), col)
	for _, p := range []float64{0.05, 0.95} {
		c.fill(image.Rect(mid-third/2, row(p)-1, mid+third/2, row(p)+1), col)
	}
	// A box is never so flat that it cannot be seen.
	top, low := row(0.75), row(0.25)
	if low-top < 4 {
		top, low = (top+low)/2-2, (top+low)/2+2
	}
	c.fill(image.Rect(s.lo, top, s.hi, low), col)
	c.fill(image.Rect(s.lo+2, top+2, s.hi-2, low-2), lighter(col, 0.62))
	if len(sorted) <= pointsMost && s.hi-s.lo >= 30 {
		for i, v := range sorted {
			y, _ := q.height(v)
			_, shift := math.Modf(0.6180339887 * float64(i)) // the golden section spreads them evenly
			c.disc(col, float64(s.lo)+float64(s.hi-s.lo)*(0.15+0.7*shift), y, 3)
		}
	}
	c.fill(image.Rect(s.lo, row(0.5)-2, s.hi, row(0.5)+2), ink)
}

// at gives the p-th quantile of sorted values, between two of them in proportion.
func at(sorted []float64, p float64) float64 {
	k, t := math.Modf(p * float64(len(sorted)-1))
	i := int(k)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i]*(1-t) + sorted[i+1]*t
}
