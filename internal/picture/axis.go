package picture

import (
	"image"
	"image/color"
	"math"
)

// axis is a range of values and its label. No two of its ticks are closer than least.
type axis struct {
	lo, hi float64
	label  string
	least  float64
}

// at gives the pixel of v on an axis of n pixels.
func (a axis) at(v float64, n int) int {
	return int(math.Round(float64(n) * (v - a.lo) / (a.hi - a.lo)))
}

// Distances in pixels.
const (
	mark       = 7                                // length of a tick
	underTicks = mark + tickSize + labelSize + 12 // from an edge to the baseline of the label below its ticks
)

// axisTicks gives the marks of an axis of n pixels whose labels, length(label) pixels long, leave room between each other.
func axisTicks(a axis, n int, length func(string) int) []tick {
	for k := 6; ; k-- {
		t := ticks(a.lo, a.hi, a.least, k)
		if k == 1 || len(t) == 1 {
			return t[:1]
		}
		if 1.3*float64(longest(t, length))+10 < float64(a.at(t[1].at, n)-a.at(t[0].at, n)) {
			return t
		}
	}
}

// longest is the largest length of a label.
func longest(marks []tick, length func(string) int) int {
	n := 0
	for _, t := range marks {
		n = max(n, length(t.label))
	}
	return n
}

// sideTicks marks an axis that runs down the left side of box.
func (c *canvas) sideTicks(box image.Rectangle, a axis, marks []tick) {
	small := face(regular(), tickSize)
	for _, t := range marks {
		y := box.Min.Y + a.at(t.at, box.Dy())
		c.fill(image.Rect(box.Min.X-2-mark, y-1, box.Min.X-2, y+1), ink)
		c.text(small, ink, box.Min.X-mark-6, y+tickSize/3, 1, t.label)
	}
}

// lowerTicks marks an axis that runs along the lower side of box.
func (c *canvas) lowerTicks(box image.Rectangle, a axis, marks []tick) {
	small := face(regular(), tickSize)
	for _, t := range marks {
		x := box.Min.X + a.at(t.at, box.Dx())
		c.fill(image.Rect(x-1, box.Max.Y+2, x+1, box.Max.Y+2+mark), ink)
		c.text(small, ink, x, box.Max.Y+mark+tickSize+4, 0.5, t.label)
	}
}

// bar draws a colour bar into r; a pointed end says that values beyond it take its colour.
func (c *canvas) bar(r image.Rectangle, b bar) {
	n := r.Dx()
	for x := range n {
		c.fill(image.Rect(r.Min.X+x, r.Min.Y, r.Min.X+x+1, r.Max.Y), b.scale.palette.At(float64(x)/float64(max(n-1, 1))))
	}
	c.frame(r)
	tip := func(edge, reach int, col color.RGBA) {
		top, low, mid := float64(r.Min.Y-1), float64(r.Max.Y+1), float64(r.Min.Y+r.Max.Y)/2
		shape := [][2]float64{{float64(edge), top}, {float64(edge + reach), mid}, {float64(edge), low}}
		c.polygon(col, shape...)
		c.line(ink, 2, nil, shape...)
	}
	if b.scale.below {
		tip(r.Min.X-2, -14, b.scale.palette.At(0))
	}
	if b.scale.above {
		tip(r.Max.X+2, 14, b.scale.palette.At(1))
	}
	small := face(regular(), tickSize)
	a := axis{lo: b.scale.lo, hi: b.scale.hi}
	c.lowerTicks(r, a, axisTicks(a, n, func(s string) int { return width(small, s) }))
	c.text(face(regular(), labelSize), ink, (r.Min.X+r.Max.X)/2, r.Max.Y+underTicks, 0.5, b.label)
}
