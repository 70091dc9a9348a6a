package main

import (
	"context"
	"fmt"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/picture"
	"github.com/spamoe/spamoe/internal/progress"
)

const predictHelp = `
Applies a model to gathers, 5x1000x70 or Nx5x1000x70 or a folder of files with one gather each, or to the inputs of any other
problem that the model was trained on (-x). -out becomes Nx1x70x70, float32, in m/s.`

func predict(ctx context.Context, env *environment, args []string) error {
	f := newFlags("predict", "", predictHelp)
	model := f.String("model", "", "run `folder` or model file (default: the last run)")
	in := f.String("in", "", "`file` of gathers (.npy), or a folder of such")
	x := f.String("x", "", "`file` of inputs (.npy), one sample per entry of the first axis, in place of -in")
	out := f.String("out", "", "`file` for the maps (.npy)")
	png := f.String("png", "", "`file` for a picture of the first maps")
	bf16 := f.bf16()
	if err := f.parse(env, args); err != nil {
		return err
	}
	if (*in == "") == (*x == "") {
		return misuse("one of -in and -x is needed")
	}
	if *out == "" {
		return misuse("-out is needed")
	}
	m, path, err := openModel(*model)
	if err != nil {
		return err
	}
	if err := checkOutputs([]namedFile{{"-out", *out}, {"-png", *png}}, []namedFile{{"-in", *in}, {"-x", *x}, {"-model", path}}); err != nil {
		return err
	}
	m.BFloat16 = *bf16
	inputs, err := openInputs(m, *in, *x)
	if err != nil {
		return err
	}
	w, err := npy.Create[float32](*out, append([]int{inputs.n}, m.Config.Y...))
	if err != nil {
		return err
	}
	defer w.Abort()
	shown := newGallery(&m.Config, inputs.n)
	row := picture.Row{}
	bar := progress.Start(env.stderr, "predicting", inputs.n)
	defer bar.Done()
	raw := make([]float32, inputs.size)
	for i := range inputs.n {
		if err := inputs.read(i, raw); err != nil {
			return err
		}
		y, err := m.Predict(ctx, raw)
		if err != nil {
			return fmt.Errorf("%s: sample %d: %w", inputs.name, i, err)
		}
		if err := w.Append(y); err != nil {
			return err
		}
		if i < shownPairs {
			row.Maps = append(row.Maps, y[:shown.frame().NZ*shown.frame().NX])
		}
		bar.Add(1)
	}
	if err := w.Commit(); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s: shape %s\n", *out, npy.FormatShape(append([]int{inputs.n}, m.Config.Y...)))
	if *png == "" {
		return nil
	}
	return picture.Save(*png, picture.Gallery{Frame: shown.frame(), Title: "Prediction", Rows: []picture.Row{row}})
}

// inputs are the samples to predict from.
type inputs struct {
	name    string // of the file or the folder
	n, size int
	read    func(i int, dst []float32) error
}

// openInputs opens gathers or other inputs and checks that they fit the model.
func openInputs(m *fwi.Model, in, x string) (inputs, error) {
	if in != "" {
		g, err := openfwi.OpenGathers(in)
		if err != nil {
			return inputs{}, err
		}
		return inputs{in, g.Len(), product(g.Shape()), g.Read}, m.Accepts(in, g.Shape())
	}
	f, err := npy.Open(x)
	if err != nil {
		return inputs{}, err
	}
	shape := f.SampleShape()
	if len(shape) < len(m.Config.X) {
		shape = append([]int{1}, shape...)
	}
	read := func(i int, dst []float32) error {
		if err := f.Float32(dst, i); err != nil {
			return err
		}
		return npy.CheckFinite(fmt.Sprintf("%s: sample %d", x, i), dst, shape)
	}
	return inputs{x, f.Len(), product(shape), read}, m.Accepts(x, shape)
}

func product(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
