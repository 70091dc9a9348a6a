package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/metrics"
	"github.com/spamoe/spamoe/internal/progress"
)

const evalHelp = `
Measures a model on pairs with known maps. Prints errors in normalised and in physical units.
` + pairsHelp

func evaluate(ctx context.Context, env *environment, args []string) error {
	f := newFlags("eval", "", evalHelp)
	model := f.String("model", "", "run `folder` or model file (default: the last run)")
	var named namedPairs
	named.register(f)
	png := f.String("png", "", "`file` for a picture of some pairs: truth, prediction, difference")
	asJSON := f.Bool("json", false, "print the metrics as JSON")
	bf16 := f.bf16()
	if err := f.parse(env, args); err != nil {
		return err
	}
	if err := named.validate(); err != nil {
		return usageError{err}
	}
	m, path, err := openModel(*model)
	if err != nil {
		return err
	}
	m.BFloat16 = *bf16
	if err := checkOutputs([]namedFile{{"-png", *png}}, append(named.files(), namedFile{"-model", path})); err != nil {
		return err
	}
	d, err := named.open(ctx, env, path)
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
	if err := printEvaluation(env, m, path, result, *asJSON); err != nil || *png == "" {
		return err
	}
	return shown.save(*png, "")
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
