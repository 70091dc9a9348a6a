package picture

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Line is a curve: y over x. With x nil, y is over 1, 2, 3, ...
type Line struct {
	Name string
	X, Y []float64
}

// Level is a horizontal line, such as the error of always predicting the mean map.
type Level struct {
	Name string
	Y    float64
}

// Curves shows losses against epochs or steps on a logarithmic axis. Values that this axis cannot show (zero, negative, NaN,
// infinite) interrupt their line.
type Curves struct {
	Title  string
	XLabel string // empty: "Epoch"
	YLabel string // empty: "Loss"
	Lines  []Line
	Levels []Level
	Rate   *Line // the learning rate, in a strip of its own below; nil for none
	Linear bool  // a linear axis in place of the logarithmic one
}

// Sizes in pixels.
const (
	curveWide, curveHigh, rateHigh = 1100, 560, 150
	plotGap                        = 26
)

var (
	gridColour  = color.RGBA{R: 0xe4, G: 0xe4, B: 0xe8, A: 0xff}
	levelColour = color.RGBA{R: 0x70, G: 0x70, B: 0x78, A: 0xff}
	lineColours = []color.RGBA{
		lch(0.52, 0.155, 258).rgb(), lch(0.66, 0.170, 48).rgb(), lch(0.60, 0.120, 160).rgb(), lch(0.55, 0.190, 350).rgb(),
		lch(0.70, 0.130, 85).rgb(), lch(0.48, 0.150, 300).rgb(),
	}
	dashes = [][]vg.Length{{12, 7}, {4, 5}, {16, 5, 4, 5}} // of the levels
)

// plot is an area of curves: its rectangle and axes. With log, y holds logarithms.
type plot struct {
	box  image.Rectangle
	x, y axis
	log  bool
	yt   []tick
}

// Draw implements Picture.
func (p Curves) Draw() (*image.RGBA, error) {
	m, _, err := p.draw()
	return m, err
}

// draw gives the image and the areas of the losses and, where asked for, of the rate.
func (p Curves) draw() (*image.RGBA, []plot, error) {
	plots, err := p.plots()
	if err != nil {
		return nil, nil, err
	}
	small, normal := face(regular(), tickSize), face(regular(), labelSize)
	long := func(s string) int { return width(small, s) }
	left := 0
	for _, q := range plots {
		left = max(left, longest(q.yt, long))
	}
	left += margin + labelSize + 12 + mark + 6
	entries, legendHigh := p.legend(left)
	y := margin
	if p.Title != "" {
		y += headSize + 14
	}
	legendTop := y
	y += legendHigh
	for i := range plots {
		high := curveHigh
		if i > 0 {
			y += plotGap
			high = rateHigh
		}
		plots[i].box = image.Rect(left, y, left+curveWide, y+high)
		y += high
	}
	c, err := newCanvas(max(left+curveWide+margin+20, width(face(bold(), headSize), p.Title)+2*margin), y+underTicks+margin-4)
	if err != nil {
		return nil, nil, err
	}
	c.text(face(bold(), headSize), ink, c.Bounds().Dx()/2, margin+headSize-4, 0.5, p.Title)
	for _, e := range entries {
		base := float64(legendTop + e.y)
		c.line(e.colour, 3.5, e.dash, [2]float64{float64(e.x), base - 6}, [2]float64{float64(e.x + 44), base - 6})
		c.text(normal, ink, e.x+54, legendTop+e.y, 0, e.name)
	}

	labels := []string{cmp.Or(p.YLabel, "Loss")}
	if p.Rate != nil {
		labels = append(labels, cmp.Or(p.Rate.Name, "Learning rate"))
	}
	for i, q := range plots {
		xt := axisTicks(q.x, q.box.Dx(), long)
		q.grid(c, xt)
		if i == 0 {
			for k, l := range p.Levels {
				if h, ok := q.height(l.Y); ok {
					c.line(levelColour, 3, dashes[k%len(dashes)], [2]float64{float64(q.box.Min.X), h}, [2]float64{float64(q.box.Max.X), h})
				}
			}
			for k, l := range p.Lines {
				q.curve(c, l, lineColours[k%len(lineColours)])
			}
		} else {
			q.curve(c, *p.Rate, levelColour)
		}
		c.frame(q.box)
		q.sideTicks(c)
		c.upwards(normal, margin+labelSize-4, (q.box.Min.Y+q.box.Max.Y)/2, labels[i])
		if i == len(plots)-1 {
			c.lowerTicks(q.box, q.x, xt)
			c.text(normal, ink, (q.box.Min.X+q.box.Max.X)/2, q.box.Max.Y+underTicks, 0.5, cmp.Or(p.XLabel, "Epoch"))
		}
	}
	return c.RGBA, plots, nil
}

// plots gives the areas with their axes, without their places.
func (p Curves) plots() ([]plot, error) {
	x, y := axis{lo: math.Inf(1), hi: math.Inf(-1)}, axis{lo: math.Inf(1), hi: math.Inf(-1)}
	// Beyond these sizes the ends of the axis itself would overflow.
	usable := func(v float64) bool { return math.Abs(v) < 1e250 && (p.Linear || v > 1e-250) }
	seen := func(l Line, what string, ok func(float64) bool, y *axis) error {
		if l.X != nil && len(l.X) != len(l.Y) {
			return fmt.Errorf("picture: curves: %s %q has %d values over %d places", what, l.Name, len(l.Y), len(l.X))
		}
		for i, v := range l.Y {
			if t := l.place(i); math.Abs(t) < 1e250 && ok(v) {
				x.lo, x.hi = min(x.lo, t), max(x.hi, t)
				y.lo, y.hi = min(y.lo, v), max(y.hi, v)
			}
		}
		return nil
	}
	for _, l := range p.Lines {
		if err := seen(l, "line", usable, &y); err != nil {
			return nil, err
		}
	}
	if x.lo > x.hi {
		return nil, errors.New("picture: curves: no line has a value that the axis can show")
	}
	for _, l := range p.Levels {
		if usable(l.Y) {
			y.lo, y.hi = min(y.lo, l.Y), max(y.hi, l.Y)
		}
	}
	rate := axis{lo: 0, hi: math.Inf(-1)}
	if p.Rate != nil {
		if err := seen(*p.Rate, "rate", func(v float64) bool { return math.Abs(v) < 1e250 }, &rate); err != nil {
			return nil, err
		}
	}
	if x.lo == x.hi {
		pad := max(0.5, 1e-3*math.Abs(x.lo))
		x.lo, x.hi = x.lo-pad, x.hi+pad
	}
	loss := plot{x: x, log: !p.Linear}
	if loss.log {
		// A twentieth of the height stays free at both ends, and a tenth of a decade at least.
		pad := max(0.05*(math.Log10(y.hi)-math.Log10(y.lo)), 0.05)
		loss.yt = logTicks(y.lo*math.Pow(10, -pad), y.hi*math.Pow(10, pad), 6)
		loss.y = axis{lo: math.Log10(y.lo) - pad, hi: math.Log10(y.hi) + pad}
	} else {
		lo, hi := span(y.lo, y.hi, true)
		loss.y = axis{lo: lo - 0.05*(hi-lo), hi: hi + 0.05*(hi-lo)}
		loss.yt = ticks(loss.y.lo, loss.y.hi, 0, 6)
	}
	out := []plot{loss}
	if p.Rate != nil {
		rate.lo, rate.hi = span(rate.lo, rate.hi, rate.lo <= rate.hi)
		rate.hi += 0.1 * (rate.hi - rate.lo)
		out = append(out, plot{x: x, y: rate, yt: ticks(rate.lo, rate.hi, 0, 3)})
	}
	return out, nil
}

// place is the position of the i-th value.
func (l Line) place(i int) float64 {
	if l.X == nil {
		return float64(i + 1)
	}
	return l.X[i]
}

// entry is a name of the legend with its sample of line.
type entry struct {
	name   string
	colour color.RGBA
	dash   []vg.Length
	x, y   int
}

// legend places the names in lines above the plot, so that they hide nothing, and tells the height that they take.
func (p Curves) legend(left int) ([]entry, int) {
	var out []entry
	for i, l := range p.Lines {
		out = append(out, entry{name: l.Name, colour: lineColours[i%len(lineColours)]})
	}
	for i, l := range p.Levels {
		out = append(out, entry{name: l.Name, colour: levelColour, dash: dashes[i%len(dashes)]})
	}
	normal := face(regular(), labelSize)
	x, y := left, labelSize
	for i := range out {
		need := 54 + width(normal, out[i].name)
		if x > left && x+need > left+curveWide {
			x, y = left, y+labelSize+12
		}
		out[i].x, out[i].y = x, y
		x += need + 36
	}
	return out, y + 16
}

// height is the pixel row of a value; ok is false where the axis cannot show it.
func (q plot) height(v float64) (y float64, ok bool) {
	if q.log {
		v = math.Log10(v)
	}
	if !(v >= q.y.lo && v <= q.y.hi) {
		return 0, false
	}
	return float64(q.box.Max.Y) - float64(q.box.Dy())*(v-q.y.lo)/(q.y.hi-q.y.lo), true
}

// grid draws the fine lines behind the curves.
func (q plot) grid(c *canvas, xt []tick) {
	for _, t := range q.yt {
		if h, ok := q.height(t.at); ok && t.label != "" {
			y := int(math.Round(h))
			c.fill(image.Rect(q.box.Min.X, y-1, q.box.Max.X, y+1), gridColour)
		}
	}
	for _, t := range xt {
		x := q.box.Min.X + q.x.at(t.at, q.box.Dx())
		c.fill(image.Rect(x-1, q.box.Min.Y, x+1, q.box.Max.Y), gridColour)
	}
}

// sideTicks marks the y axis, which points upwards.
func (q plot) sideTicks(c *canvas) {
	for _, t := range q.yt {
		h, ok := q.height(t.at)
		if !ok {
			continue
		}
		y, n := int(math.Round(h)), mark
		if t.label == "" {
			n = mark / 2
		}
		c.fill(image.Rect(q.box.Min.X-2-n, y-1, q.box.Min.X-2, y+1), ink)
		c.text(face(regular(), tickSize), ink, q.box.Min.X-mark-6, y+tickSize/3, 1, t.label)
	}
}

// curve draws a line, interrupted where a value cannot be shown; a value between two such is a dot.
func (q plot) curve(c *canvas, l Line, col color.RGBA) {
	var run [][2]float64
	flush := func() {
		switch len(run) {
		case 0:
		case 1:
			x, y := int(math.Round(run[0][0])), int(math.Round(run[0][1]))
			c.fill(image.Rect(x-4, y-4, x+4, y+4), col)
		default:
			c.line(col, 3, nil, run...)
		}
		run = run[:0]
	}
	for i, v := range l.Y {
		h, ok := q.height(v)
		t := l.place(i)
		if !ok || !(t >= q.x.lo && t <= q.x.hi) {
			flush()
			continue
		}
		run = append(run, [2]float64{float64(q.box.Min.X) + float64(q.box.Dx())*(t-q.x.lo)/(q.x.hi-q.x.lo), h})
	}
	flush()
}
