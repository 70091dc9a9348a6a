//go:build purego || !amd64

package kernel

// fastLanes is false: the generic body runs.
var fastLanes = false

func (t *laneTile) run() {}

func storeFence() {}
