package kernel

import "unsafe"

// block is one task: C[m0:m1, n0:n1] (+)= op(A)[m0:m1, k0:k1] op(B)[k0:k1, n0:n1] of one product of the batch.
type block[T Float] struct {
	*product[T]
	batch                  int
	m0, m1, n0, n1, k0, k1 int
	c                      []T // of this product, whole, or a partial one
	ldc                    int
	image                  *patchImage[T] // op(B) is the matrix of its patches; only where tiles run
	acc, last              bool           // add to C; C is complete afterwards and takes the epilogue
}

// do computes the block with the inner kernels, or run where there are none.
func (t *block[T]) do() {
	e := gemmEngine
	if t.bf16 {
		e = bf16Engine
	}
	if e != nil && is32[T]() {
		runTiles((*block[float32])(unsafe.Pointer(t)), e)
	} else {
		t.run()
	}
}

// run computes the block in pure Go: rows two at a time and k four at a time, over pieces of B that fit the first cache.
func (t *block[T]) run() {
	const width = 256
	var buf [blockK * 8]T
	a, b := t.a[t.batch*t.strideA:], t.b[t.batch*t.strideB:]
	ars, aks := t.lda, 1
	if t.transA {
		ars, aks = 1, t.lda
	}
	for j0 := t.n0; j0 < t.n1; {
		j1 := min(j0+width, t.n1)
		if t.transB {
			j1 = min(j0+8, t.n1)
		}
		for i := t.m0; i < t.m1; i++ {
			if !t.acc {
				clear(t.c[i*t.ldc+j0 : i*t.ldc+j1])
			}
		}
		for k0 := t.k0; k0 < t.k1; k0 += blockK {
			k1 := min(k0+blockK, t.k1)
			bb, ldb := b, t.ldb
			if t.transB {
				for j := j0; j < j1; j++ {
					for p, v := range b[j*t.ldb+k0 : j*t.ldb+k1] {
						buf[p*8+j-j0] = v
					}
				}
				bb, ldb = buf[:], 8
			} else {
				bb = b[k0*t.ldb+j0:]
			}
			for i := t.m0; i < t.m1; i++ {
				rowTimes(t.c[i*t.ldc+j0:i*t.ldc+j1], a[i*ars+k0*aks:], aks, bb, ldb, k1-k0)
			}
		}
		if t.last {
			for i := t.m0; i < t.m1; i++ {
				t.finish(t.batch, i, j0, j1, t.c[i*t.ldc+j0:i*t.ldc+j1])
			}
		}
		j0 = j1
	}
}

// rowTimes: c[j] += sum over p < k of a[p*aks] b[p*ldb+j].
func rowTimes[T Float](c, a []T, aks int, b []T, ldb, k int) {
	n := len(c)
	p := 0
	for ; p+4 <= k; p += 4 {
		a0, a1, a2, a3 := a[p*aks], a[(p+1)*aks], a[(p+2)*aks], a[(p+3)*aks]
		b0, b1, b2, b3 := b[p*ldb:][:n], b[(p+1)*ldb:][:n], b[(p+2)*ldb:][:n], b[(p+3)*ldb:][:n]
		for j := range c {
			c[j] += a0*b0[j] + a1*b1[j] + a2*b2[j] + a3*b3[j]
		}
	}
	for ; p < k; p++ {
		a0, b0 := a[p*aks], b[p*ldb:][:n]
		for j := range c {
			c[j] += a0 * b0[j]
		}
	}
}

// is32 tells which of the two element types T is.
func is32[T Float]() bool {
	var v T
	return unsafe.Sizeof(v) == 4
}
