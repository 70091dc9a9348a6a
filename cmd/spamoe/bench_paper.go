package main

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/fwi"
)

func benchPaper(b *bencher) error {
	cfg, err := fwi.Preset("paper")
	if err != nil {
		return err
	}
	model, err := fwi.New(cfg, b.rng)
	if err != nil {
		return err
	}
	net, opt := model.Net.(*fwi.SPAMoE), optim.NewAdamW(model.Net, optim.Config{Decay: 1e-4})
	x := b.normal(append([]int{1}, model.InputShape()...)...)
	infer, record := &autograd.Tape{NoGrad: true}, &autograd.Tape{Train: true, Rand: b.rng}
	err = b.measure("paper b1 forward", 0, func() {
		net.Forward(infer.Const(x))
		infer.Reset()
	})
	if err != nil {
		return err
	}
	return b.measure("paper b1 training step", 0, func() {
		grads := autograd.Mean(autograd.Square(net.Forward(record.Const(x)))).Backward()
		opt.Step(1e-4, grads)
		record.Reset()
	})
}
