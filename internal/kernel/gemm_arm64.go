//go:build !purego

package kernel

//go:noescape
func gemmNEON(t *tile)

var engineNEON = engine{name: "NEON", rows: 6, columns: 16, run: gemmNEON}

// gemmEngines lists what this CPU can run: every arm64 has NEON.
func gemmEngines() []*engine { return []*engine{&engineNEON} }

// bf16Engines lists what this CPU can multiply bfloat16 with.
func bf16Engines() []*engine { return nil }
