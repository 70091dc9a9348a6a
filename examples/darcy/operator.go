package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fno"
)

// operator maps media to solutions on any grid: a Fourier neural operator whose output is scaled to the units of the data.
type operator struct {
	net       *fno.Model
	mean, std float32
}

// newOperator returns an untrained operator that is scaled to the mean and the standard deviation of the solutions in data.
func newOperator(data *pairs, rng *rand.Rand) (*operator, error) {
	net, err := fno.New(fno.Config{In: 1, Out: 1, Hidden: 32, Modes: []int{13, 13}}, rng)
	if err != nil {
		return nil, err
	}
	sum, squares := 0.0, 0.0
	for _, v := range data.y {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(data.y))
	mean := sum / n
	return &operator{net: net, mean: float32(mean), std: float32(math.Sqrt(squares/n - mean*mean))}, nil
}

// forward returns the solutions, nb x 1 x n x n, for the media x, nb x n x n.
func (o *operator) forward(t *autograd.Tape, x []float32, n int) *autograd.Value {
	in := t.Const(autograd.FromSlice(x, len(x)/(n*n), 1, n, n))
	return autograd.AddScalar(autograd.Scale(o.net.Forward(in), o.std), o.mean)
}

// predict returns the solutions for media x on a grid of n x n points, averaged over the images of a medium under the first count
// symmetries: 1 for the operator as it is, symmetries for all.
func (o *operator) predict(x []float32, n, count int) []float32 {
	tape := &autograd.Tape{NoGrad: true}
	size, y := n*n, make([]float32, 0, len(x))
	images := make([]float32, count*size)
	for ; len(x) > 0; x = x[size:] {
		for s := range symmetry(count) {
			s.input(images[int(s)*size:][:size], x, n)
		}
		p := o.forward(tape, images, n).Data
		sum, seen := make([]float32, size), make([]float32, size)
		for s := range symmetry(count) {
			s.addBack(sum, seen, p[int(s)*size:][:size], n)
		}
		for i, v := range sum {
			y = append(y, v/seen[i])
		}
		tape.Reset()
	}
	return y
}

// save writes the operator: the network, its configuration, and the scale of its output.
func (o *operator) save(path string) error {
	return checkpoint.SaveModel(path, o.net, checkpoint.Info{
		Kind:   "fno",
		Config: o.net.Config,
		Metadata: map[string]string{
			"output.mean": fmt.Sprint(o.mean),
			"output.std":  fmt.Sprint(o.std),
		},
	})
}

// relativeL2 returns the mean over samples of ||p - y|| / ||y||.
func relativeL2(p []float32, truth *pairs) float64 {
	total := 0.0
	for i := range truth.count {
		_, y := truth.sample(i)
		miss, norm := 0.0, 0.0
		for k, v := range y {
			d := float64(p[i*len(y)+k]) - float64(v)
			miss += d * d
			norm += float64(v) * float64(v)
		}
		total += math.Sqrt(miss / norm)
	}
	return total / float64(truth.count)
}
