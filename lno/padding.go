package lno

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
)

// Padding says how a function goes on beyond its grid.
type Padding string

// The paddings, named as neuraloperator names them.
const (
	Periodic  Padding = "periodic"
	Zeros     Padding = "zeros"
	Replicate Padding = "replicate" // as at the nearest point
	Reflect   Padding = "reflect"   // mirrored at the outermost points
)

var padModes = map[Padding]autograd.PadMode{"": autograd.PadCircular, Periodic: autograd.PadCircular, Zeros: autograd.PadZeros,
	Replicate: autograd.PadReplicate, Reflect: autograd.PadReflect}

// Check reports a padding that does not exist.
func (p Padding) Check() error {
	if _, ok := padModes[p]; !ok {
		return fmt.Errorf("lno: padding %q; want %q, %q, %q or %q", p, Periodic, Zeros, Replicate, Reflect)
	}
	return nil
}

// fits reports an amount of padding that a grid has not enough points for.
func (p Padding) fits(n []int, pads [3]int) error {
	for a := range n {
		limit := n[a]
		switch pad := pads[3-len(n)+a]; {
		case p == Zeros || p == Replicate:
		case p == Reflect && pad > limit-1, pad > limit:
			return fmt.Errorf("lno: a grid of %v points is too small for kernels that reach %d points along axis %d", n, pad, a)
		}
	}
	return nil
}

// apply extends x, nb x n1 .. nd x nc, at both ends of each axis. Axes that the grid lacks come first in pads.
func (p Padding) apply(x *autograd.Value, pads [3]int) *autograd.Value {
	if pads == [3]int{} {
		return x
	}
	mode, a, b, c := padModes[p], pads[0], pads[1], pads[2]
	switch x.Rank() - 2 { // the channels come first in a list
	case 1:
		return autograd.Pad(x, []int{0, 0, c, c}, mode)
	case 2:
		return autograd.Pad(x, []int{0, 0, c, c, b, b}, mode)
	}
	// Pad knows three axes: first the last ones, then the first.
	nb, n, nc := x.Shape[0], x.Shape[1], x.Shape[4]
	y := autograd.Pad(autograd.Reshape(x, nb*n, x.Shape[2], x.Shape[3], nc), []int{0, 0, c, c, b, b}, mode)
	n2, n3 := y.Shape[1], y.Shape[2]
	y = autograd.Pad(autograd.Reshape(y, nb, n, n2*n3*nc), []int{0, 0, a, a}, mode)
	return autograd.Reshape(y, nb, n+2*a, n2, n3, nc)
}
