package moe_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/moe"
)

func random(seed uint64, shape ...int) *autograd.Tensor {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := autograd.New(shape...)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	return x
}

func centers(n int) []float32 {
	c := make([]float32, n)
	for i := range c {
		c[i] = float32(i) / float32(max(n-1, 1))
	}
	return c
}

func TestBandsAddUpToTheInput(t *testing.T) {
	for _, n := range [][2]int{{16, 16}, {70, 70}, {9, 14}, {7, 5}, {1, 6}, {3, 1}} {
		for bands := 1; bands <= 5; bands++ {
			for _, hard := range []bool{false, true} {
				b := moe.Bands{Centers: centers(bands), Sharpness: 20, Hard: hard}
				x := random(1, 2, 2, n[0], n[1])
				tape := &autograd.Tape{NoGrad: true}
				y := b.Split(tape.Const(x))
				require.Equal(t, []int{bands, 2, 2, n[0], n[1]}, y.Shape)
				worst, largest := 0.0, 0.0
				for i, v := range x.Data {
					sum := 0.0
					for j := range bands {
						sum += float64(y.Data[j*x.Len()+i])
					}
					worst, largest = max(worst, math.Abs(sum-float64(v))), max(largest, math.Abs(float64(v)))
				}
				require.LessOrEqual(t, worst, 1e-6*largest, "%v, %d bands, hard %v", n, bands, hard)
			}
		}
	}
}

func TestRadius(t *testing.T) {
	for _, n := range [][2]int{{16, 16}, {9, 14}, {7, 5}} {
		ny, nx := n[0], n[1]
		r := moe.Bands{}.Radius(ny, nx)
		require.Zero(t, r.Data[0])
		largest := float32(0)
		for i := range ny {
			for j := range nx {
				require.Equal(t, r.At(i, j), r.At((ny-i)%ny, (nx-j)%nx))
				largest = max(largest, r.At(i, j))
			}
		}
		require.Equal(t, float32(1), largest)
	}
	require.NotZero(t, moe.Bands{Defects: moe.ReferenceDefects()}.Radius(16, 16).Data[0])
}

// A soft band becomes a hard one as the sharpness grows.
func TestSharpBandsAreHard(t *testing.T) {
	b := moe.Bands{Centers: centers(3), Sharpness: 1e7}
	soft := b.Masks(12, 10)
	b.Hard = true
	require.InDeltaSlice(t, b.Masks(12, 10).Data, soft.Data, 1e-6)
}

// A sharpness of 0 is that of a configuration with 0.
func TestSharpnessOfZero(t *testing.T) {
	b := moe.Bands{Centers: centers(3)}
	got := b.Masks(12, 10)
	b.Sharpness = 20
	require.Equal(t, b.Masks(12, 10), got)
}

func TestBandsRefuse(t *testing.T) {
	x := (&autograd.Tape{}).Const(autograd.New(1, 1, 4, 4))
	require.PanicsWithValue(t, "moe: Bands: centers [], sharpness 0; want at least one center and a positive number, or 0", func() { moe.Bands{}.Split(x) })
	require.Panics(t, func() { moe.Bands{Centers: centers(2), Sharpness: -1}.Masks(4, 4) })
}

func TestSplitWantsPlanes(t *testing.T) {
	b := moe.Bands{Centers: centers(3), Sharpness: 20}
	tape := &autograd.Tape{}
	require.PanicsWithValue(t, "moe: Split: shape [3 4 4]; want [batch, channel, ny, nx]", func() { b.Split(tape.Const(autograd.New(3, 4, 4))) })
}
