package memo

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMap(t *testing.T) {
	var m Map[[2]int, *int]
	made := 0
	get := func(key [2]int) *int {
		v, err := m.Get(key, func() (*int, error) {
			made++
			return new(int), nil
		})
		require.NoError(t, err)
		return v
	}
	a, b := get([2]int{1, 2}), get([2]int{2, 1})
	require.NotSame(t, a, b)
	require.Same(t, a, get([2]int{1, 2}))
	require.Equal(t, 2, made)
}

// Ever new keys do not make it grow, and a key that was forgotten is made again.
func TestMapForgets(t *testing.T) {
	var m Map[int, int]
	for round := range 3 {
		for key := range 10 * most {
			v, err := m.Get(key, func() (int, error) { return key * key, nil })
			require.NoError(t, err)
			require.Equal(t, key*key, v, "round %d", round)
			require.LessOrEqual(t, len(m.values), most)
		}
	}
}

// An error is passed on and asked for again.
func TestMapError(t *testing.T) {
	var m Map[int, int]
	failed := errors.New("failed")
	_, err := m.Get(1, func() (int, error) { return 7, failed })
	require.ErrorIs(t, err, failed)
	v, err := m.Get(1, func() (int, error) { return 8, nil })
	require.NoError(t, err)
	require.Equal(t, 8, v)
}

// All goroutines get the same value.
func TestMapConcurrent(t *testing.T) {
	var m Map[int, *int]
	got := make([]*int, 16)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = m.Get(0, func() (*int, error) { return new(int), nil }) })
	}
	wg.Wait()
	for _, v := range got {
		require.Same(t, got[0], v)
	}
}

func TestMapAllocates(t *testing.T) {
	var m Map[[9]int, *int]
	base := 1
	look := func() {
		_, _ = m.Get([9]int{base}, func() (*int, error) { return &base, nil })
	}
	look()
	require.Zero(t, testing.AllocsPerRun(100, look))
}
