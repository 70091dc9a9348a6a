package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/fwi"
)

// defaultNetworks fills in the network of each kind for the shapes of a model.
var defaultNetworks = map[string]func(c *fwi.Config){
	"fno": func(c *fwi.Config) {
		modes := make([]int, len(c.Y)-1)
		for i := range modes {
			modes[i] = min(16, c.Y[i+1])
		}
		c.Rows = resampled(c)
		c.FNO = &fno.Config{In: c.X[0], Out: c.Y[0], Hidden: 24, Modes: modes, Layers: 4}
	},
	"inversionnet": func(*fwi.Config) {},
}

// resampled returns the number of rows that an operator's input is resampled to: that of the output, where it has more.
func resampled(c *fwi.Config) int {
	if c.X[1] > c.Y[1] {
		return c.Y[1]
	}
	return 0
}

// networkKinds lists the kinds of networks, for messages.
func networkKinds() string {
	return strings.Join(slices.Sorted(maps.Keys(defaultNetworks)), ", ")
}

// defaultTraining returns settings for a small set on a CPU: SPAMoE's own are for tens of thousands of pairs.
func defaultTraining() fwi.Training {
	t := fwi.DefaultTraining()
	t.Epochs, t.Batch = 25, 8
	t.Rate, t.MinRate, t.Schedule, t.Warmup = 3e-3, 1e-5, "cosine", 2
	t.Clip, t.Average = 1, 0.99
	t.CheckpointEvery = 10 * time.Second
	return t
}
