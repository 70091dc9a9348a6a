package picture

import (
	"bytes"
	"image/gif"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFilmShowsTheField(t *testing.T) {
	f := Film{
		Frame: Frame{NZ: 2, NX: 3}, Ground: []float32{1, 1, 1, 2, 2, 2}, Cell: 4, Clip: 100,
		Frames: [][]float32{{0, 1, -1, 0, 1, -1}, {0, 0, 0, 0, 0, 0}},
	}
	var file bytes.Buffer
	require.NoError(t, f.Encode(&file))
	film, err := gif.DecodeAll(&file)
	require.NoError(t, err)
	require.Len(t, film.Image, 2)
	require.Equal(t, 12, film.Image[0].Bounds().Dx())
	require.Equal(t, 8, film.Image[0].Bounds().Dy())
	at := func(frame, z, x int) [3]uint32 {
		r, g, b, _ := film.Image[frame].At(4*x+1, 4*z+2).RGBA()
		return [3]uint32{r >> 8, g >> 8, b >> 8}
	}
	require.Equal(t, [3]uint32{255, 255, 255}, at(0, 0, 0))
	require.Equal(t, at(0, 0, 0), at(1, 0, 1))
	red, blue := at(0, 0, 1), at(0, 0, 2)
	require.Greater(t, red[0], red[2]+50)
	require.Greater(t, blue[2], blue[0]+50)
	require.Less(t, at(0, 1, 0)[0], uint32(200), "the ground is darker below")
	require.Equal(t, at(0, 1, 0)[0], at(0, 1, 0)[1])
}

func TestFilmErrors(t *testing.T) {
	f := Film{Frame: Frame{NZ: 2, NX: 2}}
	require.EqualError(t, f.Encode(nil), "picture: film: no frames")
	f.Frames = [][]float32{make([]float32, 4), make([]float32, 3)}
	require.EqualError(t, f.Encode(nil), "picture: film: frame 1: 3 values, want 2 x 2 = 4")
	f.Ground = make([]float32, 5)
	require.EqualError(t, f.Encode(nil), "picture: film: ground: 5 values, want 2 x 2 = 4")
}
