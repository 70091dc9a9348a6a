package steady

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var sink []byte

func TestStep(t *testing.T) {
	calls := 0
	objects, bytes := Step(t, 20, func() {
		if calls++; calls > 1 {
			sink = make([]byte, 100)
			sink = make([]byte, 100)
		} else {
			sink = make([]byte, 1<<20)
		}
	})
	require.Equal(t, uint64(2), objects)
	require.InDelta(t, 2*112, bytes, 112) // a size class has 112 bytes
	objects, _ = Step(t, 20, func() {})
	require.Zero(t, objects)
}
