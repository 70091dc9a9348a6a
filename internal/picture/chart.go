package picture

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// chart is what bars, boxes, shares and histograms have in common: plots one above the other with the same x axis, a title and a
// legend above them.
type chart struct {
	title  string
	xlabel string
	names  []name
	plots  []plot
	labels []string // of the y axes
	heads  []string // above the plots; nil for none
	wide   int      // pixels of a plot
	high   int
	under  int // lines of text below the last plot, in place of one line of ticks; 0: one
}

// name is an entry of a legend: a patch of a colour, or a line where dash is not nil.
type name struct {
	text   string
	colour color.RGBA
	dash   []vg.Length
}

// lay places the plots, and draws what lies behind and around them. Call finish when they are filled.
func (h *chart) lay() (*canvas, error) {
	small, normal := face(regular(), tickSize), face(regular(), labelSize)
	left := 0
	for _, q := range h.plots {
		left = max(left, longest(q.yt, func(s string) int { return width(small, s) }))
	}
	left += margin + labelSize + 12 + mark + 6
	y := margin
	if h.title != "" {
		y += headSize + 14
	}
	// The legend breaks into lines where it is too long for one.
	places := make([]image.Point, len(h.names))
	x := left
	for i, n := range h.names {
		need := 34 + width(normal, n.text)
		if x > left && x+need > left+h.wide {
			x, y = left, y+labelSize+12
		}
		places[i] = image.Pt(x, y+labelSize)
		x += need + 32
	}
	if len(h.names) > 0 {
		y += labelSize + 16
	}
	for i := range h.plots {
		if i > 0 {
			y += plotGap
		}
		if h.heads != nil {
			y += titleSize + 10
		}
		h.plots[i].box = image.Rect(left, y, left+h.wide, y+h.high)
		y += h.high
	}
	c, err := newCanvas(max(left+h.wide+margin+20, width(face(bold(), headSize), h.title)+2*margin), h.baseline(y)+margin-4)
	if err != nil {
		return nil, err
	}
	c.text(face(bold(), headSize), ink, c.Bounds().Dx()/2, margin+headSize-4, 0.5, h.title)
	for i, n := range h.names {
		p := places[i]
		if n.dash != nil {
			c.line(n.colour, 3, n.dash, [2]float64{float64(p.X - 8), float64(p.Y - 7)}, [2]float64{float64(p.X + 24), float64(p.Y - 7)})
		} else {
			c.fill(image.Rect(p.X, p.Y-16, p.X+20, p.Y+2), n.colour)
		}
		c.text(normal, ink, p.X+30, p.Y, 0, n.text)
	}
	for i, q := range h.plots {
		q.grid(c, nil)
		if h.heads != nil {
			c.text(face(bold(), titleSize), ink, left, q.box.Min.Y-10, 0, h.heads[i])
		}
	}
	return c, nil
}

// finish draws what lies above the contents of the plots.
func (h *chart) finish(c *canvas) {
	normal := face(regular(), labelSize)
	for i, q := range h.plots {
		c.frame(q.box)
		q.sideTicks(c)
		c.upwards(normal, margin+labelSize-4, (q.box.Min.Y+q.box.Max.Y)/2, h.labels[i])
	}
	box := h.plots[len(h.plots)-1].box
	c.text(normal, ink, (box.Min.X+box.Max.X)/2, h.baseline(box.Max.Y), 0.5, h.xlabel)
}

// baseline is that of the label of the x axis, or of the last line above it where there is no label.
func (h *chart) baseline(bottom int) int {
	y := bottom + underTicks + max(0, h.under-1)*(tickSize+4)
	if h.xlabel == "" {
		y -= labelSize
	}
	return y
}

// under writes lines of text below a box, their middle at x.
func (c *canvas) under(box image.Rectangle, x int, lines []string) {
	for i, s := range lines {
		c.text(face(regular(), tickSize), ink, x, box.Max.Y+mark+tickSize+4+i*(tickSize+4), 0.5, s)
	}
}

// disc fills a circle of radius r.
func (c *canvas) disc(col color.Color, x, y, r float64) {
	points := make([][2]float64, 24)
	for i := range points {
		s, k := math.Sincos(2 * math.Pi * float64(i) / float64(len(points)))
		points[i] = [2]float64{x + r*k, y + r*s}
	}
	c.polygon(col, points...)
}

// linear gives a plot from lo to hi.
func linear(lo, hi float64) plot {
	return plot{y: axis{lo: lo, hi: hi}, yt: ticks(lo, hi, 0, 6)}
}

// logarithmic gives a plot from below lo to above hi, both positive. Within a decade every mark has its label.
func logarithmic(lo, hi float64) plot {
	pad := max(0.05*(math.Log10(hi)-math.Log10(lo)), 0.05)
	marks := logTicks(lo*math.Pow(10, -pad), hi*math.Pow(10, pad), 6)
	if math.Log10(hi)-math.Log10(lo)+2*pad < 1 {
		for i, t := range marks {
			if t.label == "" {
				marks[i].label = figure(t.at, 1)
			}
		}
	}
	return plot{log: true, y: axis{lo: math.Log10(lo) - pad, hi: math.Log10(hi) + pad}, yt: marks}
}

// drawable tells whether a logarithmic axis can show v.
func drawable(v float64) bool { return v > 1e-250 && v < 1e250 }

// lighter mixes a colour with white: t = 0 leaves it, 1 is white.
func lighter(c color.RGBA, t float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(math.Round(float64(v) + t*(255-float64(v)))) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), c.A}
}

// Steps gives n colours from a palette, without its palest part.
func (p Palette) Steps(n int) []color.RGBA {
	out := make([]color.RGBA, n)
	for i := range out {
		out[i] = p.At(0.1 + 0.75*(float64(i)+0.5)/float64(n))
	}
	return out
}

// colour gives the i-th of colours, or of those of curves where there are none.
func colour(colours []color.RGBA, i int) color.RGBA {
	if len(colours) == 0 {
		colours = lineColours
	}
	return colours[i%len(colours)]
}
