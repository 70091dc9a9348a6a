package augment_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi/augment"
	"github.com/spamoe/spamoe/fwi/wave"
)

const nz, nx = 12, 14

var survey = wave.Config{Samples: 150, Steps: 149, Pad: 10, Shots: 3}

func pair(t *testing.T) (gathers, vel []float32) {
	vel = make([]float32, nz*nx)
	for i := range vel {
		vel[i] = float32(2000 + 50*(i/nx) + 30*(i%nx))
	}
	return simulate(t, survey, vel), vel
}

func simulate(t *testing.T, cfg wave.Config, vel []float32) []float32 {
	s, err := wave.New[float32](cfg, nz, nx)
	require.NoError(t, err)
	gathers := make([]float32, 3*150*nx)
	require.NoError(t, s.Forward(context.Background(), gathers, vel))
	return gathers
}

func apply(t *testing.T, cfg augment.Config, gathers, vel []float32) {
	a, err := augment.New(cfg, survey, nz, nx)
	require.NoError(t, err)
	require.NoError(t, a.Apply(context.Background(), gathers, vel, rand.New(rand.NewPCG(1, 2))))
}

func TestNothingByDefault(t *testing.T) {
	g, v := pair(t)
	g2, v2 := slices.Clone(g), slices.Clone(v)
	apply(t, augment.Config{}, g2, v2)
	require.Equal(t, g, g2)
	require.Equal(t, v, v2)
}

// A flipped pair is a pair: its gathers are those of its map.
func TestFlipSimulatesAgain(t *testing.T) {
	g, v := pair(t)
	g2, v2 := slices.Clone(g), slices.Clone(v)
	apply(t, augment.Config{Flip: 1}, g2, v2)
	require.Equal(t, v[3*nx+1], v2[3*nx+nx-2])
	require.Equal(t, simulate(t, survey, v2), g2)
	require.NotEqual(t, g, g2)
}

func TestOtherFrequencies(t *testing.T) {
	g, v := pair(t)
	apply(t, augment.Config{Freqs: []float64{9}}, g, v)
	other := survey
	other.Freq = 9
	require.Equal(t, simulate(t, other, v), g)
}

func TestNoiseHasItsStrength(t *testing.T) {
	g, v := pair(t)
	noisy := slices.Clone(g)
	apply(t, augment.Config{Noise: [2]float64{20, 20}}, noisy, v)
	var signal, noise float64
	for i, p := range g {
		signal += float64(p) * float64(p)
		noise += math.Pow(float64(noisy[i]-p), 2)
	}
	require.InDelta(t, 20, 10*math.Log10(signal/noise), 0.3)
	silent := make([]float32, 10)
	augment.Noise(silent, 20, rand.New(rand.NewPCG(1, 2)))
	require.Equal(t, make([]float32, 10), silent)
}

func TestMuteSilencesWholeTraces(t *testing.T) {
	g, v := pair(t)
	muted := slices.Clone(g)
	apply(t, augment.Config{Mute: 0.3}, muted, v)
	silent := 0
	for shot := range 3 {
		for r := range nx {
			kept := 0
			for k := range 150 {
				if at := (shot*150+k)*nx + r; muted[at] != 0 {
					require.Equal(t, g[at], muted[at])
					kept++
				}
			}
			if kept == 0 {
				silent++
			} else {
				require.Greater(t, kept, 50)
			}
		}
	}
	require.InDelta(t, 0.3*3*nx, silent, 9)
}

func TestErrors(t *testing.T) {
	for want, cfg := range map[string]augment.Config{
		"augment: Flip is 2, want a probability":                             {Flip: 2},
		"augment: Mute is -1, want a probability":                            {Mute: -1},
		"augment: Noise is from 3 to 1 dB, want two finite numbers in order": {Noise: [2]float64{3, 1}},
		"augment: Freqs[1] is 0 Hz, want a positive number":                  {Freqs: []float64{15, 0}},
		"augment: Freqs[0] is NaN Hz, want a positive number":                {Freqs: []float64{math.NaN()}},
		"wave: Freq is +Inf, want a positive finite number":                  {Freqs: []float64{math.Inf(1)}},
	} {
		_, err := augment.New(cfg, survey, nz, nx)
		require.EqualError(t, err, want)
	}
}

// Where Apply fails, the map is the one that the gathers were recorded over.
func TestFailureLeavesThePair(t *testing.T) {
	g, v := pair(t)
	v[5] = 0
	g2, v2 := slices.Clone(g), slices.Clone(v)
	a, err := augment.New(augment.Config{Flip: 1}, survey, nz, nx)
	require.NoError(t, err)
	require.ErrorContains(t, a.Apply(context.Background(), g2, v2, rand.New(rand.NewPCG(1, 2))), "velocity is 0 m/s")
	require.Equal(t, v, v2)
	require.Equal(t, g, g2)
}

func ExampleAugmenter_Apply() {
	a, err := augment.New(augment.Config{Flip: 1, Noise: [2]float64{10, 30}}, wave.Config{Samples: 100, Pad: 10, Shots: 1}, 4, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	vel := []float32{1500, 1600, 1700, 1500, 1600, 1700, 1500, 1600, 1700, 1500, 1600, 1700}
	gathers := make([]float32, 100*3)
	err = a.Apply(context.Background(), gathers, vel, rand.New(rand.NewPCG(1, 2)))
	fmt.Println(vel[:3], gathers[50] != 0, err)
	// Output: [1700 1600 1500] true <nil>
}
