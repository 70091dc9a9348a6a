package autograd

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Spans that are in use never overlap, and what is given back joins to whole blocks.
func TestArena(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var a arena
	var held [][]float32
	mark := float32(0)
	check := func(b []float32) {
		for _, x := range b {
			require.Equal(t, b[0], x)
		}
	}
	for range 20_000 {
		if rng.IntN(2) == 0 || len(held) == 0 {
			b := a.get(1 + rng.IntN(1<<rng.IntN(14)))
			require.Less(t, cap(b)-len(b), arenaUnit)
			mark++
			for i := range b {
				b[i] = mark
			}
			held = append(held, b)
			continue
		}
		i := rng.IntN(len(held))
		check(held[i])
		a.put(held[i][:0])
		held[i] = held[len(held)-1]
		held = held[:len(held)-1]
	}
	require.Len(t, a.used, len(held))
	for _, b := range held {
		check(b)
		a.put(b)
	}
	require.Len(t, a.free, len(a.blocks))
	for _, i := range a.free {
		require.Len(t, a.blocks[a.spans[i].block], a.spans[i].n)
	}
	require.NotNil(t, a.get(0))
	a.put(a.get(0))
	require.PanicsWithValue(t, "autograd: memory given back that is not the tape's, or twice", func() { a.put(make([]float32, 3)) })
}

// After a reset the same requests get the same memory.
func TestArenaReset(t *testing.T) {
	var a arena
	pass := func() (firsts []*float32) {
		rng := rand.New(rand.NewPCG(5, 6))
		var held [][]float32
		for range 500 {
			b := a.get(1 + rng.IntN(5000))
			firsts, held = append(firsts, &b[0]), append(held, b)
			if rng.IntN(3) == 0 {
				i := rng.IntN(len(held))
				a.put(held[i])
				held[i] = a.get(7)
			}
		}
		return firsts
	}
	pass()
	a.reset()
	want, total := pass(), a.total
	for range 3 {
		a.reset()
		require.Equal(t, want, pass())
		require.Equal(t, total, a.total)
	}
}
