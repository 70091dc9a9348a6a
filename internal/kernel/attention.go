package kernel

import (
	"fmt"
	"math"
	"sync"
)

// Span tells where the vectors of an operand of attention lie: that of token i of head h of sample b starts at
// b*Batch + h*Head + i*Row. Vectors are contiguous.
type Span struct{ Batch, Head, Row int }

// Rotation turns the queries and keys of tokens from First on by angles of their own (Su et al., arXiv 2104.09864): channels c and
// c + Dim/2 of token First + i, as a point of the plane, by the angle whose sine and cosine are Sin[i*Dim/2+c] and Cos[i*Dim/2+c].
type Rotation struct {
	First    int
	Sin, Cos []float32
}

// Attention describes softmax(q k' / sqrt(Dim)) v of several heads (Vaswani et al., arXiv 1706.03762, equation 1): q is
// Queries x Dim, k Keys x Dim and v Keys x Out in every head.
//
// No pass holds the Queries x Keys weights p of a head: strips of rows are computed, used while they are in cache, and computed
// again in the backward pass from the logarithms lse of the sums of their rows (Dao, arXiv 2307.08691). With s the logits,
//
//	p = exp(s - lse), gv = p' gy, gs = p (gy v' - d), d = rows of sum(gy y), gq = gs k / sqrt(Dim), gk = gs' q / sqrt(Dim).
//
// Logits are kept in bits, as multiples of ln 2.
type Attention struct {
	Batch, Heads  int
	Queries, Keys int
	Dim, Out      int
	Q, K, V, Y    Span
	Rotation      *Rotation // of queries and keys, or nil
	BF16          bool      // products are of numbers rounded as GemmBF16 rounds them
}

const (
	attentionRows = 112 // queries of a task, or of a block of the backward pass
	attentionKeys = 384 // keys of a block of the backward pass, about
	maxKeyBlocks  = 8
)

// check panics unless all vectors lie within their slices.
func (a *Attention) check(y, lse, q, k, v []float32) {
	if a.Batch < 0 || a.Heads < 0 || a.Queries < 0 || a.Keys < 1 || a.Dim < 1 || a.Out < 1 {
		panic(fmt.Sprintf("kernel: Attention: %d samples of %d heads, %d queries and %d keys of %d and %d channels", a.Batch, a.Heads, a.Queries, a.Keys, a.Dim, a.Out))
	}
	for _, c := range []struct {
		name string
		span Span
		x    []float32
		n, d int
	}{{"q", a.Q, q, a.Queries, a.Dim}, {"k", a.K, k, a.Keys, a.Dim}, {"v", a.V, v, a.Keys, a.Out}, {"y", a.Y, y, a.Queries, a.Out}} {
		if s := c.span; a.Batch*a.Heads*c.n > 0 && (min(s.Batch, s.Head, s.Row) < 0 || (a.Batch-1)*s.Batch+(a.Heads-1)*s.Head+(c.n-1)*s.Row+c.d > len(c.x)) {
			panic(fmt.Sprintf("kernel: Attention: %s has %d elements, too few for %+v and %d vectors of %d", c.name, len(c.x), s, c.n, c.d))
		}
	}
	if lse != nil {
		checkLen("Attention", "lse", len(lse), a.Batch*a.Heads*a.Queries)
	}
	if r := a.Rotation; r != nil && (a.Dim%2 != 0 || len(r.Sin) != len(r.Cos) || len(r.Sin)/(a.Dim/2) < max(a.Queries, a.Keys)-r.First || r.First < 0) {
		panic(fmt.Sprintf("kernel: Attention: rotations of %d and %d elements from token %d on, for %d queries and %d keys of %d channels", len(r.Sin), len(r.Cos), r.First, a.Queries, a.Keys, a.Dim))
	}
}

// scale is what logits in bits are multiplied with.
func (a *Attention) scale() float32 { return float32(math.Log2E / math.Sqrt(float64(a.Dim))) }

// attending is the scratch of a pass over one sample. Slices named by head hold all heads, one after the other.
type attending struct {
	Attention
	q, k, v, y     []float32 // of this sample
	queries, keys  []float32 // by head: scaled and turned, contiguous
	values         []float32 // by head
	queryWords     []float32 // by head, as left operands where words are pairs
	keyWords       []float32
	keyPanels      []float32 // by head: the transpose of the keys as a right operand
	valuePairs     []float32 // by head: the values as a right operand, where words are pairs
	left           []operand // of every head: queries,
	right, weighed []operand // transposed keys, values
	grad           attentionGrad
}

// attentionWorker is the scratch of one task of attention.
type attentionWorker struct {
	multiplier
	pieces     pairPieces
	p, g       []float32 // a block of weights, and of their gradients
	pw, gw, gr []float32 // the same as left operands, where words are pairs
	o, gk, gv  []float32
}

var attendingPool = sync.Pool{New: func() any { return new(attending) }}
var attentionWorkers = sync.Pool{New: func() any { return new(attentionWorker) }}

// worker returns scratch for a task; end gives it back.
func (a *Attention) worker() *attentionWorker {
	w := attentionWorkers.Get().(*attentionWorker)
	w.e, w.bf16 = nil, a.BF16
	switch {
	case a.BF16 && bf16Engine != nil && a.Dim%2 == 0 && a.Out%2 == 0:
		w.e = bf16Engine
	case gemmEngine != nil && gemmEngine.masks:
		w.e = gemmEngine
	}
	return w
}

func (w *attentionWorker) end() {
	w.release()
	attentionWorkers.Put(w)
}

// turn copies count vectors of n channels, those of tokens first, first + 1, .., from x, where they are xRow apart, to dst, where they
// are dstRow apart: times scale, turned by sign times their rotations.
func (r *Rotation) turn(dst, x []float32, dstRow, xRow, first, count, n int, scale, sign float32) {
	plain := count
	if r != nil {
		plain = min(count, max(0, r.First-first))
	}
	for i := range plain {
		to, from := dst[i*dstRow:][:n], x[i*xRow:][:n]
		if scale == 1 {
			copy(to, from)
		} else {
			scaleElem.f32(to, from, nil, scale, 0, false)
		}
	}
	if plain < count {
		at := (first + plain - r.First) * n / 2
		rotate32(dst[plain*dstRow:], x[plain*xRow:], r.Sin[at:], r.Cos[at:], dstRow, xRow, n/2, count-plain, scale, scale*sign)
	}
}

// Forward computes y and, unless lse is nil, what Backward needs: lse has Batch*Heads*Queries elements.
func (a *Attention) Forward(y, lse, q, k, v []float32) {
	a.check(y, lse, q, k, v)
	s := attendingPool.Get().(*attending)
	s.Attention = *a
	n := a.Heads * a.Queries
	for b := range a.Batch {
		s.q, s.k, s.v, s.y = q[b*a.Q.Batch:], k[b*a.K.Batch:], v[b*a.V.Batch:], y[b*a.Y.Batch:]
		var l []float32
		if lse != nil {
			l = lse[b*n:][:n]
		}
		s.forward(l)
	}
	s.release()
}

func (s *attending) release() {
	s.Attention, s.q, s.k, s.v, s.y = Attention{}, nil, nil, nil, nil
	attendingPool.Put(s)
}

func (s *attending) forward(lse []float32) {
	h := s.Heads
	s.growHeads()
	s.valuePairs, s.weighed = grow(s.valuePairs, h*(s.Keys+1)*s.Out), growOperands(s.weighed, h)
	ParallelWith(h, 1, attendingHeads{s})
	blocks := (s.Queries + attentionRows - 1) / attentionRows
	ParallelWith(h*blocks, 1, attendingRows{s, blocks, lse})
}

// attendingHeads lays out heads.
type attendingHeads struct{ *attending }

func (s *attendingHeads) Chunk(lo, hi int) {
	m, e := s.Keys, s.Out
	w := s.worker()
	for i := lo; i < hi; i++ {
		s.prepare(w, i)
		values := s.values[i*m*e:][:m*e]
		w.round(values)
		s.weighed[i] = w.right(&w.pieces, s.valuePairs[i*(m+1)*e:], values, m, e, e)
	}
	w.end()
}

// attendingRows computes the rows of all heads, in blocks.
type attendingRows struct {
	*attending
	blocks int
	lse    []float32
}

func (s *attendingRows) Chunk(lo, hi int) {
	w := s.worker()
	for t := lo; t < hi; t++ {
		i, first := t/s.blocks, t%s.blocks*attentionRows
		s.rows(w, i, first, min(first+attentionRows, s.Queries), s.lse)
	}
	w.end()
}

// growHeads makes room for what prepare lays out.
func (s *attending) growHeads() {
	h, n, m, d, e := s.Heads, s.Queries, s.Keys, s.Dim, s.Out
	s.queries, s.queryWords = grow(s.queries, h*n*d), grow(s.queryWords, h*n*d)
	s.keys, s.keyWords, s.keyPanels = grow(s.keys, h*m*d), grow(s.keyWords, h*m*d), grow(s.keyPanels, h*panelled(m)*d)
	s.values = grow(s.values, h*m*e)
	s.left, s.right = growOperands(s.left, h), growOperands(s.right, h)
}

// panelled is n rounded up to whole panels of any engine with masks.
func panelled(n int) int { return (n + 31) &^ 31 }

func growOperands(s []operand, n int) []operand {
	if cap(s) < n {
		return make([]operand, n)
	}
	return s[:n]
}

// prepare lays out head i: the queries as a left operand, the transpose of the keys as a right one, and the values.
func (s *attending) prepare(w *attentionWorker, i int) {
	n, m, d, e := s.Queries, s.Keys, s.Dim, s.Out
	queries, keys, values := s.queries[i*n*d:][:n*d], s.keys[i*m*d:][:m*d], s.values[i*m*e:][:m*e]
	s.Rotation.turn(queries, s.q[i*s.Q.Head:], d, s.Q.Row, 0, n, d, s.scale(), 1)
	s.Rotation.turn(keys, s.k[i*s.K.Head:], d, s.K.Row, 0, m, d, 1, 1)
	(*Rotation)(nil).turn(values, s.v[i*s.V.Head:], e, s.V.Row, 0, m, e, 1, 1)
	s.left[i] = w.left(s.queryWords[i*n*d:], queries, n, d)
	s.right[i] = w.panels(s.keyPanels[i*panelled(m)*d:], w.left(s.keyWords[i*m*d:], keys, m, d), m)
}

// rows computes rows first to last of head i, a strip at a time.
func (s *attending) rows(w *attentionWorker, i, first, last int, lse []float32) {
	m, e := s.Keys, s.Out
	const strip = 14
	ld := panelled(m) + 16 // no multiple of the distance of cache sets
	w.p, w.pw, w.o = grow(w.p, strip*ld), grow(w.pw, strip*ld), grow(w.o, strip*e)
	count := (last - first + strip - 1) / strip
	for t := range count {
		i0, i1 := first+(last-first)*t/count, first+(last-first)*(t+1)/count
		rows := i1 - i0
		w.mul(w.p, ld, s.left[i].from(i0), s.right[i], rows, m, s.Dim, false)
		a := w.leftRows(w.pw, w.p, ld)
		var sums [strip]float32
		for r := range rows {
			p := w.p[r*ld:][:m]
			largest := rowMax32(p)
			sums[r] = exp2Sum32(p, p, largest)
			if lse != nil {
				lse[i*s.Queries+i0+r] = largest + float32(math.Log2(float64(sums[r])))
			}
			w.leftRow(w.pw[r*ld:], p)
		}
		w.mul(w.o, e, a, s.weighed[i], rows, e, m, false)
		for r := range rows {
			scaleElem.f32(s.y[i*s.Y.Head+(i0+r)*s.Y.Row:][:e], w.o[r*e:][:e], nil, 1/sums[r], 0, false)
		}
	}
}
