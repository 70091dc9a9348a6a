package encoder_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/encoder"
)

// tiny is a transformer that takes milliseconds.
var tiny = encoder.Config{Out: 4, Size: [2]int{20, 20}, Types: 10, ViT: encoder.ViTConfig{Width: 24, Depth: 2, Heads: 2}}

// record returns two records of 100 samples on 70 receivers.
func record() *autograd.Tensor {
	x := autograd.New(2, 1, 100, 70)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(3, 4)))
	return x
}

func Example() {
	model, err := encoder.New(tiny, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	latent := model.Forward(tape.Const(record()))
	fmt.Println(latent.Shape, autograd.CountParams(model), "parameters")
	// Output: [2 4 20 20] 21082 parameters
}

func ExampleModel_ForwardWith() {
	config := tiny
	config.Floor.Rho.Number = 2 // more than a map interpolated from 7 x 5 patches has
	model, err := encoder.New(config, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	tape := &autograd.Tape{NoGrad: true}
	o := model.ForwardWith(tape.Const(record()), encoder.Options{Report: true})
	fmt.Println(o.Latent.Shape, o.Global.Shape, o.Types.Shape)
	for _, s := range o.Report.Samples {
		fmt.Printf("%s: below the bound: %v, after: %.3f\n", s.Action, s.Before < 2, s.After)
	}
	// Output:
	// [2 4 20 20] [2 24] [2 10]
	// scaled: below the bound: true, after: 2.000
	// scaled: below the bound: true, after: 2.000
}

// Weights of a backbone alone, as timm publishes them, go into a model with a projection of its own; the first block stays
// as it is.
func ExampleModel_LoadPretrained() {
	dir, _ := os.MkdirTemp("", "encoder")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vit.safetensors")
	pretrained, err := encoder.New(tiny, rand.New(rand.NewPCG(5, 6)))
	if err == nil {
		err = checkpoint.SaveModel(path, pretrained.ViT, checkpoint.Info{})
	}
	if err != nil {
		fmt.Println(err)
		return
	}

	config := tiny
	config.FreezeBlocks = 1
	model, err := encoder.New(config, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = model.LoadPretrained(path)
	fmt.Println(err, slices.Equal(model.ViT.ClsToken.Data, pretrained.ViT.ClsToken.Data),
		model.ViT.Blocks[0].FC1.Weight.Frozen, model.ViT.Blocks[1].FC1.Weight.Frozen)
	// Output: <nil> true true false
}

func ExampleModel_Freeze() {
	model, err := encoder.New(tiny, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = model.Freeze("backbone.blocks.*.attn", "backbone.cls_token")
	fmt.Println(err, model.ViT.Blocks[0].Attn.QKV.Weight.Frozen, model.ViT.Blocks[0].FC1.Weight.Frozen)
	fmt.Println(model.Freeze("blocks"))
	// Output:
	// <nil> true false
	// encoder: freeze: no parameter is called "blocks" or lies below it
}

func ExampleFloor_Forward() {
	x := autograd.New(1, 8, 32, 32)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(1, 2)))
	tape := &autograd.Tape{}
	latent := tape.Input(x)
	var report encoder.FloorReport
	y := encoder.Floor{Rho: 20}.Forward(latent, latent, &report)
	fmt.Printf("%s to %.3f\n", report.Samples[0].Action, report.Samples[0].After)
	gradient := autograd.Sum(autograd.Square(y)).Backward().Wrt(latent)
	fmt.Println(gradient.Shape)
	// Output:
	// scaled to 20.000
	// [1 8 32 32]
}

func ExampleFloor_Loss() {
	x := autograd.New(1, 8, 32, 32)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(1, 2)))
	tape := &autograd.Tape{}
	latent := tape.Input(x)
	for _, rho := range []float64{0.1, 20} {
		loss := encoder.Floor{Rho: rho}.Loss(latent, nil)
		fmt.Println(rho, loss.Data[0] > 0)
	}
	// Output:
	// 0.1 false
	// 20 true
}

// The bound is half the mean ratio of the maps that a model is trained on, and is stored with its configuration.
func ExampleFloorConfig_MeasureData() {
	maps := make([]*autograd.Tensor, 3)
	for i := range maps {
		maps[i] = autograd.New(1, 32, 32)
		for j := range maps[i].Data {
			maps[i].Data[j] = 2000
			if j/32 > 8*(i+1)-4 {
				maps[i].Data[j] = 3500
			}
		}
	}
	config := tiny
	config.Floor.Rho.Data = true
	if err := config.Floor.MeasureData(slices.Values(maps)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ratio %.3f, bound %.3f\n", config.Floor.DataRatio, config.Floor.Bound())
	// Output: ratio 0.140, bound 0.070
}

func ExampleReference() {
	model, err := encoder.New(encoder.Reference(encoder.KindConvNeXt, 128), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(autograd.CountParams(model), "parameters")
	// Output: 27923051 parameters
}
