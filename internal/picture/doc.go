// Package picture draws what a study of neural operators shows: maps beside their predictions, galleries of maps and curves of a
// training run, as PNG files.
//
// A Comparison has a row per sample: the true map, the prediction and their difference. Truth and prediction share one colour bar,
// the difference has a diverging one of its own, symmetric around zero. A Gallery is a table of maps with one colour bar. Curves
// shows losses against epochs or steps on a logarithmic axis.
//
// For what a router does there are Bars (counts), Shares (how each sample is divided), Boxes (how values spread), Histograms (how
// often they occur, against a bound) and Table (a small heat map with its numbers).
//
// A Film is a wave field over its model, as a GIF that moves; it is written by its own Save.
//
// A value v of a scale from lo to hi has the colour of (v - lo)/(hi - lo) in a palette that is perceptually uniform: equal steps of
// value are equal distances in the colour space OKLab. Values beyond an end take its colour, and the bar's end is then pointed. NaN
// and infinite values are grey. A cell of a map is a whole number of pixels wherever it can be; a map with more cells than pixels
// shows means.
//
// Every other picture has Draw, which gives the image, and Save writes any of them:
//
//	p := picture.Comparison{
//		Frame:   picture.Velocity(70, 70, 10),
//		Samples: []picture.Sample{{Label: "CurveFault-B", Truth: truth, Prediction: prediction}},
//	}
//	err := picture.Save("maps.png", p)
//
// The same input gives the same bytes.
package picture
