package mno

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// How grids are halved: the sides that the blocks work on, and how many levels they have.
func TestGrids(t *testing.T) {
	for _, c := range []struct {
		config Config
		n      []int
		size   []int
		levels int
	}{
		{Config{}, []int{64}, []int{64}, 6},
		{Config{}, []int{64, 16}, []int{64, 16}, 4},
		{Config{}, []int{70, 70}, []int{72, 72}, 3},
		{Config{}, []int{100}, []int{112}, 4},
		{Config{}, []int{5}, []int{6}, 1},
		{Config{}, []int{1}, []int{1}, 0},
		{Config{}, []int{2, 1}, []int{2, 1}, 0},
		{Config{Levels: 2}, []int{64}, []int{64}, 2},
		{Config{Levels: 4}, []int{70}, []int{80}, 4},
		{Config{Levels: 3}, []int{64}, []int{64}, 3}, // one depth on many grids
		{Config{Levels: 3}, []int{72}, []int{72}, 3},
		{Config{Levels: 3}, []int{250}, []int{256}, 3},
		{Config{Coarsest: 3}, []int{256}, []int{256}, 5},
		{Config{Levels: 9}, []int{5}, []int{8}, 3},
		{Config{Coarsest: 3}, []int{70}, []int{72}, 3},
		{Config{Coarsest: 3}, []int{64}, []int{64}, 3},
		{Config{Coarsest: 4}, []int{70}, []int{72}, 2},
		{Config{StopAtOdd: true}, []int{70, 70}, []int{70, 70}, 1},
		{Config{StopAtOdd: true}, []int{70, 64}, []int{70, 64}, 1},
		{Config{StopAtOdd: true}, []int{35}, []int{35}, 0},
		{Config{StopAtOdd: true, Coarsest: 2}, []int{64}, []int{64}, 4},
	} {
		size := make([]int, len(c.n))
		c.config.fit(size, c.n)
		require.Equal(t, c.size, size, "%v %+v", c.n, c.config)
		require.Equal(t, c.levels, c.config.depth(size), "%v %+v", c.n, c.config)
	}
}

func TestConfigErrors(t *testing.T) {
	for want, c := range map[string]Config{
		"mno: 0 input and 1 output channels; want at least 1 of each": {Out: 1},
		"mno: dim 3; want 1 or 2":                                     {In: 1, Out: 1, Dim: 3},
		`mno: basis "haar"; want "legendre" or "chebyshev"`:           {In: 1, Out: 1, Basis: "haar"},
		"mno: 9 polynomials; want 1 to 8":                             {In: 1, Out: 1, K: 9},
		"mno: channels -1; want at least 1":                           {In: 1, Out: 1, Channels: -1},
		"mno: modes -2; want at least 1":                              {In: 1, Out: 1, Modes: -2},
		"mno: levels -1; want at least 0":                             {In: 1, Out: 1, Levels: -1},
		"mno: coarsest 31; want at most 30":                           {In: 1, Out: 1, Coarsest: 31},
	} {
		_, err := New(c, nil)
		require.EqualError(t, err, want)
	}
	for want, c := range map[string]MultiscaleConfig{
		"mno: 1 input, 0 hidden and 1 output channels; want at least 1 of each": {In: 1, Out: 1},
		"mno: dim 4; want 1 to 3": {In: 1, Out: 1, Hidden: 2, Dim: 4},
		"mno: modes [[4 4]] for the scales [1 0.5 0.25]; want one list for each": {In: 1, Out: 1, Hidden: 2, Modes: [][]int{{4, 4}}},
		"mno: modes [4] of scale 1 for 2 axes":                                   {In: 1, Out: 1, Hidden: 2, Scales: []float64{1}, Modes: [][]int{{4}}},
		`mno: fusion "sum"; want "hierarchical" or "adaptive"`:                   {In: 1, Out: 1, Hidden: 2, Fusion: "sum"},
		"mno: scales [1 -1]; want positive numbers up to 4":                      {In: 1, Out: 1, Hidden: 2, Scales: []float64{1, -1}},
		"mno: scales [0.5 1]; want 1 first, the grid of the result":              {In: 1, Out: 1, Hidden: 2, Scales: []float64{0.5, 1}},
		"mno: lifting_hidden -1, projection_hidden 8; want at least 1":           {In: 1, Out: 1, Hidden: 2, LiftingHidden: -1},
		"mno: scale 1: spectral: -1 blocks; want at least 1":                     {In: 1, Out: 1, Hidden: 2, Layers: -1},
	} {
		_, err := NewMultiscale(c, nil)
		require.EqualError(t, err, want)
	}
}

// A file carries the configuration as JSON; what has its default is left out.
func TestConfigJSON(t *testing.T) {
	for _, c := range []any{&Config{In: 5, Out: 1}, &Config{In: 1, Out: 2, Dim: 1, Basis: Chebyshev, K: 4, StopAtOdd: true, Defects: Defects{OverlapModes: true}},
		&MultiscaleConfig{In: 1, Out: 1, Hidden: 4}} {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		switch want := c.(type) {
		case *Config:
			var got Config
			require.NoError(t, json.Unmarshal(text, &got))
			require.Equal(t, *want, got)
		case *MultiscaleConfig:
			var got MultiscaleConfig
			require.NoError(t, json.Unmarshal(text, &got))
			require.Equal(t, *want, got)
		}
	}
	text, err := json.Marshal(Config{In: 5, Out: 1})
	require.NoError(t, err)
	require.Equal(t, `{"in":5,"out":1}`, fmt.Sprintf("%s", text))
}
