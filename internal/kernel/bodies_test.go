//go:build purego || !amd64

package kernel

import "testing"

// eachBody runs test once: there is one implementation.
func eachBody(t *testing.T, test func(t *testing.T)) { t.Run("generic", test) }
