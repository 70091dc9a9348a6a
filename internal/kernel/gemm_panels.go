package kernel

import (
	"fmt"
	"sync"
	"unsafe"
)

// Panels holds op(B), k x n, the way the inner kernels read it: for products of many chunks of rows, by many goroutines at once.
type Panels[T Float] struct {
	k, n   int
	engine *engine // what data is laid out for; nil: data is k x n
	// data holds, for each block of engine.depth() rows, panels of engine.columns columns, one row of a panel after the other.
	data []T
}

var panels32, panels64 sync.Pool

func panelsPool[T Float]() *sync.Pool {
	if is32[T]() {
		return &panels32
	}
	return &panels64
}

// panelsFor returns panels of k x n, without data.
func panelsFor[T Float](k, n int) *Panels[T] {
	p, ok := panelsPool[T]().Get().(*Panels[T])
	if !ok {
		p = new(Panels[T])
	}
	p.k, p.n, p.engine = k, n, nil
	return p
}

// Pack lays out op(B): B is k x n, or with transB stored n x k, its rows ldb apart. Release gives the memory back.
func Pack[T Float](transB bool, k, n int, b []T, ldb int) *Panels[T] {
	p := panelsFor[T](k, n)
	rows, cols := k, n
	if transB {
		rows, cols = n, k
	}
	checkMatrix("B", 1, rows, cols, len(b), ldb, 0)
	if e := gemmEngine; e != nil && is32[T]() {
		q := (*Panels[float32])(unsafe.Pointer(p))
		q.layOut(e)
		q.pack(transB, float32s(b), ldb, 0, n)
		return p
	}
	p.data = grow(p.data, k*n)
	for i := range k {
		if !transB {
			copy(p.data[i*n:][:n], b[i*ldb:])
			continue
		}
		for j := range n {
			p.data[i*n+j] = b[j*ldb+i]
		}
	}
	return p
}

// Release ends the use of p.
func (p *Panels[T]) Release() { panelsPool[T]().Put(p) }

func (p *Panels[T]) width() int {
	return (p.n + p.engine.columns - 1) / p.engine.columns * p.engine.columns
}

// at is where the panel of column j begins, a multiple of the engine's columns, in the block of k0 to k1.
func (p *Panels[T]) at(k0, k1, j int) int {
	return p.engine.words(k0)*p.width() + j*p.engine.words(k1-k0)
}

// layOut makes room for what e reads.
func (p *Panels[T]) layOut(e *engine) {
	p.engine = e
	p.data = grow(p.data, e.words(p.k)*p.width()+e.columns)
}

// pack packs columns n0 to n1, n0 a multiple of the engine's columns.
func (p *Panels[T]) pack(transB bool, b []T, ldb, n0, n1 int) {
	e := p.engine
	q := newPlan[T]()
	q.product = product[T]{transB: transB, b: b, ldb: ldb}
	s := stripsPool.Get().(*strips)
	own := s.packedB
	s.block = block[float32]{product: (*product[float32])(unsafe.Pointer(&q.product))}
	s.e, s.direct = e, false
	data := float32s(p.data)
	for s.k0 = 0; s.k0 < p.k; s.k0 = s.k1 {
		s.k1 = min(s.k0+e.depth(), p.k)
		for s.j0 = n0; s.j0 < n1; s.j0 = s.j1 {
			s.j1 = min(s.j0+blockN, n1)
			s.packedB = data[p.at(s.k0, s.k1, s.j0):]
			s.packB((s.j1 - s.j0 + e.columns - 1) / e.columns)
		}
	}
	s.block, s.packedB = block[float32]{}, own
	stripsPool.Put(s)
	q.release()
}

// GemmPanels computes C = A B, or C += A B if acc, on the caller's goroutine: for the chunks of a Parallel. A is m x k; ep may be nil.
func GemmPanels[T Float](m int, a []T, lda int, b *Panels[T], c []T, ldc int, acc bool, ep *Epilogue[T]) {
	q := newPlan[T]()
	q.product = product[T]{batch: 1, m: m, n: b.n, k: b.k, a: a, lda: lda, b: b.data, ldb: b.n, c: c, ldc: ldc, acc: acc}
	if b.engine != nil {
		q.panels = b
	}
	q.serial(ep)
}

// GemmSerial is GemmEpilogue on the caller's goroutine: for the chunks of a Parallel.
func GemmSerial[T Float](transA, transB bool, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool, ep *Epilogue[T]) {
	q := newPlan[T]()
	q.product = product[T]{transA: transA, transB: transB, batch: 1, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, acc: acc}
	q.serial(ep)
}

// serial runs the whole product as one task and releases the plan.
func (q *plan[T]) serial(ep *Epilogue[T]) {
	if ep != nil {
		q.ep = *ep
	}
	if b := q.panels; b != nil && b.engine != gemmEngine {
		panic(fmt.Sprintf("kernel: GemmPanels: packed for %s", b.engine.name))
	}
	q.check()
	if q.m > 0 && q.n > 0 {
		b := block[T]{product: &q.product, m1: q.m, n1: q.n, k1: q.k, c: q.c, ldc: q.ldc, acc: q.acc, last: true}
		b.do()
	}
	q.release()
}
