package main

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/moe"
)

// names are those of the experts, in order.
var names = []string{"smooth", "detrend", "keep"}

// experts returns the three of them. All that moe asks for is Forward.
func experts() []moe.Expert {
	// Waves of fewer than 4.5 periods over the plane are slow: the middle of both centres is the radius 4.5 / (n/2) / sqrt 2, n = 32.
	bands := moe.Bands{Centers: []float32{0, 0.4}, Hard: true}
	return []moe.Expert{filter{bands, 0}, filter{bands, 1}, keep{}}
}

// filter keeps one band of frequencies.
type filter struct {
	bands moe.Bands
	keep  int
}

func (f filter) Forward(x *autograd.Value) *autograd.Value {
	return autograd.Reshape(autograd.Narrow(f.bands.Split(x), 0, f.keep, 1), x.Shape...)
}

// keep returns the record as it is.
type keep struct{}

func (keep) Forward(x *autograd.Value) *autograd.Value { return x }
