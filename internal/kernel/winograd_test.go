package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The transforms, assembly and loops, and what they make up: a convolution.
func TestWinograd(t *testing.T) {
	best := fastWinograd
	defer func() { fastWinograd = best }()
	for _, fast := range []bool{false, true} {
		if fast && !best {
			continue
		}
		fastWinograd = fast
		for _, s := range []ConvShape{
			{N: 1, C: 1, H: 4, W: 32, Out: 1, KH: 3, KW: 3, PadH: 1, PadW: 1},
			{N: 2, C: 5, H: 6, W: 34, Out: 3, KH: 3, KW: 3, PadH: 1, PadW: 1},
			{N: 1, C: 33, H: 10, W: 70, Out: 34, KH: 3, KW: 3, PadH: 1, PadW: 1},
			{N: 1, C: 2, H: 8, W: 40, Out: 2, KH: 3, KW: 3},
			{N: 2, C: 3, H: 4, W: 62, Out: 4, KH: 3, KW: 3, PadH: 2, PadW: 2},
		} {
			s = s.resolve("test")
			for _, biased := range []bool{false, true} {
				r := rand.New(rand.NewPCG(1, 2))
				x, w := random[float32](r, s.N*s.C*s.H*s.W), random[float32](r, s.Out*s.patch())
				var bias []float32
				want := make([]float64, s.N*s.Out*s.OH*s.OW)
				if biased {
					bias = random[float32](r, s.Out)
					for i := range want {
						want[i] = float64(bias[i/(s.OH*s.OW)%s.Out])
					}
				}
				convLoop(s, func(y, a, b int) { want[y] += float64(x[a]) * float64(w[b]) })
				y := make([]float32, len(want))
				winogradForward(y, x, w, bias, s)
				near(t, want, y, 2e-6, fmt.Sprintf("%+v fast %v bias %v", s, fast, biased))
			}
		}
	}
}

// Nothing outside of what belongs to the tiles is written.
func TestWinogradStaysInside(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := 1; n < 70; n++ {
		src := random[float32](r, 3*(2*n+5)+2*n+2)
		dst := make([]float32, 15*(n+3)+n+1)
		for i := range dst {
			dst[i] = 7
		}
		winogradInput(dst, src, n+3, 2*n+5, n)
		for i, v := range dst {
			if i%(n+3) >= n {
				require.Equal(t, float32(7), v)
			}
		}
		m, y := random[float32](r, 15*(n+1)+n), make([]float32, 4*n+10)
		for i := range y {
			y[i] = 7
		}
		winogradOutput(y, m, n+1, 2*n+4, n, 1)
		for i, v := range y {
			if i >= 2*n && i < 2*n+4 || i >= 4*n+4 {
				require.Equal(t, float32(7), v)
			}
		}
	}
}

// The gradients of a convolution that suits, against the loops.
func TestConvThatSuitsWinograd(t *testing.T) {
	s := ConvShape{N: 1, C: 32, H: 6, W: 36, Out: 33, KH: 3, KW: 3, PadH: 1, PadW: 1}.resolve("test")
	require.Equal(t, fastWinograd, s.suitsWinograd())
	r := rand.New(rand.NewPCG(5, 6))
	gy, w := random[float32](r, s.N*s.Out*s.OH*s.OW), random[float32](r, s.Out*s.patch())
	want := make([]float64, s.N*s.C*s.H*s.W)
	convLoop(s, func(y, x, k int) { want[x] += float64(gy[y]) * float64(w[k]) })
	gx := make([]float32, len(want))
	ConvInputGrad(gx, gy, w, s, false)
	near(t, want, gx, 5e-6, "input gradient")
}
