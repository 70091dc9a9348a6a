package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// rope holds the rotations of the patches of a grid: sin and cos, both patches x d/2, for heads of d channels. Pair i of a patch's
// channels, (i, i + d/2), turns by 2 pi u / temperature^(4 (i mod d/4) / d), where u is the patch's row (i < d/4) or column (others) as
// the place of its centre between -1 and 1.
type rope struct{ sin, cos []float32 }

func newRope(ny, nx, d int, temperature float64) *rope {
	half, quarter := d/2, d/4
	r := &rope{make([]float32, ny*nx*half), make([]float32, ny*nx*half)}
	centre := func(i, n int) float64 { return 2*(float64(i)+0.5)/float64(n) - 1 }
	for p := range ny * nx {
		for i := range half {
			u := centre(p/nx, ny)
			if i >= quarter {
				u = centre(p%nx, nx)
			}
			s, c := math.Sincos(2 * math.Pi * u / math.Pow(temperature, float64(4*(i%quarter))/float64(d)))
			r.sin[p*half+i], r.cos[p*half+i] = float32(s), float32(c)
		}
	}
	return r
}

// splitHeads turns qkv, nb x nt x 3 nh d, into the queries, keys and values of every head, 3 x nb x nh x nt x d, and rotates queries and
// keys of all tokens but the first prefix ones, which are no patches.
func splitHeads(qkv *autograd.Value, heads, prefix int, r *rope) *autograd.Value {
	nb, nt, d := qkv.Shape[0], qkv.Shape[1], qkv.Shape[2]/(3*heads)
	out := qkv.Tape().Alloc(3, nb, heads, nt, d)
	// each calls f with every run of d channels: where it lies in qkv, in the result, and its patch, -1 where it is not rotated.
	each := func(f func(from, to, patch int)) {
		kernel.Parallel(nb*nt, max(1, 1<<13/qkv.Shape[2]), func(lo, hi int) {
			for row := lo; row < hi; row++ {
				b, t := row/nt, row%nt
				for s := range 3 {
					patch := t - prefix
					if s == 2 {
						patch = -1
					}
					for h := range heads {
						f(((row*3+s)*heads+h)*d, (((s*nb+b)*heads+h)*nt+t)*d, max(patch, -1))
					}
				}
			}
		})
	}
	each(func(from, to, patch int) { r.turn(out.Data[to:to+d], qkv.Data[from:from+d], patch, 1) })
	return autograd.Record("splitHeads", out, []*autograd.Value{qkv}, func(g *autograd.Grads, gy []float32) {
		gx, acc := g.Buffer(qkv)
		dst := gx
		if acc {
			dst = g.Scratch(len(gx))
			defer g.Free(dst)
		}
		each(func(from, to, patch int) { r.turn(dst[from:from+d], gy[to:to+d], patch, -1) })
		if acc {
			kernel.Add(gx, gx, dst)
		}
	})
}

// turn rotates x by the angles of a patch times sign into dst; a patch of -1 does not turn.
func (r *rope) turn(dst, x []float32, patch int, sign float32) {
	if patch < 0 {
		copy(dst, x)
		return
	}
	half := len(x) / 2
	sin, cos := r.sin[patch*half:][:half], r.cos[patch*half:][:half]
	x1, x2 := x[:half], x[half:][:half]
	y1, y2 := dst[:half], dst[half:][:half]
	for i, c := range cos {
		s := sign * sin[i]
		a, b := x1[i], x2[i]
		y1[i], y2[i] = a*c-b*s, b*c+a*s
	}
}
