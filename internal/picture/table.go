package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
)

// Table is a heat map of named rows and columns, with the numbers in the cells.
type Table struct {
	Title         string
	Rows, Columns []string // a line break starts a second line
	RowsLabel     string   // left of the rows
	ColumnsLabel  string   // below the columns
	Values        [][]float64
	Quantity      string  // what the colours mean
	Min, Max      float64 // ends of the colours; both zero: from 0, or the least value below it, to the largest
	Palette       Palette // nil: Sequential
}

// Draw implements Picture.
func (p Table) Draw() (*image.RGBA, error) {
	m, _, err := p.draw()
	return m, err
}

// draw gives the image and the box of all cells.
func (p Table) draw() (*image.RGBA, image.Rectangle, error) {
	s, err := p.scale()
	if err != nil {
		return nil, image.Rectangle{}, err
	}
	small, normal := face(regular(), tickSize), face(regular(), labelSize)
	split := func(list []string) (lines [][]string, wide, most int) {
		for _, text := range list {
			l := strings.Split(text, "\n")
			lines, most = append(lines, l), max(most, len(l))
			for _, t := range l {
				wide = max(wide, width(small, t))
			}
		}
		return lines, wide, most
	}
	rows, rowWide, _ := split(p.Rows)
	columns, columnWide, columnLines := split(p.Columns)
	cell := image.Pt(max(120, columnWide+24), 84)
	left, top := margin+labelSize+14+rowWide+14, margin
	if p.Title != "" {
		top += headSize + 24
	}
	// Narrow tables are moved to the middle of their title.
	full := max(left+max(cell.X*len(columns), 300)+margin+10, width(face(bold(), headSize), p.Title)+2*margin)
	left += (full - margin - 10 - left - cell.X*len(columns)) / 2
	box := image.Rect(left, top, left+cell.X*len(columns), top+cell.Y*len(rows))
	y := box.Max.Y + mark + columnLines*(tickSize+4) + labelSize + 12
	c, err := newCanvas(full, y+30+barHigh+underTicks+margin-8)
	if err != nil {
		return nil, image.Rectangle{}, err
	}
	c.text(face(bold(), headSize), ink, full/2, margin+headSize-4, 0.5, p.Title)
	for i := range rows {
		for j := range columns {
			r := image.Rect(left+j*cell.X, top+i*cell.Y, left+(j+1)*cell.X, top+(i+1)*cell.Y)
			v := p.Values[i][j]
			col := s.palette.At((v - s.lo) / (s.hi - s.lo))
			c.fill(r, col)
			c.text(normal, contrast(col), (r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2+labelSize/3, 0.5, figure(v, 2))
		}
		middle := top + i*cell.Y + cell.Y/2
		for k, t := range rows[i] {
			c.text(small, ink, left-14, middle+tickSize/3+(tickSize+4)*(2*k-len(rows[i])+1)/2, 1, t)
		}
	}
	c.frame(box)
	for j, lines := range columns {
		c.under(box, left+j*cell.X+cell.X/2, lines)
	}
	c.text(normal, ink, (box.Min.X+box.Max.X)/2, y, 0.5, p.ColumnsLabel)
	c.upwards(normal, left-14-rowWide-14, (box.Min.Y+box.Max.Y)/2, p.RowsLabel)
	long := min(max(box.Dx()-40, 260), barMost)
	middle := (box.Min.X + box.Max.X) / 2
	c.bar(image.Rect(middle-long/2, y+30, middle+long/2, y+30+barHigh), bar{scale: s, label: p.Quantity})
	return c.RGBA, box, nil
}

// scale checks the table and gives its colours.
func (p Table) scale() (scale, error) {
	s := scale{palette: p.Palette, lo: p.Min, hi: p.Max}
	if s.palette == nil {
		s.palette = Sequential()
	}
	if len(p.Rows) == 0 || len(p.Columns) == 0 || len(p.Values) != len(p.Rows) {
		return s, errors.New("picture: table: wants names of rows and columns, and values for each row")
	}
	lo, hi := 0.0, 0.0
	for i, r := range p.Values {
		if len(r) != len(p.Columns) {
			return s, fmt.Errorf("picture: table: row %q has %d values, want %d", p.Rows[i], len(r), len(p.Columns))
		}
		for _, v := range r {
			if finite(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if s.lo == 0 && s.hi == 0 {
		s.lo, s.hi = lo, hi
	}
	s.lo, s.hi = span(s.lo, s.hi, true)
	slack := 1e-6 * (s.hi - s.lo)
	s.below, s.above = lo < s.lo-slack, hi > s.hi+slack
	return s, nil
}

// contrast is black or white, whichever can be read on a colour.
func contrast(c color.RGBA) color.RGBA {
	if 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) > 140 {
		return ink
	}
	return color.RGBA{R: 255, G: 255, B: 255, A: 255}
}
