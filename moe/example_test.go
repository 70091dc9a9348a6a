package moe_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/moe"
)

// A mixture of three Fourier neural operators, as it is trained: the loss of the task and a little of that for balance.
func Example() {
	rng := rand.New(rand.NewPCG(1, 2))
	var experts []moe.Expert
	for _, modes := range []int{4, 8, 16} {
		e, err := fno.New(fno.Config{In: 2, Out: 1, Hidden: 4, Modes: []int{modes, modes}, Layers: 1}, rng)
		if err != nil {
			fmt.Println(err)
			return
		}
		experts = append(experts, e)
	}
	mixture, err := moe.New(moe.Config{Channels: 2}, experts, rng)
	if err != nil {
		fmt.Println(err)
		return
	}

	tape := &autograd.Tape{Train: true}
	route := mixture.Router.Route(tape.Input(random(1, 5, 2, 20, 20)))
	y := mixture.Apply(route)
	loss := autograd.Add(autograd.Mean(autograd.Square(y)), autograd.Scale(route.Balance, 0.01))
	grads := loss.Backward()
	fmt.Println(y.Shape, grads.Of(mixture.Router.ExpertFreq).Shape)

	stats := route.Stats()
	total := 0
	for _, n := range stats.Samples {
		total += n
	}
	fmt.Println(len(stats.Samples), "experts got", total, "samples")
	// Output:
	// [5 1 20 20] [3]
	// 3 experts got 10 samples
}

// double is an expert of one's own.
type double struct{}

func (double) Forward(x *autograd.Value) *autograd.Value { return autograd.Scale(x, 2) }

// Any type with a method Forward is an expert. With the whole latent for everyone and gates that add up to one, experts that agree give what one
// of them gives.
func ExampleExpert() {
	mixture, err := moe.New(moe.Config{Channels: 1, NoBands: true}, []moe.Expert{double{}, double{}, double{}}, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	y := mixture.Forward(tape.Const(autograd.FromSlice([]float32{1, 2, 3, 4}, 1, 1, 2, 2)))
	fmt.Printf("%.4f\n", y.Data)
	// Output: [2.0000 4.0000 6.0000 8.0000]
}

// Bands add up to the signal.
func ExampleBands() {
	b := moe.Bands{Centers: []float32{0, 0.5, 1}, Sharpness: 20}
	tape := &autograd.Tape{NoGrad: true}
	bands := b.Split(tape.Const(autograd.FromSlice([]float32{4, 0, 0, 0, 0, 0, 0, 0, 0}, 1, 1, 3, 3)))
	fmt.Println(bands.Shape)
	sum := autograd.SumAxes(bands, false, 0)
	fmt.Printf("%.3f + %.3f + %.3f = %.3f\n", bands.Data[0], bands.Data[9], bands.Data[18], sum.Data[0])
	// Output:
	// [3 1 1 3 3]
	// 0.442 + 1.263 + 2.295 = 4.000
}

// SPAMoE's checkpoints need its own settings; they have the same names and give the same answers.
func ExampleReference() {
	c := moe.Reference(128, 2)
	c.Experts = 3
	router, err := moe.NewRouter(c, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range autograd.State(router) {
		if e.Param != nil {
			fmt.Println(e.Name, e.Param.Shape)
		} else {
			fmt.Println(e.Name, e.Buffer.Shape)
		}
	}
	// Output:
	// expert_freq [3]
	// band_centers [3]
	// expert_select_counts [3]
	// num_batches_tracked []
	// last_avg_gates [3]
	// qkv.weight [384 128 1 1]
	// qkv.bias [384]
	// proj.weight [128 128 1 1]
	// proj.bias [128]
	// freq_proj.2.weight [3 128]
	// freq_proj.2.bias [3]
}
