package velocity

import (
	"math"
	"math/rand/v2"
)

// fault is a straight line. The layers on its right have moved along it by throw at the line, and less away from it: near the
// line they bend.
type fault struct {
	x, z   float64 // a point of the line, in cells
	ux, uz float64 // unit vector along it, downwards
	throw  float64 // in cells; positive is down
	bend   float64 // distance over which the bend dies out, in cells
}

// newFault draws a fault through (x, z) that dips between least and most degrees to either side.
func newFault(x, z, least, most, depth float64, rng *rand.Rand) fault {
	dip := (least + (most-least)*rng.Float64()) * math.Pi / 180
	f := fault{x: x, z: z, ux: math.Cos(dip), uz: math.Sin(dip)}
	if rng.IntN(2) == 0 {
		f.ux = -f.ux
	}
	f.throw = (0.1 + 0.15*rng.Float64()) * depth
	if rng.IntN(2) == 0 {
		f.throw = -f.throw
	}
	f.bend = (0.03 + 0.06*rng.Float64()) * depth
	return f
}

// right returns the distance of a point from the line, positive on its right.
func (f *fault) right(x, z float64) float64 { return (x-f.x)*f.uz - (z-f.z)*f.ux }

// before returns where the rock at (x, z) was before it moved.
func (f *fault) before(x, z float64) (float64, float64) {
	d := f.right(x, z)
	if d < 0 {
		return x, z
	}
	t := f.throw * (0.5 + 0.5*math.Exp(-d/f.bend))
	return x - t*f.ux, z - t*f.uz
}

// earth is a layered map before it is sampled.
type earth struct {
	blocks []stack // one, or one on either side of divide
	divide fault
	curve  curve
	moves  []fault
}

func newEarth(r *recipe, layers, nz, nx int, rng *rand.Rand) *earth {
	depth, width := float64(nz), float64(nx)
	e := &earth{curve: newCurve(r, nz, nx, rng), blocks: []stack{newStack(r, layers, depth, rng)}}
	// The fault that shifts passes a layer boundary inside the map, so that it shows.
	shift := func(least, most float64) {
		x := (0.2 + 0.6*rng.Float64()) * width
		z := depth / 2
		side := &e.blocks[0]
		if len(e.blocks) > 1 && e.divide.right(x, z) >= 0 {
			side = &e.blocks[1]
		}
		if n := len(side.bottoms); n > 0 {
			z = min(max(side.bottoms[rng.IntN(n)]+e.curve.at(x), 0.1*depth), 0.9*depth)
		}
		e.moves = append(e.moves, newFault(x, z, least, most, depth, rng))
	}
	switch r.fault {
	case oneShift:
		shift(40, 80)
	case twoSides:
		e.blocks = append(e.blocks, newStack(r, layers, depth, rng))
		e.divide = newFault((0.25+0.5*rng.Float64())*width, depth/2, 65, 85, depth, rng)
		shift(40, 65)
	}
	return e
}

// draw samples the earth at the cells of dst, nz x nx.
func (e *earth) draw(dst []float32, nz, nx int) {
	for i := range dst {
		x, z := float64(i%nx), float64(i/nx)
		block := &e.blocks[0]
		if len(e.blocks) > 1 && e.divide.right(x, z) >= 0 {
			block = &e.blocks[1]
		}
		for k := range e.moves {
			x, z = e.moves[k].before(x, z)
		}
		dst[i] = block.at(z - e.curve.at(x))
	}
}
