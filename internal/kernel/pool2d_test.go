package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMaxPool2d(t *testing.T) {
	x := []float32{
		1, 5, 2, 0, 9,
		3, 4, 8, 8, 9,
		7, 7, 1, 1, 9,
	}
	y, arg := make([]float32, 2), make([]int32, 2)
	p := MaxPool{NY: 3, NX: 5, KY: 2, KX: 2, SY: 2, SX: 2}
	MaxPool2d(y, arg, x, 1, p)
	require.Equal(t, []float32{5, 8}, y)
	require.Equal(t, []int32{1, 7}, arg)
	g := make([]float32, len(x))
	MaxPool2dGrad(g, []float32{10, 20}, arg, 1, p, false)
	MaxPool2dGrad(g, []float32{1, 2}, arg, 1, p, true)
	want := make([]float32, len(x))
	want[1], want[7] = 11, 22
	require.Equal(t, want, g)
	x[5] = float32(math.NaN())
	MaxPool2d(y, arg, x, 1, p)
	require.True(t, y[0] != y[0])
	require.Equal(t, int32(5), arg[0])
}

// TestMaxPool2dOverlapping has windows that overlap and hang over the edge, against the definition on a plane extended by -Inf.
func TestMaxPool2dOverlapping(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 38))
	p := MaxPool{NY: 10, NX: 13, KY: 3, KX: 4, SY: 2, SX: 1, PY: 1, PX: 2}
	const planes = 5
	oy, ox := p.Out()
	require.Equal(t, [2]int{5, 14}, [2]int{oy, ox})
	x := normals[float64](rng, planes*p.NY*p.NX)
	y, arg := make([]float64, planes*oy*ox), make([]int32, planes*oy*ox)
	MaxPool2d(y, arg, x, planes, p)
	gx := make([]float64, len(x))
	for k := range planes {
		for i := range oy {
			for j := range ox {
				best, at := math.Inf(-1), 0
				for u := range p.KY {
					for v := range p.KX {
						yy, xx := i*p.SY+u-p.PY, j*p.SX+v-p.PX
						if yy >= 0 && yy < p.NY && xx >= 0 && xx < p.NX && x[(k*p.NY+yy)*p.NX+xx] > best {
							at = yy*p.NX + xx
							best = x[k*p.NY*p.NX+at]
						}
					}
				}
				o := (k*oy+i)*ox + j
				require.Equal(t, best, y[o])
				require.Equal(t, int32(at), arg[o])
				gx[k*p.NY*p.NX+at] += y[o]
			}
		}
	}
	got := make([]float64, len(x))
	MaxPool2dGrad(got, y, arg, planes, p, false)
	require.Equal(t, gx, got)
	require.Panics(t, func() { MaxPool2d(y, arg, x, planes, MaxPool{NY: 10, NX: 13, KY: 3, KX: 4, SY: 2, SX: 1, PY: 2}) })
}
