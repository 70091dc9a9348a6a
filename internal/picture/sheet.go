package picture

import (
	"image"
	"math"
	"slices"
)

// panel is one map of a sheet.
type panel struct {
	data  []float32
	title string
	scale scale
}

// bar is a horizontal colour bar below columns first to last.
type bar struct {
	scale       scale
	label       string
	first, last int
}

// sheet is a page of maps of equal size in rows and columns, with depth (or time) down the left side, distance along the lower side
// and colour bars below.
type sheet struct {
	head   string
	nz, nx int
	pw, ph int // pixels of a panel
	x, z   axis
	rows   [][]panel // may be ragged
	labels []string  // of the rows; empty for none
	level  bool      // labels of rows are written level instead of upwards
	bars   []bar
}

// placement tells where a sheet's parts lie, in pixels.
type placement struct {
	size           image.Point
	panels         [][]image.Rectangle
	bars           []image.Rectangle
	xt, zt         []tick
	row, z         int // right end or baseline of the labels of rows; baseline of the label of the z axis
	middle, bottom int // middle of all columns, lower edge of the last row
}

// Distances in pixels, and a number of columns.
const (
	margin   = 24
	barHigh  = 22
	barMost  = 760 // largest width of a colour bar
	labelled = 5   // largest number of columns that each carry the label of the axis; more share one
)

// fit gives the number of pixels of a panel of nz x nx cells whose sides are as 1 to aspect (height over width): about side x side in
// area, whole multiples of the cells where they are large enough, no side under least.
func fit(nz, nx int, aspect float64, side, least int) (w, h int) {
	const most = 1400
	root := math.Sqrt(aspect)
	whole := func(want float64, n int) int {
		want = min(max(want, float64(least)), most)
		if k := int(math.Round(want / float64(n))); k >= 1 && k*n <= most {
			return k * n
		}
		return int(want)
	}
	return whole(float64(side)/root, nx), whole(float64(side)*root, nz)
}

// draw lays the sheet out and paints it.
func (s *sheet) draw() (*image.RGBA, *placement, error) {
	p := s.place()
	c, err := newCanvas(p.size.X, p.size.Y)
	if err != nil {
		return nil, nil, err
	}
	s.paint(c, p)
	return c.RGBA, p, nil
}

// columns is the largest number of panels in a row.
func (s *sheet) columns() int {
	n := 0
	for _, r := range s.rows {
		n = max(n, len(r))
	}
	return n
}

// slots gives the width of each column: a panel, or its title or the label of the axis where those are wider, and more where a
// colour bar needs it.
func (s *sheet) slots(gap int) []int {
	title, normal := face(bold(), titleSize), face(regular(), labelSize)
	slot := make([]int, s.columns())
	for _, r := range s.rows {
		for j, m := range r {
			slot[j] = max(slot[j], s.pw, width(title, m.title))
			if len(slot) <= labelled {
				slot[j] = max(slot[j], width(normal, s.x.label))
			}
		}
	}
	for _, b := range s.bars {
		n := b.last - b.first + 1
		have := (n - 1) * gap
		for _, w := range slot[b.first : b.last+1] {
			have += w
		}
		if lack := max(width(normal, b.label), 260) - have; lack > 0 {
			for j := b.first; j <= b.last; j++ {
				slot[j] += (lack + n - 1) / n
			}
		}
	}
	return slot
}

// place lays the sheet out.
func (s *sheet) place() *placement {
	small, normal, title := face(regular(), tickSize), face(regular(), labelSize), face(bold(), titleSize)
	long := func(t string) int { return width(small, t) }
	p := &placement{
		panels: make([][]image.Rectangle, len(s.rows)),
		bars:   make([]image.Rectangle, len(s.bars)),
		xt:     axisTicks(s.x, s.pw, long),
		zt:     axisTicks(s.z, s.ph, func(string) int { return 2 * tickSize }),
	}
	xwide, zwide, rowWide := longest(p.xt, long), longest(p.zt, long), 0
	for _, l := range s.labels {
		rowWide = max(rowWide, width(title, l))
	}

	// Leftwards of the panels: labels of rows, label of the axis, labels of its ticks.
	left, rowHigh := margin, max(s.ph, titleSize+6)
	p.row = left + rowWide
	switch {
	case rowWide > 0 && s.level:
		left += rowWide + 18
	case rowWide > 0:
		p.row = left + titleSize - 4
		left, rowHigh = left+labelSize+14, max(rowHigh, rowWide)
	}
	if !s.shared() {
		rowHigh = max(rowHigh, width(normal, s.z.label))
	}
	p.z = left + labelSize - 4
	if s.z.label != "" {
		left += labelSize + 10
	}
	left += zwide + mark + 6

	gap := max(28, xwide+12)
	slot := s.slots(gap)
	at := make([]int, len(slot)+1)
	at[0] = left
	for j, w := range slot {
		at[j+1] = at[j] + w + gap
	}
	p.size.X = at[len(slot)] - gap + max(margin, xwide/2+8)
	if wide := width(face(bold(), headSize), s.head) + 2*margin; s.head != "" && wide > p.size.X {
		shift := (wide - p.size.X) / 2
		for j := range at {
			at[j] += shift
		}
		p.row, p.z, p.size.X = p.row+shift, p.z+shift, wide
	}
	p.middle = (at[0] + at[len(slot)] - gap) / 2

	y := margin
	if s.head != "" {
		y += headSize + 20
	}
	for i, r := range s.rows {
		if i > 0 {
			y += 20
		}
		if slices.ContainsFunc(r, func(m panel) bool { return m.title != "" }) {
			y += titleSize + 8
		}
		for j := range r {
			x, top := at[j]+(slot[j]-s.pw)/2, y+(rowHigh-s.ph)/2
			p.panels[i] = append(p.panels[i], image.Rect(x, top, x+s.pw, top+s.ph))
			p.bottom = top + s.ph
		}
		y += rowHigh
	}
	y += mark + tickSize + 6
	if s.x.label != "" {
		y += labelSize + 8
	}
	if len(s.bars) > 0 {
		y += 22
		for k, b := range s.bars {
			x0, x1 := at[b.first]+34, at[b.last+1]-gap-34
			if over := x1 - x0 - barMost; over > 0 {
				x0, x1 = x0+over/2, x1-(over-over/2)
			}
			p.bars[k] = image.Rect(x0, y, x1, y+barHigh)
		}
		y += barHigh + mark + tickSize + 6 + labelSize + 8
	}
	p.size.Y = y + margin - 8
	return p
}

// shared tells whether one label of the z axis stands for all rows.
func (s *sheet) shared() bool { return s.level && len(s.rows) > 1 }

// paint draws the sheet where p says.
func (s *sheet) paint(c *canvas, p *placement) {
	normal, title := face(regular(), labelSize), face(bold(), titleSize)
	c.text(face(bold(), headSize), ink, p.size.X/2, margin+headSize-4, 0.5, s.head)
	each := s.columns() <= labelled
	for i, r := range s.rows {
		for j, m := range r {
			box := p.panels[i][j]
			c.heat(box, m.data, s.nz, s.nx, m.scale)
			c.frame(box)
			c.text(title, ink, (box.Min.X+box.Max.X)/2, box.Min.Y-10, 0.5, m.title)
			if i < len(s.rows)-1 && j < len(s.rows[i+1]) {
				continue
			}
			c.lowerTicks(box, s.x, p.xt)
			if each {
				c.text(normal, ink, (box.Min.X+box.Max.X)/2, box.Max.Y+underTicks, 0.5, s.x.label)
			}
		}
		box := p.panels[i][0]
		c.sideTicks(box, s.z, p.zt)
		middle := (box.Min.Y + box.Max.Y) / 2
		if !s.shared() {
			c.upwards(normal, p.z, middle, s.z.label)
		}
		switch {
		case i >= len(s.labels):
		case s.level:
			c.text(title, ink, p.row, middle+titleSize/3, 1, s.labels[i])
		default:
			c.upwards(title, p.row, middle, s.labels[i])
		}
	}
	if s.shared() {
		c.upwards(normal, p.z, (p.panels[0][0].Min.Y+p.bottom)/2, s.z.label)
	}
	if !each {
		c.text(normal, ink, p.middle, p.bottom+underTicks, 0.5, s.x.label)
	}
	for k, b := range s.bars {
		c.bar(p.bars[k], b)
	}
}
