package kernel

import "sync"

// How a product is cut into tasks. A task is a rectangle of one C, or of one partial C where k is cut as well. Each
// element of C is computed by one task in an order that depends on k alone, so the rectangles may follow the number of
// threads; the cut of k may not.
const (
	blockK    = 384     // k runs in blocks of this many: a panel of B, 48 KB, stays in the second-level cache
	serialOps = 1 << 19 // multiply-adds of a task, at least: some 5 us
	splitK    = 2048    // k's per partial C, at least
	maxSplit  = 16      // partial C's, at most
)

// plan is a product with its cut, and the scratch of its partial sums. Plans are reused, with the function bound once.
type plan[T Float] struct {
	product[T]
	gm, gn, gk  int // tasks along m, n and k
	tm, tn, tk  int // their sizes
	partial     []T // gk x m x n where gk > 1
	apart       []T // a copy of A
	runTasks    func(lo, hi int)
	packTasks   func(lo, hi int)
	runApart    func(lo, hi int)
	sumPartials func(lo, hi int)
}

var plans32, plans64 sync.Pool

func newPlan[T Float]() *plan[T] {
	if q, ok := planPool[T]().Get().(*plan[T]); ok {
		return q
	}
	q := new(plan[T])
	q.runTasks, q.packTasks, q.runApart, q.sumPartials = q.tasks, q.packPanels, q.copyRows, q.sum
	return q
}

func planPool[T Float]() *sync.Pool {
	if is32[T]() {
		return &plans32
	}
	return &plans64
}

func (q *plan[T]) release() {
	q.product = product[T]{}
	planPool[T]().Put(q)
}

// gemm checks p, cuts it and runs it.
func gemm[T Float](p product[T]) {
	p.check()
	if p.batch == 0 || p.m == 0 || p.n == 0 {
		return
	}
	p.fold()
	q := newPlan[T]()
	q.product = p
	q.cut(Threads())
	q.moveApart()
	if q.gk > 1 {
		q.partial = grow(q.partial, q.gk*q.m*q.n)
	} else if q.bf16 && q.m > packM {
		q.share()
	}
	if tasks := q.batch * q.gm * q.gn * q.gk; tasks == 1 || float64(q.batch)*float64(q.m)*float64(q.n)*float64(q.k) < serialOps {
		q.tasks(0, tasks)
	} else {
		Parallel(tasks, 1, q.runTasks)
	}
	if q.gk > 1 {
		Parallel(q.m, max(1, 1<<14/(q.n*q.gk)), q.sumPartials)
	}
	if q.panels != nil {
		q.panels.Release()
	}
	q.release()
}

// moveApart copies an A whose rows share few cache sets to rows that do not, where all tasks would copy it again and again.
func (q *plan[T]) moveApart() {
	if q.bf16 || q.transA || q.batch > 1 || q.lda%aliased != 0 || q.gn < 2 || q.m < 8*stripGroup {
		return
	}
	ld := q.k + 16
	q.apart = grow(q.apart, q.m*ld)
	Parallel(q.m, max(1, 1<<14/ld), q.runApart)
	q.a, q.lda = q.apart, ld
}

// copyRows does rows lo to hi of moveApart.
func (q *plan[T]) copyRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(q.apart[i*(q.k+16):][:q.k], q.a[i*q.lda:])
	}
}

// fold turns a batch that shares B, and whose A and C are contiguous, into one tall product.
func (p *product[T]) fold() {
	if p.batch > 1 && p.strideB == 0 && !p.transA && p.strideA == p.m*p.lda && p.strideC == p.m*p.ldc && p.ep.RowBias == nil {
		p.m *= p.batch
		p.batch = 1
	}
}

// cut chooses the tasks: k is cut where C is small and k long; then C is cut until there are a few tasks per thread,
// along n as long as that leaves wide pieces (each task packs its own piece of B), then along m.
func (q *plan[T]) cut(threads int) {
	q.gk, q.tk = 1, q.k
	if q.batch == 1 && q.k >= 2*splitK && q.m*q.n <= 512*512 {
		q.gk = min(q.k/splitK, maxSplit)
		q.tk = (q.k + q.gk*blockK - 1) / (q.gk * blockK) * blockK
		q.gk = (q.k + q.tk - 1) / q.tk
	}
	want := 1
	if have := q.batch * q.gk; threads > 1 && have < 4*threads {
		want = (4*threads + have - 1) / have
		want = int(min(float64(want), 1+float64(q.m)*float64(q.n)*float64(q.tk)/serialOps))
	}
	q.gn = max(1, min(want, q.n/256))
	if q.gn > 1 && q.m > 8*q.n {
		q.gn = 1 // tall: B is small and worth packing once per task
	}
	q.gm = max(1, min(want/q.gn, q.m/24))
	q.tm, q.gm = even(q.m, q.gm, 1)
	q.tn, q.gn = even(q.n, q.gn, 32)
}

// even cuts n into about g pieces of one size, a multiple of unit, and returns the size and how many there are.
func even(n, g, unit int) (size, count int) {
	size = (n + g*unit - 1) / (g * unit) * unit
	return size, (n + size - 1) / size
}

// share packs B once for all tasks, which are then rows of C: rounding takes longer than copying.
func (q *plan[T]) share() {
	q.panels = panelsFor[T](q.k, q.n)
	q.panels.layOut(bf16Engine)
	Parallel((q.n+bf16Engine.columns-1)/bf16Engine.columns, 4, q.packTasks)
	q.tm, q.gm = even(q.m, max(1, min(q.gm*q.gn, q.m/24)), 1)
	q.tn, q.gn = q.n, 1
}

func (q *plan[T]) packPanels(lo, hi int) {
	c := bf16Engine.columns
	q.panels.pack(q.transB, q.b, q.ldb, lo*c, min(hi*c, q.n))
}

func grow[T Float](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// tasks runs tasks number lo to hi.
func (q *plan[T]) tasks(lo, hi int) {
	for t := lo; t < hi; t++ {
		in, ik := t%q.gn, t/q.gn
		im, ik := ik%q.gm, ik/q.gm
		batch, ik := ik/q.gk, ik%q.gk
		blk := block[T]{
			product: &q.product, batch: batch,
			m0: im * q.tm, m1: min((im+1)*q.tm, q.m),
			n0: in * q.tn, n1: min((in+1)*q.tn, q.n),
			k0: ik * q.tk, k1: min((ik+1)*q.tk, q.k),
			c: q.c[batch*q.strideC:], ldc: q.ldc, acc: q.acc, last: q.gk == 1,
		}
		if q.gk > 1 {
			blk.c, blk.ldc, blk.acc = q.partial[ik*q.m*q.n:], q.n, false
		}
		blk.do()
	}
}

// sum adds the partial C's to rows lo to hi of C, in order, and finishes them.
func (q *plan[T]) sum(lo, hi int) {
	for i := lo; i < hi; i++ {
		row := q.c[i*q.ldc:][:q.n]
		first := 0
		if !q.acc {
			copy(row, q.partial[i*q.n:])
			first = 1
		}
		for s := first; s < q.gk; s++ {
			for j, v := range q.partial[(s*q.m+i)*q.n:][:q.n] {
				row[j] += v
			}
		}
		q.finish(0, i, 0, q.n, row)
	}
}

// finish applies the epilogue to row, elements n0 to n1 of row i of product number batch.
func (p *product[T]) finish(batch, i, n0, n1 int, row []T) {
	if p.ep.RowBias != nil {
		v := p.ep.RowBias[i]
		for j := range row {
			row[j] += v
		}
	}
	if p.ep.ColBias != nil {
		for j, v := range p.ep.ColBias[n0:n1] {
			row[j] += v
		}
	}
	if p.ep.Add != nil {
		for j, v := range p.ep.Add[batch*p.strideC+i*p.ldc+n0:][:len(row)] {
			row[j] += v
		}
	}
	if p.ep.Pre != nil {
		copy(p.ep.Pre[batch*p.strideC+i*p.ldc+n0:], row)
	}
	if p.ep.GELU {
		GELU(row, row)
	}
	if u := p.ep.GELUGrad; u != nil {
		GELUGrad(row, row, u[batch*p.strideC+i*p.ldc+n0:][:len(row)], false)
	}
}
