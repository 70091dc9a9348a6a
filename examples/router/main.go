package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/picture"
	"github.com/spamoe/spamoe/moe"
)

// Experts get whole records here (NoBands); the bands serve the gates alone. Noise makes the router try all of them while it learns.
var config = moe.Config{Channels: sensors, NoBands: true, Noise: 1}

func main() {
	out := flag.String("out", "runs/router", "`folder` for the picture")
	steps := flag.Int("steps", 300, "training steps")
	seed := flag.Uint64("seed", 1, "seed of the records and the router")
	flag.Parse()
	if err := run(*out, *steps, *seed, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "router:", err)
		os.Exit(1)
	}
}

// run trains a router, tells on w what it does with records that it has not seen, and draws some of them.
func run(out string, steps int, seed uint64, w io.Writer) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	mixture, err := moe.New(config, experts(), rng)
	if err != nil {
		return err
	}
	x, y := records(60, rng)
	before := test(mixture, x, y)
	train(mixture, steps, rng)
	after := test(mixture, x, y)

	fmt.Fprintln(w, "squared error of new records")
	for e, expert := range mixture.Experts {
		tape := &autograd.Tape{NoGrad: true}
		fmt.Fprintf(w, "  %-8s alone   %.4f\n", names[e], loss.MSE(expert.Forward(tape.Const(x)), tape.Const(y)).Data[0])
	}
	fmt.Fprintf(w, "  mixture, untrained %.4f\n  mixture, trained   %.4f\n", before.err, after.err)
	fmt.Fprintf(w, "\nfirst choice for records with     %8s %8s %8s\n", names[0], names[1], names[2])
	for k, row := range after.choices {
		fmt.Fprintf(w, "  %-30s  %8d %8d %8d\n", kinds[k], row[0], row[1], row[2])
	}

	path := filepath.Join(out, "records.png")
	if err := draw(path, x, y, after); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s shows a record of each kind\n", path)
	return err
}

// train teaches the router; the experts have nothing to learn.
func train(mixture *moe.Mixture, steps int, rng *rand.Rand) {
	const count, batch = 480, 24
	x, y := records(count, rng)
	adam := optim.NewAdamW(mixture, optim.Config{})
	tape := &autograd.Tape{Train: true, Rand: rng}
	for step := range steps {
		start := step * batch % count
		route := mixture.Router.Route(autograd.Narrow(tape.Const(x), 0, start, batch))
		l := loss.MSE(mixture.Apply(route), autograd.Narrow(tape.Const(y), 0, start, batch))
		l = autograd.Add(l, autograd.Scale(route.Balance, 0.1))
		adam.Step(0.02, l.Backward())
		tape.Reset()
	}
}

// result is what a mixture does with records.
type result struct {
	err     float64
	choices [][]int // first choices: kind x expert
	stats   *moe.Stats
	answers []float32
}

func test(mixture *moe.Mixture, x, y *autograd.Tensor) result {
	tape := &autograd.Tape{NoGrad: true}
	route := mixture.Router.Route(tape.Const(x))
	answers := mixture.Apply(route)
	r := result{err: float64(loss.MSE(answers, tape.Const(y)).Data[0]), stats: route.Stats(), answers: answers.Data}
	for range kinds {
		r.choices = append(r.choices, make([]int, len(names)))
	}
	for i, chosen := range r.stats.Experts {
		r.choices[i%len(kinds)][chosen[0]]++
	}
	return r
}

// draw shows the first sensor of one record of each kind: as it came, as it should be, and as the mixture restores it.
func draw(path string, x, y *autograd.Tensor, r result) error {
	m := picture.Mapping{Input: "Record"}
	m.Frame = picture.Frame{NZ: size, NX: size, Quantity: "Wave"}
	const plane = size * size
	for k := range kinds {
		at := k * sensors * plane
		m.Inputs = append(m.Inputs, x.Data[at:][:plane])
		m.Samples = append(m.Samples, picture.Sample{
			Label:      fmt.Sprintf("%s: %s %.0f %%", kinds[k], names[r.stats.Experts[k][0]], 100*r.stats.Weights[k][0]),
			Truth:      y.Data[at:][:plane],
			Prediction: r.answers[at:][:plane],
		})
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return picture.Save(path, m)
}
