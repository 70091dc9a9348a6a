//go:build !purego

package kernel

import "testing"

func TestButterflyGeneric(t *testing.T) {
	defer func(had bool) { hasAVX2 = had }(hasAVX2)
	hasAVX2 = false
	testButterfly[float32](t)
}
