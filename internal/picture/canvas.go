package picture

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// ink is the colour of text, frames and marks.
var ink = color.RGBA{R: 0x1c, G: 0x1c, B: 0x20, A: 0xff}

// Sizes of fonts in pixels.
const (
	tickSize  = 18
	labelSize = 20
	titleSize = 20
	headSize  = 26
)

// maxPixels bounds a picture; beyond it, something is wrong with what is asked for.
const maxPixels = 1 << 27

var (
	regular = sync.OnceValue(func() *opentype.Font { return parse(liberationsansregular.TTF) })
	bold    = sync.OnceValue(func() *opentype.Font { return parse(liberationsansbold.TTF) })
)

// parse reads a font that is part of the program, which cannot fail.
func parse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(fmt.Sprintf("picture: font: %v", err))
	}
	return f
}

// face is a font at a size in pixels.
func face(f *opentype.Font, size int) font.Face {
	return font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}, Face: f}
}

// width is the number of pixels that s takes.
func width(f font.Face, s string) int { return int(math.Ceil(float64(f.Width(s)))) }

// canvas draws in pixels, y downwards from the top. Rectangles are written straight into the image, so that their edges are sharp.
type canvas struct {
	*image.RGBA
	vg *vgimg.Canvas
	h  int
}

// newCanvas gives a white picture of w x h pixels. At 72 dots an inch a point of vg is a pixel.
func newCanvas(w, h int) (*canvas, error) {
	if w < 1 || h < 1 || w > maxPixels/h {
		return nil, fmt.Errorf("picture: %d x %d pixels asked for, at most %d in all can be drawn", w, h, maxPixels)
	}
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(w), vg.Length(h)), vgimg.UseDPI(72))
	return &canvas{c.Image().(*image.RGBA), c, h}, nil
}

func (c *canvas) point(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x), Y: vg.Length(float64(c.h) - y)}
}

// fill paints a rectangle.
func (c *canvas) fill(r image.Rectangle, col color.RGBA) {
	draw.Draw(c.RGBA, r, image.NewUniform(col), image.Point{}, draw.Src)
}

// frame draws a line of two pixels around r, outside it.
func (c *canvas) frame(r image.Rectangle) {
	o := r.Inset(-2)
	c.fill(image.Rect(o.Min.X, o.Min.Y, o.Max.X, r.Min.Y), ink)
	c.fill(image.Rect(o.Min.X, r.Max.Y, o.Max.X, o.Max.Y), ink)
	c.fill(image.Rect(o.Min.X, r.Min.Y, r.Min.X, r.Max.Y), ink)
	c.fill(image.Rect(r.Max.X, r.Min.Y, o.Max.X, r.Max.Y), ink)
}

// text writes s with its baseline at y; align is the share of its width left of x: 0, 0.5 or 1.
func (c *canvas) text(f font.Face, col color.Color, x, y int, align float64, s string) {
	c.vg.SetColor(col)
	c.vg.FillString(f, c.point(math.Round(float64(x)-align*float64(f.Width(s))), float64(y)), s)
}

// upwards writes s from bottom to top, its middle at y and its baseline at x.
func (c *canvas) upwards(f font.Face, x, y int, s string) {
	c.vg.Push()
	c.vg.Translate(c.point(float64(x), math.Round(float64(y)+float64(f.Width(s))/2)))
	c.vg.Rotate(math.Pi / 2)
	// FillString measures from the lower edge of the canvas; the origin now lies at the text.
	c.vg.SetColor(ink)
	c.vg.FillString(f, vg.Point{}, s)
	c.vg.Pop()
}

// path gives the line through points, an x and a y each.
func (c *canvas) path(points [][2]float64) vg.Path {
	var p vg.Path
	for i, q := range points {
		if i == 0 {
			p.Move(c.point(q[0], q[1]))
		} else {
			p.Line(c.point(q[0], q[1]))
		}
	}
	return p
}

// line draws a line through points; dash, where not nil, alternates lengths of line and gap.
func (c *canvas) line(col color.Color, thick float64, dash []vg.Length, points ...[2]float64) {
	c.vg.SetColor(col)
	c.vg.SetLineWidth(vg.Length(thick))
	c.vg.SetLineDash(dash, 0)
	c.vg.Stroke(c.path(points))
}

// polygon fills the area that points enclose.
func (c *canvas) polygon(col color.Color, points ...[2]float64) {
	p := c.path(points)
	p.Close()
	c.vg.SetColor(col)
	c.vg.Fill(p)
}
