package fno

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
)

// padding returns how many points each axis of the grid n gets at one end.
func (m *Model) padding(n []int) []int {
	p := make([]int, len(n))
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

// padded returns the sizes of a grid with its padding.
func padded(n, pads []int, end bool) []int {
	out := make([]int, len(n))
	for a := range n {
		out[a] = n[a] + pads[a]
		if !end {
			out[a] += pads[a]
		}
	}
	return out
}

// scalePads returns the padding after a change of resolution.
func scalePads(pads, from, to []int) []int {
	out := make([]int, len(pads))
	for a := range pads {
		out[a] = round(float64(pads[a]) * float64(to[a]) / float64(from[a]))
	}
	return out
}

// round rounds halves to even, as Python's round does.
func round(x float64) int { return int(math.RoundToEven(x)) }

// pad extends x, nb x n1 .. nd x nc, by zeros.
func pad(x *autograd.Value, pads []int, end bool) *autograd.Value { return resize(x, pads, end, 1) }

// crop takes off what pad added.
func crop(x *autograd.Value, pads []int, end bool) *autograd.Value { return resize(x, pads, end, -1) }

func resize(x *autograd.Value, pads []int, end bool, sign int) *autograd.Value {
	// The last axis and the channels are one axis for this purpose: Pad knows three.
	d := len(pads)
	nc := x.Dim(-1)
	var list []int
	some := false
	for a := d - 1; a >= 0; a-- {
		p := sign * pads[a]
		some = some || p != 0
		if a == d-1 {
			p *= nc
		}
		if end {
			list = append(list, 0, p)
		} else {
			list = append(list, p, p)
		}
	}
	if !some {
		return x
	}
	merged := append([]int{}, x.Shape[:d]...)
	y := autograd.Pad(autograd.Reshape(x, append(merged, x.Shape[d]*nc)...), list, autograd.PadZeros)
	return autograd.Reshape(y, append(append([]int{}, y.Shape[:d]...), -1, nc)...)
}
