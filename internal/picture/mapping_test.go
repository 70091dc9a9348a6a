package picture

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMappingShowsTheInput(t *testing.T) {
	p := Mapping{
		Comparison: Comparison{Frame: Frame{NZ: 16, NX: 16, Quantity: "u"}, Samples: []Sample{{"one", ramp(256), ramp(256)}}},
		Input:      "Mask", Inputs: [][]float32{make([]float32, 256)},
	}
	p.Inputs[0][3*16+5] = 1
	s, err := p.sheet()
	require.NoError(t, err)
	require.Len(t, s.rows[0], 4)
	require.Equal(t, []string{"Input", "True", "Prediction"}, []string{s.rows[0][0].title, s.rows[0][1].title, s.rows[0][2].title})
	m, at, err := s.draw()
	require.NoError(t, err)
	box := at.panels[0][0]
	require.Equal(t, image.Pt(320, 320), box.Size())
	pal := Sequential()
	require.Equal(t, pal[255], m.RGBAAt(box.Min.X+5*20+10, box.Min.Y+3*20+10))
	require.Equal(t, pal[0], m.RGBAAt(box.Min.X+6*20+10, box.Min.Y+3*20+10))
	// The bars keep below their maps: the input's below the first, the difference's below the last.
	require.Equal(t, []int{0, 1, 3}, []int{s.bars[0].first, s.bars[1].first, s.bars[2].first})
	require.Equal(t, 2, s.bars[1].last)

	p.Inputs = nil
	_, err = p.Draw()
	require.ErrorContains(t, err, "0 inputs for 1 samples")
	p.Inputs = [][]float32{make([]float32, 9)}
	_, err = p.Draw()
	require.ErrorContains(t, err, "input of sample 0: 9 values")
}
