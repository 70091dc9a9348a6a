package picture

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gonum.org/v1/plot/vg"
)

// Histograms shows how often values occur, in panels one above the other with one logarithmic axis, such as a ratio before and after
// something was done to it. Values that the axis cannot show (zero, negative, NaN, infinite) are left out, and counted in the head.
type Histograms struct {
	Title, XLabel, YLabel string
	Names                 []string // of the series, whose bars stand on top of each other; an empty name leaves it out of the legend
	Panels                []HistogramPanel
	Bound                 float64 // a vertical line; 0: none
	BoundName             string
}

// HistogramPanel is one of the panels.
type HistogramPanel struct {
	Head   string
	Values [][]float64 // series x value
}

// bins is the number of bars of a panel.
const bins = 50

// Draw implements Picture.
func (p Histograms) Draw() (*image.RGBA, error) {
	m, _, err := p.draw()
	return m, err
}

// draw gives the image and the plots.
func (p Histograms) draw() (*image.RGBA, []plot, error) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, panel := range p.Panels {
		if len(panel.Values) != len(p.Names) {
			return nil, nil, fmt.Errorf("picture: histograms: panel %q has %d series, want %d", panel.Head, len(panel.Values), len(p.Names))
		}
		for _, series := range panel.Values {
			for _, v := range series {
				if drawable(v) {
					lo, hi = min(lo, v), max(hi, v)
				}
			}
		}
	}
	if lo > hi {
		return nil, nil, errors.New("picture: histograms: no value that the axis can show")
	}
	if drawable(p.Bound) {
		lo, hi = min(lo, p.Bound), max(hi, p.Bound)
	}
	along := logarithmic(lo, hi)
	along.y = aligned(along.y, p.Bound)
	h := &chart{title: p.Title, xlabel: p.XLabel, wide: curveWide, high: 240}
	for k, s := range p.Names {
		if s != "" {
			h.names = append(h.names, name{text: s, colour: lineColours[k%len(lineColours)]})
		}
	}
	if drawable(p.Bound) {
		h.names = append(h.names, name{text: p.BoundName, colour: ink, dash: dashes[0]})
	}
	counts := make([][][]int, len(p.Panels))
	for i, panel := range p.Panels {
		var lost, top int
		counts[i], lost, top = count(panel.Values, along.y)
		head := panel.Head
		if lost > 0 {
			head += fmt.Sprintf(" (%d without a place on the axis)", lost)
		}
		q := linear(0, 1.1*float64(max(top, 1)))
		q.yt = ticks(0, q.y.hi, 1, 4)
		h.heads, h.labels, h.plots = append(h.heads, head), append(h.labels, p.YLabel), append(h.plots, q)
	}
	c, err := h.lay()
	if err != nil {
		return nil, nil, err
	}
	for i, q := range h.plots {
		q.x = along.y
		h.plots[i].x = q.x
		for b := range bins {
			x0, x1 := q.box.Min.X+b*q.box.Dx()/bins, q.box.Min.X+(b+1)*q.box.Dx()/bins
			sum := 0
			for k, n := range counts[i][b] {
				low, _ := q.height(float64(sum))
				sum += n
				high, _ := q.height(float64(sum))
				c.fill(image.Rect(x0+1, int(math.Round(high)), x1-1, int(math.Round(low))), lineColours[k%len(lineColours)])
			}
		}
		if drawable(p.Bound) {
			x := float64(q.box.Min.X + q.x.at(math.Log10(p.Bound), q.box.Dx()))
			c.line(ink, 3, []vg.Length{12, 7}, [2]float64{x, float64(q.box.Max.Y)}, [2]float64{x, float64(q.box.Min.Y)})
		}
	}
	h.finish(c)
	last := h.plots[len(h.plots)-1]
	var marks []tick
	for _, t := range along.yt {
		if v := math.Log10(t.at); v >= last.x.lo && v <= last.x.hi {
			marks = append(marks, tick{v, t.label})
		}
	}
	c.lowerTicks(last.box, last.x, marks)
	return c.RGBA, h.plots, nil
}

// aligned moves a logarithmic axis by less than a bin, so that a bin begins at the bound: what lies on it, but for rounding, counts
// as above.
func aligned(a axis, bound float64) axis {
	if !drawable(bound) {
		return a
	}
	step := (a.hi - a.lo) / bins
	_, part := math.Modf((math.Log10(bound) - 1e-5 - a.lo) / step)
	a.lo, a.hi = a.lo+part*step, a.hi+part*step
	return a
}

// count sorts values into the bins of a logarithmic axis: bin x series. lost is how many have no place, top the highest bar.
func count(values [][]float64, a axis) (out [][]int, lost, top int) {
	out = make([][]int, bins)
	for b := range out {
		out[b] = make([]int, len(values))
	}
	for k, series := range values {
		for _, v := range series {
			if !drawable(v) {
				lost++
				continue
			}
			out[min(max(int(float64(bins)*(math.Log10(v)-a.lo)/(a.hi-a.lo)), 0), bins-1)][k]++
		}
	}
	for _, b := range out {
		sum := 0
		for _, n := range b {
			sum += n
		}
		top = max(top, sum)
	}
	return out, lost, top
}
