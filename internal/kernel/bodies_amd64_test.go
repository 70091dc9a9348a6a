//go:build !purego

package kernel

import "testing"

// eachBody runs test once per implementation of the float32 bodies that this machine has.
func eachBody(t *testing.T, test func(t *testing.T)) {
	defer useBodies(bestBodies())
	for kind := bodiesGeneric; kind <= bestBodies(); kind++ {
		useBodies(kind)
		t.Run([]string{"generic", "AVX2", "AVX512"}[kind], test)
	}
}
