package fwi_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fwi"
)

// A SPAMoE of the smallest size, untrained.
func ExampleNew() {
	config, err := fwi.Preset("tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	config.SPAMoE.Mixture.TopK = 1 // presets are where configurations start
	model, err := fwi.New(config, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.X, "to", config.Y, "by way of", model.InputShape())
	fmt.Println(autograd.CountParams(model.Net), "parameters")
	// Output:
	// [5 1000 70] to [1 70 70] by way of [5 70 70]
	// 1461313 parameters
}

// A model's file is all that a prediction takes.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, fwi.ModelFile)
	if err := train(path); err != nil {
		fmt.Println(err)
		return
	}

	model, err := fwi.Load(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	gathers := make([]float32, 2*5*1000*70) // of two places
	maps, err := model.Predict(context.Background(), gathers)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(maps)/(70*70), "maps in", model.Config.Unit)
	// Output: 2 maps in m/s
}

// train stands for a run of fwi.Train, which leaves such a file.
func train(path string) error {
	config, err := fwi.Preset("tiny")
	if err != nil {
		return err
	}
	model, err := fwi.New(config, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		return err
	}
	return model.Save(path)
}
