package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
)

// Fans returns how many inputs and outputs meet in one element of a weight of the given shape, [out, in, window...].
func Fans(shape []int) (in, out int) {
	if len(shape) < 2 {
		panic(fmt.Sprintf("nn: Fans: shape %v has fewer than two axes", shape))
	}
	window := 1
	for _, s := range shape[2:] {
		window *= s
	}
	return shape[1] * window, shape[0] * window
}

// Uniform fills t with independent values from [-bound, bound).
func Uniform(t *autograd.Tensor, bound float64, rng *rand.Rand) {
	for i := range t.Data {
		t.Data[i] = float32(bound * (2*rng.Float64() - 1))
	}
}

// Normal fills t with independent normal values.
func Normal(t *autograd.Tensor, mean, std float64, rng *rand.Rand) {
	for i := range t.Data {
		t.Data[i] = float32(mean + std*rng.NormFloat64())
	}
}

// TruncatedNormal fills t with independent normal values of standard deviation std (before the cut) that lie within
// cut of zero; cut is an absolute distance, as in the initialisation of vision transformers, where std = 0.02 and cut = 2.
func TruncatedNormal(t *autograd.Tensor, std, cut float64, rng *rand.Rand) {
	if !(std > 0 && cut >= std/4) {
		panic(fmt.Sprintf("nn: TruncatedNormal: std %v, cut %v; want std > 0 and cut >= std/4", std, cut))
	}
	for i := range t.Data {
		x := std * rng.NormFloat64()
		for math.Abs(x) > cut {
			x = std * rng.NormFloat64()
		}
		t.Data[i] = float32(x)
	}
}

// XavierUniform fills t, [out, in, window...], from [-b, b), b = gain sqrt(6 / (fan in + fan out)), which keeps the variance of
// signals and gradients alike (Glorot and Bengio 2010, equation 16).
func XavierUniform(t *autograd.Tensor, gain float64, rng *rand.Rand) {
	in, out := Fans(t.Shape)
	Uniform(t, gain*math.Sqrt(6/float64(in+out)), rng)
}

// XavierNormal fills t with normal values of standard deviation gain sqrt(2 / (fan in + fan out)).
func XavierNormal(t *autograd.Tensor, gain float64, rng *rand.Rand) {
	in, out := Fans(t.Shape)
	Normal(t, 0, gain*math.Sqrt(2/float64(in+out)), rng)
}

// KaimingUniform fills t from [-b, b), b = sqrt(6 / ((1 + slope^2) fan in)), which keeps the variance behind leaky rectifiers of
// that slope (He et al. 2015, equation 15). PyTorch's layers use slope = sqrt 5, that is b = 1 / sqrt(fan in).
func KaimingUniform(t *autograd.Tensor, slope float64, rng *rand.Rand) {
	in, _ := Fans(t.Shape)
	Uniform(t, math.Sqrt(6/((1+slope*slope)*float64(in))), rng)
}

// newWeight returns a weight and, where bias is true, a bias of out elements, as PyTorch's linear and convolution layers start:
// both uniform within 1/sqrt(fan in). A nil rng leaves zeros, for a model that is loaded from a file.
func newWeight(out int, bias bool, rng *rand.Rand, shape ...int) (w, b *autograd.Param) {
	in, _ := Fans(shape)
	bound := 1 / math.Sqrt(float64(in))
	w = autograd.NewParam(shape...)
	if rng != nil {
		Uniform(w.Tensor, bound, rng)
	}
	if bias {
		b = autograd.NewParam(out)
		if rng != nil {
			Uniform(b.Tensor, bound, rng)
		}
	}
	return w, b
}

// newAffine returns a weight of ones and a bias of zeros, as normalisation layers start.
func newAffine(n int) (w, b *autograd.Param) {
	w, b = autograd.NewParam(n), autograd.NewParam(n)
	for i := range w.Data {
		w.Data[i] = 1
	}
	return w, b
}

func positive(layer, what string, n int) {
	if n < 1 {
		panic(fmt.Sprintf("nn: %s: %s is %d; want at least 1", layer, what, n))
	}
}
