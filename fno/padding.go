package fno

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
)

// pads says how many points each axis of a grid gets at one end.
type pads [3]int

// padding returns that of the grid n.
func (m *Model) padding(n []int) (p pads) {
	for a := range n {
		switch len(m.Config.Padding) {
		case 0:
		case 1:
			p[a] = round(m.Config.Padding[0] * float64(n[a]))
		default:
			p[a] = round(m.Config.Padding[a] * float64(n[a]))
		}
	}
	return p
}

// around returns the sizes of the grid n with its padding.
func (p pads) around(n []int, end bool) []int { return p.sizes(n, end, 1) }

// inside returns the sizes of the grid n without its padding.
func (p pads) inside(n []int, end bool) []int { return p.sizes(n, end, -1) }

func (p pads) sizes(n []int, end bool, sign int) []int {
	out := make([]int, len(n))
	for a := range n {
		out[a] = n[a] + sign*p[a]
		if !end {
			out[a] += sign * p[a]
		}
	}
	return out
}

// scaled returns the padding after a change of resolution.
func (p pads) scaled(from, to []int) pads {
	for a := range from {
		p[a] = round(float64(p[a]) * float64(to[a]) / float64(from[a]))
	}
	return p
}

// round rounds halves to even, as Python's round does.
func round(x float64) int { return int(math.RoundToEven(x)) }

// pad extends x, nb x n1 .. nd x nc, by zeros.
func (p pads) pad(x *autograd.Value, end bool) *autograd.Value { return p.resize(x, end, 1) }

// crop takes off what pad added.
func (p pads) crop(x *autograd.Value, end bool) *autograd.Value { return p.resize(x, end, -1) }

func (p pads) resize(x *autograd.Value, end bool, sign int) *autograd.Value {
	if p == (pads{}) {
		return x
	}
	// The last axis and the channels are one axis for this purpose: Pad knows three.
	d, nc := x.Rank()-2, x.Dim(-1)
	list := make([]int, 0, 6)
	for a := d - 1; a >= 0; a-- {
		n := sign * p[a]
		if a == d-1 {
			n *= nc
		}
		if end {
			list = append(list, 0, n)
		} else {
			list = append(list, n, n)
		}
	}
	merged := append(append(make([]int, 0, 8), x.Shape[:d]...), x.Shape[d]*nc)
	y := autograd.Pad(autograd.Reshape(x, merged...), list, autograd.PadZeros)
	return autograd.Reshape(y, append(append(make([]int, 0, 8), y.Shape[:d]...), y.Dim(-1)/nc, nc)...)
}
