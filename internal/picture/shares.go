package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
)

// Shares shows how something is divided, sample by sample: a column per sample, made of the shares on top of each other. Where there
// are more columns than pixels, a pixel shows their mean.
type Shares struct {
	Title, XLabel, YLabel string
	Names                 []string // of the shares, from the bottom upwards
	Sections              []Section
	Colours               []color.RGBA // nil: those of curves
}

// Section is a part of the samples, apart from the others and with its name below; a line break starts a second line.
type Section struct {
	Name   string
	Values [][]float64 // sample x share
}

// Draw implements Picture.
func (p Shares) Draw() (*image.RGBA, error) {
	m, _, err := p.draw()
	return m, err
}

// draw gives the image and the boxes of the sections.
func (p Shares) draw() (*image.RGBA, []image.Rectangle, error) {
	total := 0
	for _, s := range p.Sections {
		if len(s.Values) == 0 {
			return nil, nil, fmt.Errorf("picture: shares: section %q has no samples", s.Name)
		}
		for i, v := range s.Values {
			if len(v) != len(p.Names) {
				return nil, nil, fmt.Errorf("picture: shares: sample %d of section %q has %d shares, want %d", i, s.Name, len(v), len(p.Names))
			}
		}
		total += len(s.Values)
	}
	if total == 0 || len(p.Names) == 0 {
		return nil, nil, errors.New("picture: shares: no samples or no shares")
	}
	const gap = 10
	h := &chart{title: p.Title, xlabel: p.XLabel, labels: []string{p.YLabel}, plots: []plot{linear(0, 1)}, high: 420}
	lines, needs := make([][]string, len(p.Sections)), make([]int, len(p.Sections))
	all := float64(curveWide)
	for i, s := range p.Sections {
		lines[i] = strings.Split(s.Name, "\n")
		h.under = max(h.under, len(lines[i]))
		for _, l := range lines[i] {
			needs[i] = max(needs[i], width(face(regular(), tickSize), l)+8)
		}
		all = max(all, float64(needs[i])*float64(total)/float64(len(s.Values)))
	}
	// Sections are as wide as they have samples, unless that takes too much room for the names of small ones.
	all = min(all, 1.5*curveWide)
	wides := make([]int, len(p.Sections))
	for i, s := range p.Sections {
		wides[i] = max(int(all*float64(len(s.Values))/float64(total)), needs[i])
		h.wide += wides[i] + gap
	}
	h.wide -= gap
	for k, n := range p.Names {
		h.names = append(h.names, name{text: n, colour: colour(p.Colours, k)})
	}
	c, err := h.lay()
	if err != nil {
		return nil, nil, err
	}
	q := h.plots[0]
	x := q.box.Min.X
	var boxes []image.Rectangle
	for i, s := range p.Sections {
		box := image.Rect(x, q.box.Min.Y, x+wides[i], q.box.Max.Y)
		p.section(c, q, box, s)
		if i > 0 {
			c.fill(image.Rect(x-gap, box.Min.Y, x, box.Max.Y), color.RGBA{R: 255, G: 255, B: 255, A: 255})
		}
		c.under(box, (box.Min.X+box.Max.X)/2, lines[i])
		boxes = append(boxes, box)
		x = box.Max.X + gap
	}
	h.finish(c)
	return c.RGBA, boxes, nil
}

// section draws the columns of a section.
func (p Shares) section(c *canvas, q plot, box image.Rectangle, s Section) {
	n, wide := len(s.Values), box.Dx()
	bars := min(n, wide)
	for b := range bars {
		x0, x1 := box.Min.X+b*wide/bars, box.Min.X+(b+1)*wide/bars
		if wide/bars >= 8 && b > 0 {
			x0 += 2 // columns that are wide stand apart
		}
		from, to := b*n/bars, (b+1)*n/bars
		sum := 0.0
		for k := range p.Names {
			low, _ := q.height(min(max(sum, 0), 1))
			for _, v := range s.Values[from:to] {
				sum += v[k] / float64(to-from)
			}
			high, _ := q.height(min(max(sum, 0), 1))
			c.fill(image.Rect(x0, int(math.Round(high)), x1, int(math.Round(low))), colour(p.Colours, k))
		}
	}
}
