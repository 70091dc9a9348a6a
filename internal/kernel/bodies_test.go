package kernel

import "testing"

// eachBody runs test once per implementation of the float32 bodies that this machine has.
func eachBody(t *testing.T, test func(t *testing.T)) {
	t.Run("generic", test)
}
