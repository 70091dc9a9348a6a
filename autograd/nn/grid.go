package nn

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/memo"
)

// GridEmbedding appends the coordinates of the grid points to the channels, so that an operator knows where it is:
// y = [x, g_1, .., g_d], where g_k runs along axis k of the grid from lo_k in n_k steps of (hi_k - lo_k)/n_k. The end hi_k is
// left out, as on a periodic domain. It has no parameters and may be shared by goroutines.
type GridEmbedding struct {
	bounds [][2]float64
	grids  memo.Map[gridKey, []float32]
}

// gridKey names a grid of up to three axes in one memory layout.
type gridKey struct {
	size  [3]int
	first bool
}

// NewGridEmbedding returns an embedding for grids of dim axes, 1 to 3. Bounds, where given, are the ends lo, hi of each axis in
// turn; without them all axes run from 0 to 1.
func NewGridEmbedding(dim int, bounds ...[2]float64) *GridEmbedding {
	if dim < 1 || dim > 3 {
		panic(fmt.Sprintf("nn: GridEmbedding: %d axes; want 1 to 3", dim))
	}
	if len(bounds) == 0 {
		for range dim {
			bounds = append(bounds, [2]float64{0, 1})
		}
	}
	if len(bounds) != dim {
		panic(fmt.Sprintf("nn: GridEmbedding: bounds of %d axes for a grid of %d", len(bounds), dim))
	}
	return &GridEmbedding{bounds: append([][2]float64(nil), bounds...)}
}

// Channels returns how many channels the embedding appends: one per axis.
func (e *GridEmbedding) Channels() int { return len(e.bounds) }

// Forward maps a channels-last x, nb x n1 .. nd x nc, to nb x n1 .. nd x (nc + d).
func (e *GridEmbedding) Forward(x *autograd.Value) *autograd.Value {
	d := len(e.bounds)
	e.check(x)
	nc := x.Dim(-1)
	// Rows of nc values, each followed by a row of d coordinates; the coordinates repeat for every sample.
	shape := append(make([]int, 0, 8), x.Shape...)
	shape[1+d] += d
	return e.append(x, x.Shape[1:1+d], nc, d, shape, false)
}

// ForwardChannelsFirst maps a channels-first x, nb x nc x n1 .. nd, to nb x (nc + d) x n1 .. nd.
func (e *GridEmbedding) ForwardChannelsFirst(x *autograd.Value) *autograd.Value {
	d := len(e.bounds)
	e.check(x)
	points := 1
	for _, n := range x.Shape[2:] {
		points *= n
	}
	shape := append(make([]int, 0, 8), x.Shape...)
	shape[1] += d
	return e.append(x, x.Shape[2:], x.Shape[1]*points, d*points, shape, true)
}

func (e *GridEmbedding) check(x *autograd.Value) {
	if x.Rank() != len(e.bounds)+2 {
		panic(fmt.Sprintf("nn: GridEmbedding: shape %v; want batch, channels and %d axes of a grid", x.Shape, len(e.bounds)))
	}
}

// append interleaves rows of x, of length nx, with rows of the grid, of length ng; the grid starts again where it ends.
func (e *GridEmbedding) append(x *autograd.Value, size []int, nx, ng int, shape []int, first bool) *autograd.Value {
	grid := e.grid(size, first)
	out := x.Tape().Alloc(shape...)
	row := nx + ng
	for i, g := 0, 0; i*row < out.Len(); i++ {
		y := out.Data[i*row : (i+1)*row]
		copy(y, x.Data[i*nx:(i+1)*nx])
		copy(y[nx:], grid[g:g+ng])
		if g += ng; g == len(grid) {
			g = 0
		}
	}
	return autograd.Record("GridEmbedding", out, []*autograd.Value{x}, gridGrad{x, nx, row})
}

// gridGrad is the way back from rows that begin with nx values of x each.
type gridGrad struct {
	x       *autograd.Value
	nx, row int
}

func (o *gridGrad) Backward(g *autograd.Grads, gy []float32) {
	gx, acc := g.Buffer(o.x)
	for i := 0; i*o.row < len(gy); i++ {
		d, s := gx[i*o.nx:(i+1)*o.nx], gy[i*o.row:]
		if !acc {
			copy(d, s)
			continue
		}
		for j := range d {
			d[j] += s[j]
		}
	}
}

// grid returns the coordinates of a grid: for every point those of all axes, or with first for every axis those of all points.
func (e *GridEmbedding) grid(size []int, first bool) []float32 {
	key := gridKey{first: first}
	copy(key.size[:], size)
	grid, _ := e.grids.Get(key, func() ([]float32, error) { return e.coordinates(size, first), nil })
	return grid
}

func (e *GridEmbedding) coordinates(size []int, first bool) []float32 {
	points := 1
	for _, n := range size {
		points *= n
	}
	d := len(size)
	grid := make([]float32, points*d)
	stride := points
	for k, n := range size {
		stride /= max(n, 1)
		lo, hi := e.bounds[k][0], e.bounds[k][1]
		for p := range points {
			v := float32(lo + (hi-lo)*float64(p/max(stride, 1)%n)/float64(n))
			if first {
				grid[k*points+p] = v
			} else {
				grid[p*d+k] = v
			}
		}
	}
	return grid
}
