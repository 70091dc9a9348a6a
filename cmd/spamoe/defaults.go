package main

import (
	"time"

	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
)

// operatorWidth and operatorModes size the single operators that train makes without a configuration: for minutes on a CPU.
const (
	operatorWidth = 24
	operatorModes = 16
)

// defaultNetwork fills in the network of c, of the kind that c names, for the shapes of c. preset is the size of a SPAMoE.
func defaultNetwork(c *fwi.Config, preset string) error {
	if c.X[1] > c.Y[1] {
		c.Rows = c.Y[1]
	}
	in, out := c.X[0], c.Y[0]
	modes := make([]int, len(c.Y)-1)
	for i := range modes {
		modes[i] = min(operatorModes, c.Y[i+1])
	}
	switch c.Network {
	case "spamoe":
		p, err := fwi.PresetFor(preset, c.X, c.Y)
		if err != nil {
			return err
		}
		c.SPAMoE, c.Rows, c.Join = p.SPAMoE, p.Rows, p.Join
	case "fno":
		c.FNO = &fno.Config{In: in, Out: out, Hidden: operatorWidth, Modes: modes}
	case "mno":
		c.MNO = &mno.Config{In: in, Out: out, Dim: len(modes)}
	case "multiscale":
		c.Multiscale = &mno.MultiscaleConfig{In: in, Out: out, Hidden: operatorWidth, Dim: len(modes)}
	case "lno":
		c.LNO = &lno.Config{In: in, Out: out, Hidden: operatorWidth, Modes: modes, Grid: c.Y[1:]}
	case "inversionnet":
		c.Rows = 0
	}
	return nil
}

// defaultTraining returns settings for a small set on a CPU; SPAMoE's own are for tens of thousands of pairs. A transformer wants
// more steps per pair than an operator alone.
func defaultTraining(network string) fwi.Training {
	t := fwi.DefaultTraining()
	t.Epochs, t.Batch, t.Rate = 30, 8, 3e-3
	if network == "spamoe" {
		t.Epochs, t.Batch, t.Rate = 36, 4, 2e-3
		t.Objective.LoadBalance = 0.1 // a weak expert that is chosen early would stay, and the others would not learn
	}
	t.MinRate, t.Schedule, t.Warmup = 1e-5, "cosine", 2
	t.Clip, t.Average = 1, 0.99
	t.CheckpointEvery = 10 * time.Second
	return t
}
