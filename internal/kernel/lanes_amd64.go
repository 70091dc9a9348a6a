//go:build !purego

package kernel

//go:generate go run -C _asm ./lanes -out ..

//go:noescape
func lanesAVX512(t *laneTile)

// storeFence orders stores past the caches before what follows.
func storeFence()

// fastLanes says that float32 products run on the inner kernels.
var fastLanes = hasAVX512

func (t *laneTile) run() { lanesAVX512(t) }
