package lno_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/lno"
)

// Hats add up to one within the outermost ring, or within the middle cone and it.
func TestPiecewiseLinearSumsToOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 6; n++ {
		for m := 2; m <= 7; m++ {
			b := lno.Basis{Shape: []int{n, m}}
			require.Equal(t, n/2*m+n%2, b.Len())
			outer := float64(n/2*2-(n+1)%2) / float64(n+1) // the radius of the outermost ring
			for range 50 {
				r, phi, sum := outer*rng.Float64(), 2*math.Pi*rng.Float64(), 0.0
				for k := range b.Len() {
					sum += b.At(k, r, phi)
				}
				require.InDelta(t, 1, sum, 1e-12, "%d rings of %d angles at %v, %v", n, m, r, phi)
			}
			sum := 0.0
			for k := range b.Len() {
				sum += b.At(k, 0, 0)
			}
			require.InDelta(t, 1, sum, 1e-12)
		}
	}
}

func TestPiecewiseLinearValues(t *testing.T) {
	cone := lno.Basis{Shape: []int{1}}
	require.Equal(t, 1, cone.Len())
	require.InDelta(t, 0.75, cone.At(0, 0.25, 1), 1e-15)
	require.Zero(t, cone.At(0, 1.01, 1))
	rings := lno.Basis{Shape: []int{3}} // rings at 0 and 1/2, half a radius wide
	require.InDeltaSlice(t, []float64{0.4, 0.6}, []float64{rings.At(0, 0.3, 2), rings.At(1, 0.3, 2)}, 1e-15)
	four := lno.Basis{} // a ring at 1/3, two thirds wide, with hats at -pi, -pi/2, 0, pi/2
	require.InDelta(t, 0.5, four.At(2, 2./3, 0), 1e-15)
	require.InDelta(t, 0.25, four.At(2, 2./3, math.Pi/4), 1e-15)
	require.InDelta(t, 1./6*0.5, four.At(1, 8./9, -math.Pi/4), 1e-15)
	require.InDelta(t, 0.75, four.At(2, 1./6, 0), 1e-15)
	require.InDelta(t, 0.25, four.At(0, 1./6, 0), 1e-15) // through the middle, from the other side
	require.InDelta(t, 0.25, four.At(0, 0, 0), 1e-15)
	// Turning by a quarter permutes the functions.
	for _, r := range []float64{0, 0.1, 0.5, 0.9} {
		for k := range 4 {
			require.InDelta(t, four.At(k, r, 0.3), four.At((k+1)%4, r, 0.3+math.Pi/2), 1e-12)
		}
	}
}

func TestMorletValues(t *testing.T) {
	b := lno.Basis{Kind: lno.Morlet, Shape: []int{3, 4}}
	require.Equal(t, 12, b.Len())
	gauss := func(r float64) float64 { return math.Exp(-8*r*r) * 8 / math.Pi }
	require.InDelta(t, gauss(0), b.At(0, 0, 0), 1e-12)
	// Function 4 q + p is wave p in y = r sin phi times wave q in x.
	r, phi := 0.4, 0.7
	x, y := r*math.Cos(phi), r*math.Sin(phi)
	require.InDelta(t, gauss(r)*math.Sin(4*math.Pi*y), b.At(1, r, phi), 1e-12)
	require.InDelta(t, gauss(r)*math.Sin(8*math.Pi*y)*math.Cos(4*math.Pi*x), b.At(4*2+3, r, phi), 1e-12)
	require.InDelta(t, gauss(r)*math.Cos(4*math.Pi*y)*math.Sin(4*math.Pi*x), b.At(4*1+2, r, phi), 1e-12)
}

func TestZernikeIsOrthogonal(t *testing.T) {
	b := lno.Basis{Kind: lno.Zernike, Shape: []int{4}}
	require.Equal(t, 10, b.Len())
	require.InDelta(t, 1, b.At(0, 0.3, 1), 1e-15)
	require.InDelta(t, 0.3*math.Cos(1), b.At(2, 0.3, 1), 1e-15)
	require.InDelta(t, 2*0.09-1, b.At(4, 0.3, 1), 1e-14)
	const n, m = 200, 16 // midpoints; waves of at most 6 periods are exact
	var gram [10][10]float64
	for i := range n * m {
		r, phi := (float64(i/m)+0.5)/n, 2*math.Pi*float64(i%m)/m
		var v [10]float64
		for k := range v {
			v[k] = b.At(k, r, phi)
		}
		for k := range v {
			for l := range v {
				gram[k][l] += v[k] * v[l] * r * 2 * math.Pi / (n * m)
			}
		}
	}
	k := 0
	for degree := range 4 {
		for order := -degree; order <= degree; order += 2 {
			for l := range k {
				require.InDelta(t, 0, gram[k][l], 1e-3, "%d, %d", k, l)
			}
			want := math.Pi / float64(2*degree+2)
			if order == 0 {
				want *= 2
			}
			require.InDelta(t, want, gram[k][k], 1e-3, "norm of %d", k)
			k++
		}
	}
}

// At the default radius, grids see every function of every basis.
func TestDefaultRadiusHasSupport(t *testing.T) {
	var bases []lno.Basis
	for n := 1; n <= 6; n++ {
		for m := 1; m <= 8; m++ {
			bases = append(bases, lno.Basis{Shape: []int{n, m}})
		}
		for m := 1; m <= 4 && n <= 4; m++ {
			bases = append(bases, lno.Basis{Kind: lno.Morlet, Shape: []int{n, m}})
		}
		bases = append(bases, lno.Basis{Shape: []int{n}}, lno.Basis{Kind: lno.Zernike, Shape: []int{n}})
	}
	for _, b := range append(bases, lno.Basis{}, lno.Basis{Kind: lno.Morlet}, lno.Basis{Kind: lno.Zernike}) {
		l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{70, 70}, Basis: b}, nil)
		require.NoError(t, err, "%+v", b)
		s, err := l.Samples(70, 70)
		require.NoError(t, err)
		require.Equal(t, b.Len(), s.Shape[0])
		for k := range b.Len() {
			sum := 0.0
			for i := range s.Shape[1] * s.Shape[2] {
				sum += math.Abs(float64(s.Data[k*s.Shape[1]*s.Shape[2]+i]))
			}
			require.InDelta(t, 1, sum, 1e-5, "%+v", b)
		}
	}
}

func TestBasisRefuses(t *testing.T) {
	require.NoError(t, lno.Basis{}.Check())
	for _, b := range []lno.Basis{{Kind: "haar"}, {Shape: []int{0}}, {Shape: []int{1, 2, 3}}, {Kind: lno.Zernike, Shape: []int{2, 2}}} {
		require.Error(t, b.Check(), fmt.Sprint(b))
	}
}
