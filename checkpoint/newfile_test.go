package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/checkpoint"
)

// Tensors under new names are loaded as a file that has them would be.
func ExampleNewFile() {
	f, err := checkpoint.NewFile("renamed", map[string]checkpoint.Tensor{
		"slope": checkpoint.FromFloat32([]float32{1, 2}, 2),
		"shift": checkpoint.FromFloat32([]float32{3}, 1),
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	line := NewLine(LineConfig{Inputs: 2})
	fmt.Println(checkpoint.LoadParams(f, line), line.Slope.Data, line.Shift.Data)
	// Output: <nil> [1 2] [3]
}

func TestNewFileErrors(t *testing.T) {
	_, err := checkpoint.NewFile("renamed", map[string]checkpoint.Tensor{"w": {DType: checkpoint.F32, Shape: []int{3}, Data: make([]byte, 8)}}, nil)
	require.ErrorContains(t, err, `checkpoint: renamed: tensor "w": shape 3 of F32 needs 12 bytes, but it has 8`)
	_, err = checkpoint.NewFile("renamed", map[string]checkpoint.Tensor{"__metadata__": checkpoint.FromFloat32(nil, 0)}, nil)
	require.ErrorContains(t, err, "no name for a tensor")
	f, err := checkpoint.NewFile("renamed", nil, map[string]string{"note": "by hand"})
	require.NoError(t, err)
	require.Equal(t, "renamed", f.Name())
	require.Equal(t, map[string]string{"note": "by hand"}, f.Metadata)
}
