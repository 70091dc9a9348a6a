package encoder

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
)

// The points that a token makes lie in its own patch, row by row, and all of them are the same at the start.
func TestShuffle(t *testing.T) {
	const ny, nx, r, nc = 2, 3, 2, 2
	x := autograd.New(1, ny, nx, r*r*nc)
	for i := range x.Data {
		x.Data[i] = float32(i)
	}
	tape := &autograd.Tape{}
	y := shuffle(tape.Const(x), r)
	require.Equal(t, []int{1, nc, ny * r, nx * r}, y.Shape)
	for c := range nc {
		for row := range ny * r {
			for col := range nx * r {
				patch, point := row/r*nx+col/r, row%r*r+col%r
				require.Equal(t, x.Data[(patch*r*r+point)*nc+c], y.Data[(c*ny*r+row)*nx*r+col])
			}
		}
	}

	c := small()
	c.Shuffle, c.Size = 4, [2]int{8, 12}
	c.Floor.Mode = FloorOff
	m := newModel(t, c)
	require.Equal(t, []int{4 * 4 * c.Out, c.ViT.Width, 1, 1}, m.Proj.Weight.Shape)
	latent := m.Forward(tape.Const(noise(5, 1, 1, 8, 12)))
	require.Equal(t, []int{1, c.Out, 8, 12}, latent.Shape)
	for i, v := range latent.Data {
		row, col := i/12%8, i%12
		require.InDelta(t, latent.Data[i-row%4*12-col%4], v, 1e-6)
	}
}

// TestShuffleGradient checks that gradients reach the projection and the input through the laid out points, resized to another grid.
func TestShuffleGradient(t *testing.T) {
	c := small()
	c.Shuffle = 3
	m := newModel(t, c)
	rng := rand.New(rand.NewPCG(7, 0))
	for i := range m.Proj.Weight.Data { // points that differ
		m.Proj.Weight.Data[i] = float32(rng.NormFloat64())
	}
	check := autograd.GradCheck{Params: []*autograd.Param{m.Proj.Weight, m.ViT.PatchEmbed.Weight}, Step: 1.0 / 64, Directions: 2}
	err := autograd.CheckGrad(check, func(x []*autograd.Value) *autograd.Value { return m.Forward(x[0]) }, noise(6, 2, 1, 8, 12))
	require.NoError(t, err)
}

func TestShuffleConfig(t *testing.T) {
	c := small()
	c.Shuffle = -1
	require.ErrorContains(t, c.Check(), "shuffle -1")
	c = smallConv()
	c.Shuffle = 2
	require.ErrorContains(t, c.Check(), `shuffle 2 for kind "convnext"`)
}
