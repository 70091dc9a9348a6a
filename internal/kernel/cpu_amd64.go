//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// What this CPU has, and the operating system saves. Only tests change these, to run every implementation.
var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasAVX512 = hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW
	hasBF16   = hasAVX512 && cpu.X86.HasAVX512BF16
)
