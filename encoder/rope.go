package encoder

import (
	"math"

	"github.com/spamoe/spamoe/autograd"
)

// newRope returns the rotations of the patches of a grid, which come after first other tokens, for heads of d channels. Pair i of a
// patch's channels, (i, i + d/2), turns by 2 pi u / temperature^(4 (i mod d/4) / d), where u is the patch's row (i < d/4) or column
// (others) as the place of its centre between -1 and 1.
func newRope(ny, nx, first, d int, temperature float64) *autograd.Rotation {
	half, quarter := d/2, d/4
	r := &autograd.Rotation{First: first, Sin: make([]float32, ny*nx*half), Cos: make([]float32, ny*nx*half)}
	turns := make([]float64, quarter)
	for i := range turns {
		turns[i] = 2 * math.Pi / math.Pow(temperature, float64(4*i)/float64(d))
	}
	// along fills in the angles of one axis: those of place k of n for the pairs from pair first on, at the patches k*step + j*skip.
	along := func(n, step, others, skip, first int) {
		for k := range n {
			u := 2*(float64(k)+0.5)/float64(n) - 1
			for i, turn := range turns {
				s, c := math.Sincos(u * turn)
				for j := range others {
					at := (k*step+j*skip)*half + first + i
					r.Sin[at], r.Cos[at] = float32(s), float32(c)
				}
			}
		}
	}
	along(ny, nx, nx, 1, 0)
	along(nx, 1, ny, nx, quarter)
	return r
}
