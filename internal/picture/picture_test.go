package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var nan = float32(math.NaN())

func ramp(n int) []float32 {
	m := make([]float32, n)
	for i := range m {
		m[i] = 1500 + float32(i)
	}
	return m
}

func centre(r image.Rectangle) image.Point { return r.Min.Add(r.Size().Div(2)) }

func TestComparisonShowsTheValues(t *testing.T) {
	truth := ramp(70 * 70)
	prediction := append([]float32(nil), truth...)
	prediction[0] += 100                 // the difference's upper end
	prediction[70*70-1] = nan            // missing
	prediction[35*70+35] = truth[0] - 50 // below the truth: saturates
	p := Comparison{
		Frame: Velocity(70, 70, 10), Title: "Title", Samples: []Sample{{"one", truth, prediction}, {"two", truth, truth}}, Most: 100,
	}
	s, err := p.sheet()
	require.NoError(t, err)
	img, at, err := s.draw()
	require.NoError(t, err)
	require.Equal(t, at.size, img.Bounds().Size())
	require.Equal(t, "Prediction − true, MAE "+figure(meanAbs(s.rows[0][2].data), 3)+" m/s", s.rows[0][2].title)
	require.Equal(t, "MAE 0 m/s", s.rows[1][2].title)

	// A cell is 6 x 6 pixels of one colour.
	require.Equal(t, image.Pt(420, 420), at.panels[0][0].Size())
	cell := func(box image.Rectangle, z, x int) color.RGBA {
		c := img.RGBAAt(box.Min.X+6*x, box.Min.Y+6*z)
		for dy := range 6 {
			for dx := range 6 {
				require.Equal(t, c, img.RGBAAt(box.Min.X+6*x+dx, box.Min.Y+6*z+dy), "row %d, column %d", z, x)
			}
		}
		return c
	}
	pal, div := Sequential(), Diverging()
	require.Equal(t, pal[0], cell(at.panels[0][0], 0, 0))
	require.Equal(t, pal[255], cell(at.panels[0][0], 69, 69))
	require.Equal(t, pal.At(float64(35*70+10)/4899), cell(at.panels[0][0], 35, 10))
	require.Equal(t, pal.At(100./4899), cell(at.panels[0][1], 0, 0))
	require.Equal(t, missing, cell(at.panels[0][1], 69, 69))
	require.Equal(t, pal[0], cell(at.panels[0][1], 35, 35))
	require.Equal(t, div[256], cell(at.panels[0][2], 0, 0))
	require.Equal(t, div[128], cell(at.panels[0][2], 20, 20))
	require.Equal(t, div[0], cell(at.panels[0][2], 35, 35))
	require.Equal(t, missing, cell(at.panels[0][2], 69, 69))

	// The bars run from end to end of their palettes; only values below are cut on the first, the frame closes its other end.
	for k, q := range []Palette{pal, div} {
		r := at.bars[k]
		y := centre(r).Y
		require.Equal(t, q[0], img.RGBAAt(r.Min.X, y))
		require.Equal(t, q[len(q)-1], img.RGBAAt(r.Max.X-1, y))
		require.Equal(t, q[0], img.RGBAAt(r.Min.X-6, y), "pointed end")
	}
	r := at.bars[0]
	require.Equal(t, ink, img.RGBAAt(r.Max.X, centre(r).Y))
	require.Equal(t, color.RGBA{R: 255, G: 255, B: 255, A: 255}, img.RGBAAt(r.Max.X+6, centre(r).Y))
}

func TestPartsDoNotOverlap(t *testing.T) {
	long := "a label far longer than the map that it stands beside"
	for _, n := range []struct{ nz, nx int }{{1, 1}, {1, 300}, {300, 1}, {70, 70}, {2000, 3}, {33, 1701}} {
		m := ramp(n.nz * n.nx)
		p := Comparison{
			Frame: Velocity(n.nz, n.nx, 12.5), Title: long + long, Samples: []Sample{{long, m, m}, {"", m, m}},
		}
		s, err := p.sheet()
		require.NoError(t, err)
		_, at, err := s.draw()
		require.NoError(t, err)
		page := image.Rectangle{Max: at.size}
		var all []image.Rectangle
		for i, row := range at.panels {
			for j, box := range row {
				title := width(face(bold(), titleSize), s.rows[i][j].title)
				side := max(0, title-box.Dx()+1) / 2
				all = append(all, image.Rect(box.Min.X-side, box.Min.Y-titleSize-8, box.Max.X+side, box.Max.Y+2))
			}
		}
		all = append(all, at.bars...)
		for i, a := range all {
			require.True(t, a.In(page), "%v in %v", a, page)
			for _, b := range all[:i] {
				require.False(t, a.Overlaps(b), "%d x %d: %v and %v", n.nz, n.nx, a, b)
			}
		}
	}
}

func TestOddMapsAreDrawn(t *testing.T) {
	inf := float32(math.Inf(1))
	for name, m := range map[string][]float32{
		"constant": {3, 3, 3, 3}, "zero": {0, 0, 0, 0}, "all missing": {nan, nan, nan, nan}, "infinite": {inf, -inf, inf, 1},
		"largest": {math.MaxFloat32, -math.MaxFloat32, 0, 0}, "smallest": {1e-45, 0, 0, 0}, "close": {1e8, 1e8 + 8, 1e8, 1e8},
	} {
		f := Frame{NZ: 2, NX: 2}
		for _, p := range []Picture{
			Comparison{Frame: f, Samples: []Sample{{"", m, m}, {"", []float32{1, 2, 3, 4}, m}}},
			Comparison{Frame: f, Samples: []Sample{{"", m, []float32{1, 2, 3, 4}}}},
			Gallery{Frame: f, Rows: []Row{{"", [][]float32{m}}}},
		} {
			require.NotPanics(t, func() {
				_, err := p.Draw()
				require.NoError(t, err, name)
			}, name)
		}
	}
}

func TestGalleryRowsMayDiffer(t *testing.T) {
	m := ramp(64)
	p := Gallery{Frame: Frame{NZ: 8, NX: 8}, Columns: []string{"first", "second"}, Rows: []Row{
		{"a", [][]float32{m, m, m}}, {"b", [][]float32{m}},
	}}
	s, err := p.sheet()
	require.NoError(t, err)
	img, at, err := s.draw()
	require.NoError(t, err)
	require.Len(t, at.panels[0], 3)
	require.Len(t, at.panels[1], 1)
	require.Equal(t, "second", s.rows[0][1].title)
	for _, row := range at.panels {
		for _, box := range row {
			require.Equal(t, Sequential()[0], img.RGBAAt(box.Min.X, box.Min.Y))
			require.Equal(t, Sequential()[255], img.RGBAAt(box.Max.X-1, box.Max.Y-1))
		}
	}
}

func TestShrunkMapsShowMeans(t *testing.T) {
	m := []float32{1, 3, nan, 5, nan, nan, 7, 9}
	for x, want := range []float64{2, 5, math.NaN(), 8} {
		got := sample(m, 1, 8, 1, 4, 0, x)
		require.True(t, got == want || math.IsNaN(got) && math.IsNaN(want), "pixel %d: %g, want %g", x, got, want)
	}
}

func TestCurvesAreWhereTheirValuesAre(t *testing.T) {
	flat := func(v float64) []float64 { return []float64{v, v, v, v, v} }
	p := Curves{
		Title: "Loss", Lines: []Line{{"Training", nil, flat(0.01)}, {"Validation", nil, []float64{1, 1, math.NaN(), -1, 1}}},
		Levels: []Level{{"Mean map", 0.1}}, Rate: &Line{Name: "Learning rate", Y: []float64{1e-3, 5e-4, 0, 0, 0}},
	}
	img, plots, err := p.draw()
	require.NoError(t, err)
	require.Len(t, plots, 2)
	q := plots[0]
	row := func(v float64) int {
		h, ok := q.height(v)
		require.True(t, ok)
		return int(math.Round(h))
	}
	require.InDelta(t, row(0.1), float64(row(0.01)+row(1))/2, 1, "decades are equally high")
	quarter := q.box.Dx() / 4
	at := func(k, v int) color.RGBA { return img.RGBAAt(q.box.Min.X+k, v) }
	require.Equal(t, lineColours[0], at(quarter+30, row(0.01)))
	require.Equal(t, lineColours[1], at(quarter/2, row(1)))
	require.NotEqual(t, lineColours[1], at(quarter*2+quarter/2, row(1)), "NaN and negative values interrupt the line")
	require.Equal(t, lineColours[1], at(4*quarter-2, row(1)), "a value alone is a dot")
	require.Equal(t, levelColour, at(5, row(0.1)))
	require.Equal(t, ink, img.RGBAAt(q.box.Min.X-1, row(0.5)))

	p.Linear = true
	_, plots, err = p.draw()
	require.NoError(t, err)
	require.Less(t, plots[0].y.lo, -1.0)
}

func TestOddCurvesAreDrawn(t *testing.T) {
	inf := math.Inf(1)
	for _, y := range [][]float64{
		{1}, {1, 1}, {0, 1, inf}, {1e-249, 1e249}, {1e-320, 1, 1e308}, {1, 1 + 1e-15}, {-1, 0, 2}, {-1e308, 1e308, 1},
	} {
		for _, x := range []float64{0, 1e20, -5} {
			l := Line{Name: "a"}
			for i, v := range y {
				l.X, l.Y = append(l.X, x+float64(i)), append(l.Y, v)
			}
			for _, linear := range []bool{false, true} {
				_, err := Curves{Lines: []Line{l}, Levels: []Level{{"b", inf}, {"c", 0}}, Rate: &l, Linear: linear}.Draw()
				require.NoError(t, err, "%g", y)
			}
		}
	}
}

func TestErrorsNameWhatIsWrong(t *testing.T) {
	f, m := Frame{NZ: 2, NX: 2}, []float32{1, 2, 3, 4}
	for want, p := range map[string]Picture{
		"comparison: maps of 0 x 2 values":                             Comparison{Frame: Frame{NX: 2}, Samples: []Sample{{}}},
		"comparison: no samples":                                       Comparison{Frame: f},
		"comparison: prediction of sample 1: 3 values, want 2 x 2 = 4": Comparison{Frame: f, Samples: []Sample{{"", m, m}, {"", m, m[:3]}}},
		"gallery: no rows":                                             Gallery{Frame: f},
		`gallery: no maps in row 0 ("a")`:                              Gallery{Frame: f, Rows: []Row{{Label: "a"}}},
		`gallery: map 1 of row 0 ("a"): 1 values`:                      Gallery{Frame: f, Rows: []Row{{"a", [][]float32{m, m[:1]}}}},
		"gallery: spacing 0 x -1":                                      Gallery{Frame: Frame{NZ: 2, NX: 2, DX: -1}},
		"curves: no line has a value that the axis can show":           Curves{Lines: []Line{{"a", nil, []float64{0, -1}}}},
		`curves: line "a" has 2 values over 1 places`:                  Curves{Lines: []Line{{"a", []float64{1}, []float64{1, 2}}}},
		"at most 134217728 in all":                                     Gallery{Frame: f, Rows: slices.Repeat([]Row{{"", [][]float32{m}}}, 6000)},
	} {
		_, err := p.Draw()
		require.ErrorContains(t, err, want)
	}
}

func TestSaveWritesTheSameFileTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.png")
	p := Gallery{Frame: Velocity(20, 30, 10), Rows: []Row{{"a", [][]float32{ramp(600)}}}}
	require.NoError(t, Save(path, p))
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	var again bytes.Buffer
	require.NoError(t, Encode(&again, p))
	require.Equal(t, first, again.Bytes())
	img, err := png.Decode(&again)
	require.NoError(t, err)
	drawn, err := p.Draw()
	require.NoError(t, err)
	require.Equal(t, drawn.Bounds(), img.Bounds())

	require.Error(t, Save(path, Gallery{}))
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, first, kept, "a failed picture leaves the old one")
	require.Error(t, Save(filepath.Join(path, "below a file.png"), p))
}
