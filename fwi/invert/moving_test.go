package invert

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// offByACell returns a map of two regions, and one whose boundary lies a cell off in places.
func offByACell() (truth, start []float32) {
	truth, start = make([]float32, testNZ*testNX), make([]float32, testNZ*testNX)
	for i := range truth {
		row, col := i/testNX, i%testNX
		truth[i], start[i] = 1800, 1800
		if row >= testNZ/2+col/6 {
			truth[i] = 3200
		}
		if row >= testNZ/2+(col+2)/6+col%3/2 {
			start[i] = 3200
		}
	}
	return truth, start
}

// A boundary that lies a cell off in places is found by moving cells, at a contrast where a model linear in velocities is of no use.
func TestRegionsMoveCells(t *testing.T) {
	truth, start := offByACell()
	require.Greater(t, meanError(start, truth), 20.0)
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
	r, err := Run(context.Background(), p, Config{Stages: []Stage{{Iterations: 20, Prior: Regions, Loss: 25}}})
	require.NoError(t, err)
	require.Less(t, meanError(r.Vel, truth), 0.5)
}

// An inversion that is stopped between rounds of moves goes on to the same map.
func TestMovesResume(t *testing.T) {
	truth, start := offByACell()
	p := Problem{Survey: survey(), NZ: testNZ, NX: testNX, Data: record(t, survey(), truth), Start: start}
	cfg := Config{Stages: []Stage{{Iterations: 20, Prior: Regions, Loss: 25}}, Every: 1}
	last := 0
	cfg.Watch = func(p Progress) error {
		last = p.Iteration
		return nil
	}
	whole, err := Run(context.Background(), p, cfg)
	require.NoError(t, err)
	require.Greater(t, last, movedSteps+1) // more than one round of moves

	cfg.State = filepath.Join(t.TempDir(), "state")
	stop := errors.New("stop")
	cfg.Watch = func(p Progress) error {
		if p.Iteration == last-1 {
			return stop
		}
		return nil
	}
	_, err = Run(context.Background(), p, cfg)
	require.ErrorIs(t, err, stop)
	cfg.Watch = nil
	r, err := Run(context.Background(), p, cfg)
	require.NoError(t, err)
	require.True(t, r.Resumed)
	require.Equal(t, whole.Vel, r.Vel)
}
