package half

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryHalf(t *testing.T) {
	for h := range 1 << 16 {
		got := float64(ToFloat32(uint16(h)))
		e, f := h>>10&31, float64(h&1023)
		want := math.Ldexp(1+f/1024, e-15)
		switch {
		case e == 0:
			want = math.Ldexp(f/1024, -14)
		case e == 31 && f == 0:
			want = math.Inf(1)
		case e == 31:
			require.True(t, math.IsNaN(got))
			continue
		}
		if h>>15 == 1 {
			want = -want
		}
		if got != want || math.Signbit(got) != math.Signbit(want) {
			t.Fatalf("%#04x is %v, want %v", h, got, want)
		}
	}
}

func TestBrain(t *testing.T) {
	require.Equal(t, float32(1), BrainToFloat32(0x3f80))
	require.Equal(t, float32(-2.5), BrainToFloat32(0xc020))
	require.True(t, math.IsInf(float64(BrainToFloat32(0x7f80)), 1))
	require.True(t, math.IsNaN(float64(BrainToFloat32(0x7fc0))))
}
