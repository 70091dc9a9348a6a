package fwi

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/spectral"
)

// Objective weighs the terms of the training loss, all on normalised values:
//
//	L = L1 mean|p-g| + MSE mean(p-g)^2 + Gradient G(p, g) + Fourier F(p, g) + RelativeL2 R(p, g)
//
// with G the L1 distance of Sobel gradient magnitudes, F the L1 distance of windowed Fourier magnitudes and R the relative L2
// error per sample. Terms of weight zero are not computed.
type Objective struct {
	L1         float64 `json:"l1"`
	MSE        float64 `json:"mse"`
	Gradient   float64 `json:"gradient"`
	Fourier    float64 `json:"fourier"`
	RelativeL2 float64 `json:"relative_l2"`
	// LoadBalance weighs the load-balancing loss of a mixture, which keeps its experts in use.
	LoadBalance float64 `json:"load_balance"`
}

// DefaultObjective returns SPAMoE's weights: 0.6 L1 + 0.4 MSE + 0.15 gradient + 0.10 Fourier + 0.01 load balancing.
func DefaultObjective() Objective {
	return Objective{L1: 0.6, MSE: 0.4, Gradient: 0.15, Fourier: 0.10, LoadBalance: 0.01}
}

// Validate reports weights that make no sense.
func (o Objective) Validate() error {
	for _, w := range []float64{o.L1, o.MSE, o.Gradient, o.Fourier, o.RelativeL2, o.LoadBalance} {
		if !(w >= 0) || math.IsInf(w, 0) {
			return fmt.Errorf("objective: a weight of %v; wanted a finite number, 0 or more", w)
		}
	}
	if o == (Objective{LoadBalance: o.LoadBalance}) {
		return fmt.Errorf("objective: all weights of the data are zero")
	}
	return nil
}

// Fits reports terms that do not work on maps of shape y, channels first.
func (o Objective) Fits(y []int) error {
	if len(y) != 3 && (o.Gradient > 0 || o.Fourier > 0) {
		return fmt.Errorf("objective: the gradient and Fourier terms need maps of two axes, these have %d", len(y)-1)
	}
	return nil
}

// Loss returns the objective of predictions p against targets g, both [batch, channel, spatial...], a scalar. It panics
// where all weights of the data are zero, which Validate reports.
func (o Objective) Loss(p, g *autograd.Value) *autograd.Value {
	var sum *autograd.Value
	add := func(weight float64, term func() *autograd.Value) {
		if weight == 0 {
			return
		}
		t := autograd.Scale(term(), float32(weight))
		if sum == nil {
			sum = t
		} else {
			sum = autograd.Add(sum, t)
		}
	}
	add(o.L1, func() *autograd.Value { return loss.L1(p, g) })
	add(o.MSE, func() *autograd.Value { return loss.MSE(p, g) })
	add(o.Gradient, func() *autograd.Value { return loss.GradientL1(p, g, loss.GradientL1Config{}) })
	add(o.Fourier, func() *autograd.Value { return spectral.MagnitudeL1{}.Loss(p, g) })
	add(o.RelativeL2, func() *autograd.Value { return loss.RelativeL2(p, g, 1e-8) })
	if sum == nil {
		panic("fwi: Objective.Loss: all weights of the data are zero; want at least one above")
	}
	return sum
}

// regularise adds to the loss l what a mixture asks of itself.
func (o Objective) regularise(l *autograd.Value, out Output) *autograd.Value {
	if out.Balance != nil && o.LoadBalance > 0 {
		l = autograd.Add(l, autograd.Scale(out.Balance, float32(o.LoadBalance)))
	}
	if out.FloorLoss != nil {
		l = autograd.Add(l, out.FloorLoss)
	}
	return l
}
