package spectral

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// FourierResample returns x, [batch, channel, n1 .. nd], on the grid size by trigonometric interpolation: exact for periodic functions
// whose modes both grids have. Modes that the new grid lacks are dropped. Where a grid has an even size n, its mode n/2 stands for a
// cosine: towards a finer grid it is shared between n/2 and -n/2, towards a coarser one both are added.
func FourierResample(x *autograd.Value, size ...int) *autograd.Value {
	return fourierResample(x, size, false)
}

// Resample returns x, [batch, channel, n1 .. nd], on the grid size: linear interpolation along one axis, bicubic (A = -0.75) over two,
// both with the outermost points kept, and FourierResample over three, as neuraloperator changes resolutions.
func Resample(x *autograd.Value, size ...int) *autograd.Value { return Defects{}.Resample(x, size...) }

// Resample is the function Resample, with the defects in d.
func (d Defects) Resample(x *autograd.Value, size ...int) *autograd.Value {
	switch len(size) {
	case 1:
		return autograd.Resize(x, size, autograd.Interpolation{Mode: autograd.InterpolateLinear, AlignCorners: true})
	case 2:
		return autograd.Resize(x, size, autograd.Interpolation{Mode: autograd.InterpolateCubic, AlignCorners: true})
	}
	return fourierResample(x, size, d.CopyModes)
}

// link says that bin out of the new spectrum receives bin in of the old one times weight.
type link struct {
	in, out int
	weight  float32
}

func fourierResample(x *autograd.Value, size []int, reference bool) *autograd.Value {
	d := len(size)
	if x.Rank() != 2+d || slices.Min(size) < 1 {
		panic(fmt.Sprintf("spectral: FourierResample: shape %v onto the grid %v", x.Shape, slices.Clone(size)))
	}
	n := slices.Clone(x.Shape[2:])
	if slices.Equal(n, size) {
		return x
	}
	links := make([][]link, d)
	for a := range links {
		half := a == d-1
		switch {
		case reference:
			links[a] = copiedModes(n[a], size[a], half)
		case half:
			links[a] = halfModes(n[a], size[a])
		default:
			links[a] = sharedModes(n[a], size[a])
		}
	}
	spectrum := RFFT(x, d, NormForward)
	return IRFFT(moveModes(spectrum, links, size), size, NormForward)
}

// sharedModes links the modes of a whole axis.
func sharedModes(n, m int) []link {
	if n == m {
		return identity(n)
	}
	var l []link
	small := min(n, m)
	for f := -(small - 1) / 2; f <= (small-1)/2; f++ {
		l = append(l, link{wrap(f, n), wrap(f, m), 1})
	}
	switch h := small / 2; {
	case small%2 == 1:
	case n < m:
		l = append(l, link{h, h, 0.5}, link{h, m - h, 0.5})
	default:
		l = append(l, link{h, h, 1}, link{n - h, h, 1})
	}
	return l
}

// halfModes links the modes of a half axis. The mode n/2 of an even n counts once there and all others twice.
func halfModes(n, m int) []link {
	l := identity(min(n, m)/2 + 1)
	if small := min(n, m); small%2 == 0 && n != m {
		if n < m {
			l[small/2].weight = 0.5
		} else {
			l[small/2].weight = 2
		}
	}
	return l
}

// copiedModes links modes as neuraloperator does: those of the first half of the smaller size from the start, the others from the end.
func copiedModes(n, m int, half bool) []link {
	small := min(n, m)
	if half {
		return identity(small/2 + 1)
	}
	l := identity(small / 2)
	for i := 1; i <= (small+1)/2; i++ {
		l = append(l, link{n - i, m - i, 1})
	}
	return l
}

func identity(n int) []link {
	l := make([]link, n)
	for i := range l {
		l[i] = link{i, i, 1}
	}
	return l
}

// moveModes gathers a half spectrum of another grid along the links of each axis.
func moveModes(x *autograd.Value, links [][]link, size []int) *autograd.Value {
	d := len(size)
	in := x.Shape[2 : 2+d]
	bins := slices.Clone(size)
	bins[d-1] = size[d-1]/2 + 1
	planes := x.Shape[0] * x.Shape[1]
	nin, nout := 1, 1
	all := []link{{0, 0, 1}}
	for a, axis := range links {
		nin *= in[a]
		nout *= bins[a]
		next := make([]link, 0, len(all)*len(axis))
		for _, l := range all {
			for _, k := range axis {
				next = append(next, link{l.in*in[a] + k.in, l.out*bins[a] + k.out, l.weight * k.weight})
			}
		}
		all = next
	}
	out := x.Tape().Alloc(append(append(append(make([]int, 0, 8), x.Shape[:2]...), bins...), 2)...)
	kernel.ParallelWith(planes, 1, modeMoves{out.Data, x.Data, nout, nin, all, false})
	return autograd.Record("FourierResample", out, []*autograd.Value{x}, movingModes{x, planes, nin, nout, all})
}

type movingModes struct {
	x                 *autograd.Value
	planes, nin, nout int
	links             []link // of all axes together
}

func (o *movingModes) Backward(g *autograd.Grads, gy []float32) {
	kernel.ParallelWith(o.planes, 1, modeMoves{g.Zeroed(o.x), gy, o.nin, o.nout, o.links, true})
}

// modeMoves carries planes of nsrc bins over to planes of ndst, or, backwards along the links, adds them.
type modeMoves struct {
	dst, src   []float32
	ndst, nsrc int
	links      []link
	back       bool
}

// Chunk does the planes lo to hi.
func (m *modeMoves) Chunk(lo, hi int) {
	for p := lo; p < hi; p++ {
		src, dst := m.src[2*p*m.nsrc:][:2*m.nsrc], m.dst[2*p*m.ndst:][:2*m.ndst]
		if m.back {
			for _, l := range m.links {
				dst[2*l.in] += l.weight * src[2*l.out]
				dst[2*l.in+1] += l.weight * src[2*l.out+1]
			}
			continue
		}
		clear(dst)
		for _, l := range m.links {
			dst[2*l.out] += l.weight * src[2*l.in]
			dst[2*l.out+1] += l.weight * src[2*l.in+1]
		}
	}
}
