package main

import (
	"github.com/spamoe/spamoe/autograd"
)

func benchConv(b *bencher) error {
	x, w := b.normal(8, 128, 70, 70), b.normal(128, 128, 3, 3)
	tape := &autograd.Tape{NoGrad: true}
	return b.measure("conv3x3 b8", 2*8*128*128*9*4900, func() {
		autograd.Conv2d(tape.Const(x), tape.Const(w), nil, autograd.ConvOptions{Padding: [2]int{1, 1}})
		tape.Reset()
	})
}
