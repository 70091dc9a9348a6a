package kernel

import "fmt"

// Epilogue is what a product does to C before it leaves the cache. With z = op(A) op(B) + RowBias[i] + ColBias[j] + Add[i,j]
// (+ C if accumulating), C becomes z, or gelu(z) = z Phi(z) if GELU is set, or z gelu'(u) if GELUGrad = u is not nil.
type Epilogue[T Float] struct {
	RowBias []T // length m, or nil; in a batch every product adds the same
	ColBias []T // length n, or nil
	Add     []T // laid out as C is, or nil; must not overlap it
	GELU    bool
	Pre     []T // if not nil, z is stored here, laid out as C is; must not overlap it
	// GELUGrad is laid out as C is and does not overlap it; with it there is neither GELU nor Pre.
	GELUGrad []T
}

// Gemm computes C = op(A) op(B), or C += op(A) op(B) if acc. op(A) is m x k and op(B) k x n; with transA, A is stored
// k x m, with transB, B is stored n x k. lda, ldb and ldc are distances between stored rows. C must not overlap A or B.
func Gemm[T Float](transA, transB bool, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool) {
	gemm(product[T]{transA: transA, transB: transB, batch: 1, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, acc: acc})
}

// GemmBatch computes batch products as Gemm does: number i takes its operands at a[i*strideA], b[i*strideB] and
// c[i*strideC]. A stride of 0 shares A or B between all products; the C of different products must not overlap.
func GemmBatch[T Float](transA, transB bool, batch, m, n, k int, a []T, lda, strideA int, b []T, ldb, strideB int, c []T, ldc, strideC int, acc bool) {
	gemm(product[T]{transA: transA, transB: transB, batch: batch, m: m, n: n, k: k, a: a, lda: lda, strideA: strideA,
		b: b, ldb: ldb, strideB: strideB, c: c, ldc: ldc, strideC: strideC, acc: acc})
}

// GemmEpilogue is Gemm with more done to C on the way; ep may be nil.
func GemmEpilogue[T Float](transA, transB bool, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool, ep *Epilogue[T]) {
	p := product[T]{transA: transA, transB: transB, batch: 1, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, acc: acc}
	if ep != nil {
		p.ep = *ep
	}
	gemm(p)
}

// GemmBatchEpilogue is GemmBatch with more done to every C on the way; ep may be nil.
func GemmBatchEpilogue[T Float](transA, transB bool, batch, m, n, k int, a []T, lda, strideA int, b []T, ldb, strideB int, c []T, ldc, strideC int, acc bool, ep *Epilogue[T]) {
	p := product[T]{transA: transA, transB: transB, batch: batch, m: m, n: n, k: k, a: a, lda: lda, strideA: strideA,
		b: b, ldb: ldb, strideB: strideB, c: c, ldc: ldc, strideC: strideC, acc: acc}
	if ep != nil {
		p.ep = *ep
	}
	gemm(p)
}

// product is one call's work: batch products of the same sizes.
type product[T Float] struct {
	transA, transB, acc bool
	bf16                bool // runs on bf16Engine, which rounds A and B
	batch, m, n, k      int
	a, b, c             []T
	lda, strideA        int
	ldb, strideB        int
	ldc, strideC        int
	ep                  Epilogue[T]
	panels              *Panels[T] // op(B) packed already; then batch is 1
}

// check panics unless every element that the product touches lies within its slice.
func (p *product[T]) check() {
	if p.batch < 0 || p.m < 0 || p.n < 0 || p.k < 0 {
		panic(fmt.Sprintf("kernel: Gemm: negative size: %d of %d x %d x %d", p.batch, p.m, p.n, p.k))
	}
	ra, ca, rb, cb := p.m, p.k, p.k, p.n
	if p.transA {
		ra, ca = ca, ra
	}
	if p.transB {
		rb, cb = cb, rb
	}
	checkMatrix("A", p.batch, ra, ca, len(p.a), p.lda, p.strideA)
	if p.panels == nil {
		checkMatrix("B", p.batch, rb, cb, len(p.b), p.ldb, p.strideB)
	}
	checkMatrix("C", p.batch, p.m, p.n, len(p.c), p.ldc, p.strideC)
	if p.batch > 1 && p.strideC < (p.m-1)*p.ldc+p.n {
		panic(fmt.Sprintf("kernel: Gemm: C's of a batch overlap: %d x %d, ld %d, stride %d", p.m, p.n, p.ldc, p.strideC))
	}
	if p.ep.Add != nil {
		checkMatrix("Add", p.batch, p.m, p.n, len(p.ep.Add), p.ldc, p.strideC)
	}
	if p.ep.GELUGrad != nil {
		checkMatrix("GELUGrad", p.batch, p.m, p.n, len(p.ep.GELUGrad), p.ldc, p.strideC)
	}
	if p.ep.Pre != nil {
		checkMatrix("Pre", p.batch, p.m, p.n, len(p.ep.Pre), p.ldc, p.strideC)
	}
	if r, c := p.ep.RowBias, p.ep.ColBias; r != nil && len(r) < p.m || c != nil && len(c) < p.n {
		panic(fmt.Sprintf("kernel: Gemm: biases have lengths %d and %d, C is %d x %d", len(r), len(c), p.m, p.n))
	}
}

func checkMatrix(name string, batch, rows, cols, length, ld, stride int) {
	if batch == 0 || rows == 0 || cols == 0 {
		return
	}
	// Rows of A may overlap: windows that slide along a sequence.
	if ld < cols && name != "A" || ld < 0 || stride < 0 || (batch-1)*stride+(rows-1)*ld+cols > length {
		panic(fmt.Sprintf("kernel: Gemm: %s is %d of %d x %d with ld %d and stride %d, its slice has %d elements", name, batch, rows, cols, ld, stride, length))
	}
}
