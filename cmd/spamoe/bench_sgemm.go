package main

import (
	"fmt"

	"github.com/spamoe/spamoe/internal/kernel"
)

func benchSgemm(b *bencher) error {
	for _, s := range [][3]int{{1024, 1024, 1024}, {39200, 128, 128}, {1386, 1536, 384}, {128, 4900, 128}} {
		m, n, k := s[0], s[1], s[2]
		x, y, z := b.normal(m, k).Data, b.normal(k, n).Data, make([]float32, m*n)
		err := b.measure(fmt.Sprintf("sgemm %dx%dx%d", m, n, k), 2*float64(m)*float64(n)*float64(k), func() {
			kernel.Gemm(false, false, m, n, k, x, k, y, n, z, n, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
