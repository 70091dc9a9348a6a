package spectral

// kept lists the modes of one axis that take part: slot j reads bin in[j] of the transform of the input grid, uses row first+j of
// the weight and writes bin out[j] of the output grid's spectrum, none where that is -1.
type kept struct {
	in, out []int
	first   int
}

// kept returns the modes of every axis for grids of the given sizes; modes is what stored returns for the modes in use, weight for
// those of the weight.
func (c *Config) kept(in, out, modes, weight []int) []kept {
	list := make([]kept, len(in))
	for a := range in {
		if a == len(in)-1 && !c.Complex {
			list[a] = keptHalf(in[a], out[a], modes[a])
		} else {
			list[a] = c.keptBoth(a, in[a], out[a], modes[a], weight[a])
		}
	}
	return list
}

// keptHalf keeps the first frequencies of a half spectrum.
func keptHalf(in, out, modes int) kept {
	var l kept
	for f := range min(modes, in/2+1) {
		l.in = append(l.in, f)
		if f > out/2 {
			f = -1
		}
		l.out = append(l.out, f)
	}
	return l
}

// keptBoth keeps k frequencies around zero, -floor(k/2) and up.
func (c *Config) keptBoth(axis, in, out, modes, weight int) kept {
	k := min(modes, in)
	l := kept{first: weight/2 - k/2}
	if c.Defects.FloorCrop {
		l.first = (weight - k) / 2
	}
	lowest := c.Complex && c.Defects.LowestComplex && axis == len(c.Modes)-1
	for j := range k {
		f := j - k/2
		g := f // comes out as this frequency
		switch {
		case lowest && len(c.Modes) == 1:
			f, g = j, j
		case lowest:
			f, g = j-in/2, j
		case c.Defects.RollOddGrids && len(c.Modes) > 1 && in%2 == 1:
			g--
		}
		l.in = append(l.in, wrap(f, in))
		switch {
		case in == out:
			g = wrap(g, out)
		case c.Defects.TailResize:
			if g = wrap(g, in); g >= out {
				g = -1
			}
		case g < -(out/2) || g >= (out+1)/2:
			g = -1
		default:
			g = wrap(g, out)
		}
		l.out = append(l.out, g)
	}
	return l
}

// wrap returns frequency f as an index of the spectrum of n points.
func wrap(f, n int) int { return ((f % n) + n) % n }
