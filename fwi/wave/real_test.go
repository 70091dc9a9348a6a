package wave

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/testdata"
)

// array reads n float32 or float64 values of a little-endian .npy file of reference data.
func array(t testing.TB, n int, elem ...string) []float32 {
	t.Helper()
	raw, err := os.ReadFile(testdata.Shared(t, elem...))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(raw, []byte("\x93NUMPY\x01")))
	header, body, _ := bytes.Cut(raw[10:], []byte("\n"))
	require.Contains(t, string(header), "'<f4'")
	require.Contains(t, string(header), "'fortran_order': False")
	values := make([]float32, len(body)/4)
	require.Len(t, values, n)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
	}
	return values
}

// relative returns |got - want| / |want|, Euclidean.
func relative[T, U Float](got []T, want []U) float64 {
	var num, den float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		num += d * d
		den += float64(w) * float64(w)
	}
	return math.Sqrt(num / den)
}

func TestReproducesOpenFWI(t *testing.T) {
	vel := array(t, 70*70, "data", "openfwi", "CurveFault_B", "model_CF_sample0.npy")
	want := array(t, 5*1000*70, "data", "openfwi", "CurveFault_B", "data_CF_sample0.npy")
	// Training data hold 999 steps; the last row is zero.
	s, err := New[float32](Config{Steps: 999}, 70, 70)
	require.NoError(t, err)
	got := make([]float32, len(want))
	require.NoError(t, s.Forward(context.Background(), got, vel))
	e := relative(got, want)
	t.Logf("relative L2 %.3g", e)
	require.Less(t, e, 1.2e-5)
}

func BenchmarkForward(b *testing.B) {
	s, err := New[float32](Config{}, 70, 70)
	require.NoError(b, err)
	vel := make([]float32, 70*70)
	for i := range vel {
		vel[i] = 2000 + float32(i)/4
	}
	shots, samples, receivers := s.Shape()
	dst := make([]float32, shots*samples*receivers)
	for b.Loop() {
		require.NoError(b, s.Forward(context.Background(), dst, vel))
	}
	b.ReportMetric(float64(shots*s.cfg.Steps*s.grid.height*s.grid.width)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gpts/s")
}

func BenchmarkGradient(b *testing.B) {
	s, err := New[float32](Config{}, 70, 70)
	require.NoError(b, err)
	vel := make([]float32, 70*70)
	for i := range vel {
		vel[i] = 2000 + float32(i)/4
	}
	var g Gradient[float32]
	squares := func(shot int, adjoint, gather []float32) float64 {
		copy(adjoint, gather)
		return 1
	}
	for b.Loop() {
		_, err := s.Gradient(context.Background(), &g, vel, squares)
		require.NoError(b, err)
	}
}
