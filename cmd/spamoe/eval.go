package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/metrics"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/internal/progress"
)

const evalHelp = `
Measures a model on pairs with known maps: the validation part of OpenFWI files (-data), a file of gathers with its file of maps
(-in, -vel), or any two arrays of samples (-x, -y). Prints errors in normalised and in physical units.`

func evaluate(ctx context.Context, env *environment, args []string) error {
	f := newFlags("eval", "", evalHelp)
	model := f.String("model", "", "run `folder` or model file (default: the last run)")
	dir := f.String("data", "", "`folder` of OpenFWI files")
	family := f.String("family", "", "`families` to take from -data, separated by commas (default all)")
	in := f.String("in", "", "`file` of gathers (.npy): 5x1000x70 or Nx5x1000x70")
	vel := f.String("vel", "", "`file` of velocity maps (.npy): 70x70, Nx70x70 or Nx1x70x70")
	x := f.String("x", "", "`file` of inputs (.npy)")
	y := f.String("y", "", "`file` of true outputs (.npy)")
	png := f.String("png", "", "`file` for a picture of some pairs: truth, prediction, difference")
	asJSON := f.Bool("json", false, "print the metrics as JSON")
	bf16 := f.bf16()
	if err := f.parse(env, args); err != nil {
		return err
	}
	if (*in == "") != (*vel == "") || (*x == "") != (*y == "") {
		return misuse("-in goes with -vel, and -x with -y")
	}
	m, path, err := openModel(*model)
	if err != nil {
		return err
	}
	m.BFloat16 = *bf16
	d, err := openPairs(ctx, env, *dir, *family, *in, *vel, *x, *y, path)
	if err != nil {
		return err
	}
	shown := newGallery(&m.Config, d.Len())
	bar := progress.Start(env.stderr, "evaluating", d.Len())
	result, err := fwi.Evaluate(ctx, m, d, func(i int, prediction, truth []float32) {
		shown.add(i, prediction, truth)
		bar.Add(1)
	})
	bar.Done()
	if err != nil {
		return err
	}
	if *png != "" {
		if err := shown.save(*png, ""); err != nil {
			return err
		}
	}
	return printEvaluation(env, m, path, result, *asJSON)
}

func printEvaluation(env *environment, m *fwi.Model, path string, result metrics.Result, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", "  ")
		return e.Encode(result)
	}
	fmt.Fprintf(env.stdout, "%s: %s\n", path, describe(m))
	printResult(env, &m.Config, result)
	return nil
}

// openPairs opens the pairs that the flags name: exactly one kind of them, or, without any, those that the run of the model was
// validated on.
func openPairs(ctx context.Context, env *environment, dir, family, in, vel, x, y, model string) (fwi.Data, error) {
	named := 0
	for _, s := range []string{dir, in, x} {
		if s != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return nil, misuse("-data, -in and -x all name data; one of them is enough")
	case in != "":
		return openfwi.OpenPair(in, vel)
	case x != "":
		d, err := openfwi.OpenArrays(x, y)
		if err != nil {
			return nil, err
		}
		return channelled{d}, nil
	case dir == "":
		return validationOf(ctx, env, model)
	}
	families, err := parseFamilies(family)
	if err != nil {
		return nil, usageError{err}
	}
	d, err := openfwi.Open(dir, openfwi.Options{Families: families, Part: openfwi.Validation})
	if errors.Is(err, openfwi.ErrNoPart) {
		return openfwi.Open(dir, openfwi.Options{Families: families})
	}
	return d, err
}

// validationOf opens the pairs that the run of a model was validated on.
func validationOf(ctx context.Context, env *environment, model string) (fwi.Data, error) {
	path := filepath.Join(filepath.Dir(model), configFile)
	var c runConfig
	if err := readJSON(path, &c); err != nil {
		return nil, fmt.Errorf("no data are named (-data, -in with -vel, or -x with -y), and the model does not tell which it was validated on: %w", err)
	}
	_, val, err := c.Data.open(ctx, env)
	return val, err
}
