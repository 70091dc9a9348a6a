package picture

import (
	"errors"
	"fmt"
	"image"
)

// Row is a row of a Gallery.
type Row struct {
	Label string
	Maps  [][]float32 // each nz x nx
}

// Gallery is a table of maps with one colour bar, such as ten samples of each of ten families. Rows may differ in length.
type Gallery struct {
	Frame
	Title   string
	Columns []string // titles over the columns; nil for none
	Rows    []Row

	Min, Max float64 // ends of the colours; both zero: those of the data
	Palette  Palette // nil: Sequential
}

// Draw implements Picture.
func (p Gallery) Draw() (*image.RGBA, error) {
	s, err := p.sheet()
	if err != nil {
		return nil, err
	}
	m, _, err := s.draw()
	return m, err
}

func (p Gallery) sheet() (*sheet, error) {
	if err := p.check("gallery"); err != nil {
		return nil, err
	}
	if len(p.Rows) == 0 {
		return nil, errors.New("picture: gallery: no rows")
	}
	value := scale{palette: p.Palette}
	if value.palette == nil {
		value.palette = Sequential()
	}
	var all [][]float32
	for i, r := range p.Rows {
		if len(r.Maps) == 0 {
			return nil, fmt.Errorf("picture: gallery: no maps in row %d (%q)", i, r.Label)
		}
		for j, m := range r.Maps {
			if err := p.holds(m, "gallery: map %d of row %d (%q)", j, i, r.Label); err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	lo, hi, ok := bounds(all...)
	if p.Min != 0 || p.Max != 0 {
		lo, hi = p.Min, p.Max
	}
	value.lo, value.hi = span(lo, hi, ok)
	value = value.saturated(all...)

	s := p.Frame.sheet(140)
	s.head, s.level = p.Title, true
	for i, r := range p.Rows {
		row := make([]panel, len(r.Maps))
		for j, m := range r.Maps {
			row[j] = panel{data: m, scale: value}
			if i == 0 && j < len(p.Columns) {
				row[j].title = p.Columns[j]
			}
		}
		s.rows = append(s.rows, row)
		s.labels = append(s.labels, r.Label)
	}
	s.bars = []bar{{value, p.measure(p.Quantity), 0, s.columns() - 1}}
	return s, nil
}
