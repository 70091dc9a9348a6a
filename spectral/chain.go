package spectral

import "github.com/spamoe/spamoe/internal/kernel"

// factor is the matrix that transforms one axis. For an analysis it is 2k x c n, for a synthesis c n x 2k; rows and columns of the
// spectral side are ordered (mode, re or im), those of the grid's side (re or im, point), with c = 2, or c = 1 where the data are
// real. With trans it is stored the other way round.
type factor[T kernel.Float] struct {
	a     []T
	trans bool
	grid  int // c n
	modes int // k
}

// chain transforms channels-last data axis by axis. On the way from the grid to the spectrum, the last axis first, an array is
//
//	batch x n_1 x .. x n_(a-1) x k_d x .. x k_(a+1) x (re, im) x n_a x nc      before axis a
//
// so that the operand of every matrix product is contiguous, and at the end k_d x .. x k_1 x (re, im) x batch x nc, ready for
// products mode by mode.
type chain[T kernel.Float] struct {
	factors  []factor[T]
	n        []int // grid points per axis
	batch    int
	channels int
}

// step describes the products of one axis: outer x q x r of them. Operand (o, i, j) lies at ((o q + i) r + j) grid nc on the grid's
// side, and starts at (o r + j) 2k q nc + i nc with rows q nc apart on the spectral side.
type step[T kernel.Float] struct {
	factor[T]
	outer, q, r int
	nc          int
}

func (c *chain[T]) step(a int) step[T] {
	s := step[T]{factor: c.factors[a], outer: 1, q: c.batch, r: 1, nc: c.channels}
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

func (s *step[T]) gridSize() int     { return s.outer * s.q * s.r * s.grid * s.nc }
func (s *step[T]) spectralSize() int { return s.outer * s.q * s.r * 2 * s.modes * s.nc }

// analyse turns x, on the grid, into its spectrum dst. work holds scratch of workSize elements.
func (c *chain[T]) analyse(dst, x, work []T) { c.analyseWith(dst, x, work, nil) }

// analyseSum is analyse with a last factor whose row (mode 0, im) sums over the last axis: these sums, over all points and samples,
// are added to sum, which may be nil, and zeros take their place.
func (c *chain[T]) analyseSum(dst, x, work, sum []T) {
	c.analyseWith(dst, x, work, func(s *step[T], y []T) {
		ld := s.q * s.nc
		for o := range s.outer {
			row := y[(2*s.modes*o+1)*ld:][:ld]
			if sum != nil {
				kernel.ColSum(sum, row, s.q, s.nc, true)
			}
			clear(row)
		}
	})
}

// analyseWith calls after, if not nil, on what the last axis became.
func (c *chain[T]) analyseWith(dst, x, work []T, after func(s *step[T], y []T)) {
	for a := len(c.factors) - 1; a >= 0; a-- {
		s := c.step(a)
		y := dst
		if a > 0 {
			y, work = work[:s.spectralSize()], work[s.spectralSize():]
		}
		s.run(y, x, true, false, nil)
		if after != nil && a == len(c.factors)-1 {
			after(&s, y)
		}
		x = y
	}
}

// synthesise turns the spectrum x into dst, on the grid, or adds to it if acc; bias, or nil, is added to every channel.
func (c *chain[T]) synthesise(dst, x, work []T, acc bool, bias []T) {
	for a := range c.factors {
		s := c.step(a)
		if a == len(c.factors)-1 {
			s.run(dst, x, false, acc, bias)
			return
		}
		y := work[:s.gridSize()]
		work = work[s.gridSize():]
		s.run(y, x, false, false, nil)
		x = y
	}
}

// workSize returns how much scratch analyse and synthesise need.
func (c *chain[T]) workSize() int {
	n := 0
	for a := 1; a < len(c.factors); a++ {
		s := c.step(a)
		n += s.spectralSize()
	}
	return n
}

// run does the products of one axis: towards the spectrum if analyse, towards the grid otherwise.
func (s *step[T]) run(dst, x []T, analyse, acc bool, bias []T) {
	rows, cols := 2*s.modes, s.grid
	if !analyse {
		rows, cols = cols, rows
	}
	lda := cols
	if s.trans {
		lda = rows
	}
	ld := s.q * s.nc
	ep := kernel.Epilogue[T]{ColBias: bias}
	kernel.Parallel(s.outer*s.q*s.r, 1, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			onGrid := t * s.grid * s.nc
			o, i, j := t/(s.q*s.r), t/s.r%s.q, t%s.r
			onSpectrum := (o*s.r+j)*2*s.modes*ld + i*s.nc
			if analyse {
				kernel.GemmEpilogue(s.trans, false, rows, s.nc, cols, s.a, lda, x[onGrid:], s.nc, dst[onSpectrum:], ld, acc, &ep)
			} else {
				kernel.GemmEpilogue(s.trans, false, rows, s.nc, cols, s.a, lda, x[onSpectrum:], ld, dst[onGrid:], s.nc, acc, &ep)
			}
		}
	})
}
