package kernel

import "math"

// attentionGrad is the scratch of the backward pass over one sample, by head.
type attentionGrad struct {
	gy, gyWords, gyPairs    []float32
	queryPairs, keyPairs    []float32
	valueWords, valuePanels []float32
	dots                    []float32 // sum(gy y) of every row
	parts                   []float32 // the gradient of the queries from every block of keys: blocks x heads x Queries x Dim

	gyLeft, gyRight, queries, keys, values []operand
}

// Backward computes the gradients of q, k and v, which lie as these do, from gy and what Forward got and computed.
func (a *Attention) Backward(gq, gk, gv, gy, y, lse, q, k, v []float32) {
	a.check(y, lse, q, k, v)
	a.check(gy, lse, gq, gk, gv)
	s := attendingPool.Get().(*attending)
	s.Attention = *a
	n := a.Heads * a.Queries
	for b := range a.Batch {
		s.q, s.k, s.v, s.y = q[b*a.Q.Batch:], k[b*a.K.Batch:], v[b*a.V.Batch:], y[b*a.Y.Batch:]
		s.backward(gq[b*a.Q.Batch:], gk[b*a.K.Batch:], gv[b*a.V.Batch:], gy[b*a.Y.Batch:], lse[b*n:][:n])
	}
	s.release()
}

func (s *attending) backward(gq, gk, gv, gy, lse []float32) {
	h, n, m, d := s.Heads, s.Queries, s.Keys, s.Dim
	s.prepareGrad(gy)
	blocks := min((m+attentionKeys-1)/attentionKeys, maxKeyBlocks)
	width := panelled((m + blocks - 1) / blocks)
	blocks = (m + width - 1) / width
	s.grad.parts = grow(s.grad.parts, blocks*h*n*d)
	ParallelWith(h*blocks, 1, keyBlocks{s, blocks, width, gk, gv, lse})
	ParallelWith(h*((n+queryRows-1)/queryRows), 1, queryGrads{s, blocks, gq})
}

// keyBlocks computes what blocks of the keys contribute, width keys each.
type keyBlocks struct {
	*attending
	blocks, width int
	gk, gv, lse   []float32
}

func (s *keyBlocks) Chunk(lo, hi int) {
	h, n, d := s.Heads, s.Queries, s.Dim
	w := s.worker()
	for t := lo; t < hi; t++ {
		i, j := t/s.blocks, t%s.blocks
		s.keyBlock(w, i, j*s.width, min((j+1)*s.width, s.Keys), s.grad.parts[(j*h+i)*n*d:][:n*d], s.lse[i*n:][:n], s.gk[i*s.K.Head:], s.gv[i*s.V.Head:])
	}
	w.end()
}

// queryRows is how many rows of the gradient of the queries are summed at a time.
const queryRows = 64

// queryGrads adds up the gradients of the queries from all blocks of keys.
type queryGrads struct {
	*attending
	blocks int
	gq     []float32
}

func (s *queryGrads) Chunk(lo, hi int) {
	h, n, d := s.Heads, s.Queries, s.Dim
	scale := float32(1 / math.Sqrt(float64(d)))
	chunks := (n + queryRows - 1) / queryRows
	for t := lo; t < hi; t++ {
		i, r0 := t/chunks, t%chunks*queryRows
		r1 := min(r0+queryRows, n)
		sum := s.grad.parts[(i*n+r0)*d:][:(r1-r0)*d]
		for j := 1; j < s.blocks; j++ {
			addElem.f32(sum, sum, s.grad.parts[((j*h+i)*n+r0)*d:][:len(sum)], 0, 0, false)
		}
		s.Rotation.turn(s.gq[i*s.Q.Head+r0*s.Q.Row:], sum, s.Q.Row, d, r0, r1-r0, d, scale, -1)
	}
}

// prepareGrad lays out all heads.
func (s *attending) prepareGrad(gy []float32) {
	h, n, m, d, e, g := s.Heads, s.Queries, s.Keys, s.Dim, s.Out, &s.grad
	s.growHeads()
	g.gy, g.gyWords, g.gyPairs = grow(g.gy, h*n*e), grow(g.gyWords, h*n*e), grow(g.gyPairs, h*(n+1)*e)
	g.queryPairs, g.keyPairs = grow(g.queryPairs, h*(n+1)*d), grow(g.keyPairs, h*(m+1)*d)
	g.valueWords, g.valuePanels = grow(g.valueWords, h*m*e), grow(g.valuePanels, h*panelled(m)*e)
	g.dots = grow(g.dots, h*n)
	for _, o := range [...]*[]operand{&g.gyLeft, &g.gyRight, &g.queries, &g.keys, &g.values} {
		*o = growOperands(*o, h)
	}
	ParallelWith(h, 1, gradHeads{s, gy})
}

// gradHeads lays out heads.
type gradHeads struct {
	*attending
	gy []float32
}

func (s *gradHeads) Chunk(lo, hi int) {
	n, m, d, e, g := s.Queries, s.Keys, s.Dim, s.Out, &s.grad
	w := s.worker()
	for i := lo; i < hi; i++ {
		s.prepare(w, i)
		gys := g.gy[i*n*e:][:n*e]
		(*Rotation)(nil).turn(gys, s.gy[i*s.Y.Head:], e, s.Y.Row, 0, n, e, 1, 1)
		for r := range n {
			g.dots[i*n+r] = float32(dotReducer.f32(gys[r*e:][:e], s.y[i*s.Y.Head+r*s.Y.Row:][:e]))
		}
		g.gyLeft[i] = w.left(g.gyWords[i*n*e:], gys, n, e)
		g.gyRight[i] = w.right(&w.pieces, g.gyPairs[i*(n+1)*e:], gys, n, e, e)
		g.queries[i] = w.right(&w.pieces, g.queryPairs[i*(n+1)*d:], s.queries[i*n*d:][:n*d], n, d, d)
		g.keys[i] = w.right(&w.pieces, g.keyPairs[i*(m+1)*d:], s.keys[i*m*d:][:m*d], m, d, d)
		g.values[i] = w.panels(g.valuePanels[i*panelled(m)*e:], w.left(g.valueWords[i*m*e:], s.values[i*m*e:][:m*e], m, e), m)
	}
	w.end()
}

// keyBlock computes what keys j0 to j1 of head i contribute: the gradients of keys and values, and part, that of the queries.
func (s *attending) keyBlock(w *attentionWorker, i, j0, j1 int, part, lse, gk, gv []float32) {
	n, c, d, e, g := s.Queries, j1-j0, s.Dim, s.Out, &s.grad
	ld := panelled(c) + 16
	size := min(attentionRows, n)
	w.p, w.g, w.gr = grow(w.p, size*ld), grow(w.g, size*ld), grow(w.gr, size*ld)
	w.pw, w.gw = grow(w.pw, (size+1)/2*c), grow(w.gw, (size+1)/2*c)
	w.gk, w.gv = grow(w.gk, c*d), grow(w.gv, c*e)
	if n == 0 {
		clear(w.gk)
		clear(w.gv)
	}
	for i0 := 0; i0 < n; i0 += attentionRows {
		rows := min(attentionRows, n-i0)
		w.mul(w.p, ld, s.left[i].from(i0), s.right[i].columnsFrom(j0), rows, c, d, false)
		w.mul(w.g, ld, g.gyLeft[i].from(i0), g.values[i].columnsFrom(j0), rows, c, e, false)
		left := w.leftRows(w.gr, w.g, ld)
		for r := range rows {
			p, gs := w.p[r*ld:][:c], w.g[r*ld:][:c]
			exp2Grad32(p, gs, lse[i0+r], g.dots[i*n+i0+r])
			w.round(p)
			w.leftRow(w.gr[r*ld:], gs)
		}
		w.mul(w.gv, e, w.across(&w.pieces, w.pw, w.p, rows, c, ld), w.rightFrom(g.gyRight[i], i0), c, e, rows, i0 > 0)
		w.mul(w.gk, d, w.across(&w.pieces, w.gw, w.g, rows, c, ld), w.rightFrom(g.queries[i], i0), c, d, rows, i0 > 0)
		w.mul(part[i0*d:], d, left, w.rightFrom(g.keys[i], j0), rows, d, c, false)
	}
	s.Rotation.turn(gk[j0*s.K.Row:], w.gk, s.K.Row, d, j0, c, d, math.Ln2, -1)
	for r := range c {
		copy(gv[(j0+r)*s.V.Row:][:e], w.gv[r*e:][:e])
	}
}
