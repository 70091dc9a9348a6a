package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
)

// Bars counts things: groups along the axis, and in each group a bar per series, made of parts on top of each other that get paler.
// With one series every group has a colour of its own, with several every series.
type Bars struct {
	Title, XLabel, YLabel string
	Groups                []string // below the axis; a line break starts a second line
	Parts                 []string // names of the parts; nil where there is one
	Series                []BarSeries
	Colours               []color.RGBA // nil: those of curves
}

// BarSeries is a bar in every group.
type BarSeries struct {
	Name   string
	Values [][]float64 // part x group, none negative
}

func (p Bars) check() error {
	if len(p.Groups) == 0 || len(p.Series) == 0 {
		return errors.New("picture: bars: no groups or no series")
	}
	for _, s := range p.Series {
		if len(s.Values) != max(1, len(p.Parts)) {
			return fmt.Errorf("picture: bars: series %q has %d parts, want %d", s.Name, len(s.Values), max(1, len(p.Parts)))
		}
		for _, part := range s.Values {
			if len(part) != len(p.Groups) {
				return fmt.Errorf("picture: bars: series %q has %d values, want one for each of %d groups", s.Name, len(part), len(p.Groups))
			}
			for _, v := range part {
				if !(v >= 0 && v < 1e250) {
					return fmt.Errorf("picture: bars: series %q has a bar of %g", s.Name, v)
				}
			}
		}
	}
	return nil
}

// Draw implements Picture.
func (p Bars) Draw() (*image.RGBA, error) {
	m, _, err := p.draw()
	return m, err
}

// draw gives the image and the plot.
func (p Bars) draw() (*image.RGBA, plot, error) {
	if err := p.check(); err != nil {
		return nil, plot{}, err
	}
	top := 0.0
	for _, s := range p.Series {
		for g := range p.Groups {
			top = max(top, s.total(g))
		}
	}
	if top == 0 {
		top = 1
	}
	h := &chart{title: p.Title, xlabel: p.XLabel, labels: []string{p.YLabel}, plots: []plot{linear(0, 1.12*top)}, high: 460}
	lines := h.columns(p.Groups, 90)
	if len(p.Series) > 1 {
		for k, s := range p.Series {
			h.names = append(h.names, name{text: s.Name, colour: colour(p.Colours, k)})
		}
	}
	for i, s := range p.Parts {
		h.names = append(h.names, name{text: s, colour: paler(levelColour, i)})
	}
	c, err := h.lay()
	if err != nil {
		return nil, plot{}, err
	}
	q := h.plots[0]
	small := face(regular(), tickSize)
	for g := range p.Groups {
		centre, slots := slots(q.box, g, len(p.Groups), len(p.Series))
		for k, s := range p.Series {
			col := colour(p.Colours, k)
			if len(p.Series) == 1 {
				col = colour(p.Colours, g)
			}
			sum := 0.0
			for i, part := range s.Values {
				low, _ := q.height(sum)
				sum += part[g]
				high, _ := q.height(sum)
				c.fill(image.Rect(slots[k].lo, int(math.Round(high)), slots[k].hi, int(math.Round(low))), paler(col, i))
			}
			y, _ := q.height(sum)
			if text := figure(sum, 2); width(small, text) <= slots[k].hi-slots[k].lo+6 {
				c.text(small, ink, (slots[k].lo+slots[k].hi)/2, int(math.Round(y))-7, 0.5, whole(sum, text))
			}
		}
		c.under(q.box, centre, lines[g])
	}
	h.finish(c)
	return c.RGBA, q, nil
}

// whole writes v as it is where it is a count, text where it is not.
func whole(v float64, text string) string {
	if v == math.Trunc(v) && v < 1e6 {
		return fmt.Sprintf("%.0f", v)
	}
	return text
}

// total is the height of the bar in a group.
func (s BarSeries) total(g int) float64 {
	sum := 0.0
	for _, part := range s.Values {
		sum += part[g]
	}
	return sum
}

// paler is the colour of the i-th part of a bar.
func paler(c color.RGBA, i int) color.RGBA { return lighter(c, 1-math.Pow(0.5, float64(i))) }

// columns breaks the names of groups into lines, and makes the chart wide enough for groups of these names, none narrower than least.
func (h *chart) columns(groups []string, least int) [][]string {
	lines, need := make([][]string, len(groups)), least
	for i, s := range groups {
		lines[i] = strings.Split(s, "\n")
		h.under = max(h.under, len(lines[i]))
		for _, l := range lines[i] {
			need = max(need, width(face(regular(), tickSize), l)+18)
		}
	}
	h.wide = max(min(max(180*len(groups), 700), curveWide), need*len(groups))
	return lines
}

// slot is the place of a bar along the axis.
type slot struct{ lo, hi int }

// slots gives the middle of group g of n in box, and the places of its bars.
func slots(box image.Rectangle, g, n, bars int) (centre int, out []slot) {
	wide := float64(box.Dx()) / float64(n)
	middle := float64(box.Min.X) + wide*(float64(g)+0.5)
	each := min(0.76*wide/float64(bars), 110)
	gap := min(6, 0.12*each)
	for k := range bars {
		x := middle + each*(float64(k)-float64(bars)/2)
		out = append(out, slot{int(math.Round(x + gap/2)), int(math.Round(x + each - gap/2))})
	}
	return int(math.Round(middle)), out
}
