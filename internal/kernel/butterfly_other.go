//go:build purego || !amd64

package kernel

func butterfly32(rows, n int, sum, diff, a, b *Rows[float32], acc bool) int { return 0 }
