package spectral

import "github.com/spamoe/spamoe/internal/kernel"

// factor transforms one axis. For complex data it is a matrix, 2k x 2n for an analysis and 2n x 2k for a synthesis; rows and columns
// of the spectral side are ordered (mode, re or im), those of the grid's side (re or im, point).
//
// For real data, along the last axis, cosines meet only the even part of a row of points, e[i] = x[i] + x[n-i], and sines only the odd
// part, o[i] = x[i] - x[n-i]: two matrices of half the width do, k x (n/2+1) and k x (n-1)/2 for an analysis. A synthesis finds
// both parts and adds and subtracts them. With trans all matrices are stored the other way round.
type factor struct {
	a        []float32
	cos, sin []float32 // for real data, instead of a
	trans    bool
	grid     int // rows of data on the grid: 2n or n
	modes    int // k
}

// chain transforms channels-last data axis by axis. On the way from the grid to the spectrum, the last axis first, an array is
//
//	batch x n_1 x .. x n_(a-1) x k_d x .. x k_(a+1) x (re, im) x n_a x nc      before axis a
//
// so that the operand of every matrix product is contiguous, and at the end k_d x .. x k_1 x (re, im) x batch x nc, ready for
// products mode by mode.
type chain struct {
	factors  []factor
	n        []int // grid points per axis
	batch    int
	channels int
}

// step describes the products of one axis: outer x q x r of them. Operand (o, i, j) lies at ((o q + i) r + j) grid nc on the grid's
// side, and starts at (o r + j) 2k q nc + i nc with rows q nc apart on the spectral side.
type step struct {
	factor
	outer, q, r int
	nc          int
}

func (c *chain) step(a int) step {
	s := step{factor: c.factors[a], outer: 1, q: c.batch, r: 1, nc: c.channels}
	for _, f := range c.factors[a+1:] {
		s.r *= f.modes
	}
	if a > 0 {
		s.q = c.n[a-1]
		s.outer = c.batch
		for _, n := range c.n[:a-1] {
			s.outer *= n
		}
	}
	return s
}

func (s *step) gridSize() int     { return s.outer * s.q * s.r * s.grid * s.nc }
func (s *step) spectralSize() int { return s.outer * s.q * s.r * 2 * s.modes * s.nc }

// analyse turns x, on the grid, into its spectrum dst. work holds scratch of workSize elements.
func (c *chain) analyse(dst, x, work []float32) {
	y, rest := c.analyseLast(dst, x, work)
	c.analyseOthers(dst, y, rest)
}

// analyseSum is analyse of real data with the adjoint of a synthesis, and adds to sum, if not nil, the sum of x over samples and
// points: 1/scale of the constant mode along the last axis, summed over the others.
func (c *chain) analyseSum(dst, x, work, sum []float32, scale float32) {
	y, rest := c.analyseLast(dst, x, work)
	if sum != nil {
		s := c.step(len(c.factors) - 1)
		total := lines.Get(s.nc)
		clear(total)
		ld := s.q * s.nc
		for o := range s.outer {
			kernel.ColSum(total, y[2*s.modes*o*ld:][:ld], s.q, s.nc, true)
		}
		kernel.Axpy(sum, 1/scale, total)
		lines.Put(total)
	}
	c.analyseOthers(dst, y, rest)
}

// analyseLast does the last axis and returns what it becomes, dst where there are no others, and the rest of work.
func (c *chain) analyseLast(dst, x, work []float32) (y, rest []float32) {
	last := len(c.factors) - 1
	s := c.step(last)
	y = dst
	if last > 0 {
		y, work = work[:s.spectralSize()], work[s.spectralSize():]
	}
	s.run(y, x, true, false, nil)
	return y, work
}

// analyseOthers does the axes but the last, whose transform x is: it is dst where there are none.
func (c *chain) analyseOthers(dst, x, work []float32) {
	for a := len(c.factors) - 2; a >= 0; a-- {
		s := c.step(a)
		y := dst
		if a > 0 {
			y, work = work[:s.spectralSize()], work[s.spectralSize():]
		}
		s.run(y, x, true, false, nil)
		x = y
	}
}

// synthesise turns the spectrum x into dst, on the grid, or adds to it if acc; bias, or nil, is added to every channel.
func (c *chain) synthesise(dst, x, work []float32, acc bool, bias []float32) {
	s := c.step(len(c.factors) - 1)
	s.run(dst, c.synthesiseOthers(x, work), false, acc, bias)
}

// synthesiseOthers does the axes but the last and returns what they become, in work, or x where there are none.
func (c *chain) synthesiseOthers(x, work []float32) []float32 {
	for a := range len(c.factors) - 1 {
		s := c.step(a)
		y := work[:s.gridSize()]
		work = work[s.gridSize():]
		s.run(y, x, false, false, nil)
		x = y
	}
	return x
}

// workSize returns how much scratch analyse and synthesise need.
func (c *chain) workSize() int {
	n := 0
	for a := 1; a < len(c.factors); a++ {
		s := c.step(a)
		n += s.spectralSize()
	}
	return n
}

// at returns where operand t begins on both sides.
func (s *step) at(t int) (onGrid, onSpectrum int) {
	o, i, j := t/(s.q*s.r), t/s.r%s.q, t%s.r
	return t * s.grid * s.nc, ((o*s.r+j)*2*s.modes*s.q + i) * s.nc
}

// run does the products of one axis: towards the spectrum if analyse, towards the grid otherwise.
func (s *step) run(dst, x []float32, analyse, acc bool, bias []float32) {
	kernel.ParallelWith(s.outer*s.q*s.r, 1, products{*s, dst, x, analyse, acc, kernel.Epilogue[float32]{ColBias: bias}})
}

// products are those of a step and their operands.
type products struct {
	step
	dst, x       []float32
	analyse, acc bool
	ep           kernel.Epilogue[float32]
}

// Chunk does the products lo to hi.
func (p *products) Chunk(lo, hi int) {
	rows, cols := 2*p.modes, p.grid
	if !p.analyse {
		rows, cols = cols, rows
	}
	lda := cols
	if p.trans {
		lda = rows
	}
	ld := p.q * p.nc
	var f fold
	if p.cos != nil {
		f = newFold(&p.step)
		defer f.release()
	}
	for t := lo; t < hi; t++ {
		onGrid, onSpectrum := p.at(t)
		switch {
		case p.cos != nil && p.analyse:
			f.analyse(p.dst[onSpectrum:], p.x[onGrid:])
		case p.cos != nil:
			f.synthesise(p.dst[onGrid:], p.x[onSpectrum:], p.acc, &p.ep)
		case p.analyse:
			kernel.GemmEpilogue(p.trans, false, rows, p.nc, cols, p.a, lda, p.x[onGrid:], p.nc, p.dst[onSpectrum:], ld, p.acc, &p.ep)
		default:
			kernel.GemmEpilogue(p.trans, false, rows, p.nc, cols, p.a, lda, p.x[onSpectrum:], ld, p.dst[onGrid:], p.nc, p.acc, &p.ep)
		}
	}
}
