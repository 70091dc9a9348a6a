package picture_test

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/picture"
)

// layers is a map of two layers, the lower one starting at row top.
func layers(n, top int) []float32 {
	m := make([]float32, n*n)
	for i := range m {
		m[i] = 1500
		if i/n >= top {
			m[i] = 3000
		}
	}
	return m
}

func ExampleComparison() {
	p := picture.Comparison{
		Frame:   picture.Velocity(70, 70, 10),
		Title:   "Two layers",
		Samples: []picture.Sample{{Label: "one row too low", Truth: layers(70, 30), Prediction: layers(70, 31)}},
	}
	m, err := p.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Bounds().Dx() > 3*420)
	// Output: true
}

func ExampleGallery() {
	p := picture.Gallery{
		Frame: picture.Velocity(70, 70, 10),
		Rows:  []picture.Row{{Label: "FlatVel-A", Maps: [][]float32{layers(70, 30), layers(70, 50)[:70]}}},
	}
	_, err := p.Draw()
	fmt.Println(err)
	// Output: picture: gallery: map 1 of row 0 ("FlatVel-A"): 70 values, want 70 x 70 = 4900
}

func ExampleCurves() {
	p := picture.Curves{
		Lines:  []picture.Line{{Name: "Training", Y: []float64{0.5, 0.2, 0.1}}, {Name: "Validation", Y: []float64{0.5, 0.3, 0.2}}},
		Levels: []picture.Level{{Name: "Mean map", Y: 0.4}},
	}
	m, err := p.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Bounds().Dx() > m.Bounds().Dy())
	// Output: true
}
