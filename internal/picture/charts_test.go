package picture

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

var white = color.RGBA{R: 255, G: 255, B: 255, A: 255}

func TestBarsAreAsHighAsTheirValues(t *testing.T) {
	p := Bars{Title: "Title", Groups: []string{"a\nn = 1", "b"}, Parts: []string{"first", "second"}, Series: []BarSeries{
		{"one", [][]float64{{30, 0}, {10, 0}}}, {"two", [][]float64{{0, 20}, {15, 0}}},
	}}
	img, q, err := p.draw()
	require.NoError(t, err)
	look := func(g, k int, v float64) color.RGBA {
		_, s := slots(q.box, g, 2, 2)
		y, ok := q.height(v)
		require.True(t, ok)
		return img.RGBAAt((s[k].lo+s[k].hi)/2, int(math.Round(y)))
	}
	blue, orange := lineColours[0], lineColours[1]
	require.Equal(t, blue, look(0, 0, 1))
	require.Equal(t, blue, look(0, 0, 29))
	require.Equal(t, paler(blue, 1), look(0, 0, 31))
	require.Equal(t, paler(blue, 1), look(0, 0, 39))
	require.NotEqual(t, paler(blue, 1), look(0, 0, 40.5))
	require.Equal(t, paler(orange, 1), look(0, 1, 1))
	require.Equal(t, orange, look(1, 1, 19))
	require.Equal(t, white, look(1, 0, 3))
	require.Equal(t, blue, paler(blue, 0))

	// With one series the groups have the colours.
	p = Bars{Groups: []string{"a", "b"}, Series: []BarSeries{{"", [][]float64{{1, 1}}}}}
	img, q, err = p.draw()
	require.NoError(t, err)
	for g := range 2 {
		x, _ := slots(q.box, g, 2, 1)
		require.Equal(t, lineColours[g], img.RGBAAt(x, q.box.Max.Y-5))
	}
}

func TestBoxesStandAtTheQuantiles(t *testing.T) {
	var values []float64
	for i := range 101 {
		values = append(values, math.Pow(10, float64(100-i)/50)) // 1 to 100, a hundred and one of them: no points
	}
	values = append(values, 0, -1, math.NaN(), math.Inf(1))
	p := Boxes{Title: "Title", Groups: []string{"a", "b"}, Series: []BoxSeries{{"", [][]float64{values, {10}}}}}
	img, q, err := p.draw()
	require.NoError(t, err)
	centre, s := slots(q.box, 0, 2, 1)
	row := func(v float64) int {
		y, ok := q.height(v)
		require.True(t, ok, v)
		return int(math.Round(y))
	}
	blue := lineColours[0]
	require.Equal(t, ink, img.RGBAAt(s[0].lo+5, row(10)), "median")
	for _, v := range []float64{math.Pow(10, 0.55), math.Pow(10, 1.45)} {
		require.Equal(t, lighter(blue, 0.62), img.RGBAAt(s[0].lo+5, row(v)), "inside the box")
	}
	for _, v := range []float64{math.Pow(10, 0.45), math.Pow(10, 1.55)} {
		require.Equal(t, white, img.RGBAAt(s[0].lo+5, row(v)), "outside the box")
		require.Equal(t, blue, img.RGBAAt(centre, row(v)), "whisker")
	}
	_, ok := q.height(1.001)
	require.False(t, ok, "the axis ends with the whiskers where there are no points")
	require.InDelta(t, 3, at([]float64{1, 2, 4, 8}, 0.5), 1e-12)
	require.InDelta(t, 8, at([]float64{1, 2, 4, 8}, 1), 1e-12)
	require.InDelta(t, 5, at([]float64{5}, 0.3), 1e-12)
}

func TestSharesAddUp(t *testing.T) {
	half := []float64{0.25, 0.75}
	var many [][]float64
	for i := range 3000 {
		many = append(many, []float64{float64(i % 2), float64(1 - i%2)})
	}
	p := Shares{Title: "Title", Names: []string{"one", "two"}, Sections: []Section{{"few\nn = 2", [][]float64{half, {1, 0}}}, {"many", many}}}
	img, boxes, err := p.draw()
	require.NoError(t, err)
	require.Len(t, boxes, 2)
	require.Less(t, boxes[0].Dx(), boxes[1].Dx())
	look := func(box image.Rectangle, x, share float64) color.RGBA {
		return img.RGBAAt(box.Min.X+int(x*float64(box.Dx())), box.Max.Y-int(share*float64(box.Dy())))
	}
	blue, orange := lineColours[0], lineColours[1]
	require.Equal(t, blue, look(boxes[0], 0.25, 0.24))
	require.Equal(t, orange, look(boxes[0], 0.25, 0.26))
	require.Equal(t, orange, look(boxes[0], 0.25, 0.99))
	require.Equal(t, blue, look(boxes[0], 0.75, 0.99))
	require.Equal(t, white, img.RGBAAt(boxes[0].Max.X+5, boxes[0].Min.Y+50), "sections stand apart")

	// Where samples share a pixel it shows their mean: with four to a pixel a half of each.
	p.Sections = []Section{{"", many[:4]}}
	c, err := newCanvas(4, 100)
	require.NoError(t, err)
	q := plot{box: image.Rect(0, 0, 1, 100), y: axis{lo: 0, hi: 1}}
	p.section(c, q, q.box, p.Sections[0])
	require.Equal(t, orange, c.RGBAAt(0, 49))
	require.Equal(t, blue, c.RGBAAt(0, 51))
}

func TestHistogramsCount(t *testing.T) {
	before := [][]float64{{0.2, 0.4, 0.05}, {0.01, 0.01, 0, math.NaN()}}
	after := [][]float64{{0.2, 0.4, 0.05}, {0.05, 0.05 * (1 - 1e-6), 0.05 * (1 + 1e-6), 0.05}}
	p := Histograms{Title: "Title", Names: []string{"held", "scaled"}, Panels: []HistogramPanel{{"Before", before}, {"After", after}}, Bound: 0.05, BoundName: "bound"}
	img, plots, err := p.draw()
	require.NoError(t, err)
	require.Len(t, plots, 2)
	a := plots[0].x

	counts, lost, top := count(before, a)
	require.Equal(t, 2, lost)
	require.Equal(t, 2, top)
	total := [2]int{}
	for _, b := range counts {
		total[0], total[1] = total[0]+b[0], total[1]+b[1]
	}
	require.Equal(t, [2]int{3, 2}, total)

	// Values on the bound share the bin that begins there.
	counts, lost, top = count(after, a)
	require.Zero(t, lost)
	require.Equal(t, 5, top)
	first := int(math.Round(bins * (math.Log10(0.05) - a.lo) / (a.hi - a.lo)))
	require.Equal(t, []int{1, 4}, counts[first])
	q := plots[1]
	x := q.box.Min.X + int((float64(first)+0.5)*float64(q.box.Dx())/bins)
	for n, want := range map[float64]color.RGBA{0.5: lineColours[0], 1.5: lineColours[1], 4.9: lineColours[1], 5.2: white} {
		y, _ := q.height(n)
		require.Equal(t, want, img.RGBAAt(x, int(y)), "%g", n)
	}

	p.Panels, p.Bound = p.Panels[:1], 0
	_, _, err = p.draw()
	require.NoError(t, err)
}

func TestTableShowsItsNumbers(t *testing.T) {
	p := Table{Title: "A title wider than the table", Rows: []string{"a\nmore", "b"}, Columns: []string{"x", "y\nr = 1", "z"}, Values: [][]float64{{0, 0.5, 1}, {1, 0.25, math.NaN()}}, Max: 1}
	img, box, err := p.draw()
	require.NoError(t, err)
	for i, row := range p.Values {
		for j, v := range row {
			corner := image.Pt(box.Min.X+j*box.Dx()/3+3, box.Min.Y+i*box.Dy()/2+3)
			require.Equal(t, Sequential().At(v), img.RGBAAt(corner.X, corner.Y))
		}
	}
	require.Equal(t, ink, contrast(Sequential().At(1)))
	require.Equal(t, white, contrast(Sequential().At(0)))
	p.Max = 0.75
	s, err := p.scale()
	require.NoError(t, err)
	require.True(t, s.above && !s.below)
}

func TestOddChartsAreDrawn(t *testing.T) {
	for _, p := range []Picture{
		Bars{Groups: []string{"a"}, Series: []BarSeries{{"", [][]float64{{0}}}}},
		Boxes{Groups: []string{"a", "b"}, Series: []BoxSeries{{"", [][]float64{{}, {1e-200}}}}},
		Boxes{Groups: []string{"a"}, Series: []BoxSeries{{"", [][]float64{{1e-240, 1e240}}}}},
		Histograms{Names: []string{""}, Panels: []HistogramPanel{{"", [][]float64{{3}}}}, Bound: 3},
		Shares{Names: []string{"a"}, Sections: []Section{{"", [][]float64{{2}}}, {"a name far longer than its section", [][]float64{{-1}}}}},
		Table{Rows: []string{"a"}, Columns: []string{"b"}, Values: [][]float64{{math.Inf(1)}}},
	} {
		require.NotPanics(t, func() {
			_, err := p.Draw()
			require.NoError(t, err)
		})
	}
}

func TestChartErrorsNameWhatIsWrong(t *testing.T) {
	one := []string{"a"}
	for want, p := range map[string]Picture{
		"bars: no groups":                              Bars{},
		`bars: series "s" has 2 parts, want 1`:         Bars{Groups: one, Series: []BarSeries{{"s", [][]float64{{1}, {2}}}}},
		`bars: series "s" has 2 values`:                Bars{Groups: one, Series: []BarSeries{{"s", [][]float64{{1, 2}}}}},
		`bars: series "s" has a bar of -1`:             Bars{Groups: one, Series: []BarSeries{{"s", [][]float64{{-1}}}}},
		"boxes: no groups":                             Boxes{},
		`boxes: series "s" has 0 groups, want 1`:       Boxes{Groups: one, Series: []BoxSeries{{Name: "s"}}},
		"boxes: no value that the axis can show":       Boxes{Groups: one, Series: []BoxSeries{{"s", [][]float64{{0}}}}},
		"shares: no samples":                           Shares{Names: one},
		`shares: section "s" has no samples`:           Shares{Names: one, Sections: []Section{{Name: "s"}}},
		`shares: sample 0 of section "s" has 2 shares`: Shares{Names: one, Sections: []Section{{"s", [][]float64{{1, 2}}}}},
		`histograms: panel "p" has 0 series, want 1`:   Histograms{Names: one, Panels: []HistogramPanel{{Head: "p"}}},
		"histograms: no value that the axis can show":  Histograms{Names: one, Panels: []HistogramPanel{{"p", [][]float64{{0}}}}},
		"table: wants names":                           Table{},
		`table: row "a" has 0 values, want 1`:          Table{Rows: one, Columns: one, Values: [][]float64{{}}},
	} {
		_, err := p.Draw()
		require.ErrorContains(t, err, want)
	}
}
