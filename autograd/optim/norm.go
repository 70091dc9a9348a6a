package optim

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Norm returns the Euclidean norm of all gradients of model together, summed in float64. It is NaN or infinite where a gradient
// is not finite.
func Norm(model any, grads Gradients) float64 {
	sum := 0.0
	for _, p := range autograd.Params(model) {
		if g := grads.Of(p); g != nil {
			sum += kernel.SumSquares(g.Data)
		}
	}
	return math.Sqrt(sum)
}

// ClipNorm scales the gradients of model in place so that their norm is at most limit, and returns the norm before. Where that
// is not finite the gradients stay as they are: check it, name the culprits with NotFinite, and do not make the step. It panics where
// limit is negative.
func ClipNorm(model any, grads Gradients, limit float64) float64 {
	if !(limit >= 0) {
		panic(fmt.Sprintf("optim: ClipNorm: gradients clipped to a norm of %v; want 0 or more", limit))
	}
	norm := Norm(model, grads)
	if !(norm > limit) || math.IsInf(norm, 1) {
		return norm
	}
	scale := float32(limit / norm)
	for _, p := range autograd.Params(model) {
		if g := grads.Of(p); g != nil {
			kernel.Scale(g.Data, g.Data, scale)
		}
	}
	return norm
}

// NotFinite returns the names of the parameters of model whose gradients hold a NaN or an infinity, in the model's order.
func NotFinite(model any, grads Gradients) []string {
	var names []string
	for name, p := range autograd.Params(model) {
		if g := grads.Of(p); g != nil && !kernel.AllFinite(g.Data) {
			names = append(names, name)
		}
	}
	return names
}
