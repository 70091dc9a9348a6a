//go:build purego || !(amd64 || arm64)

package kernel

func gemmEngines() []*engine { return nil }

// bf16Engines lists what this CPU can multiply bfloat16 with.
func bf16Engines() []*engine { return nil }
