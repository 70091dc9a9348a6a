package spectral

import "github.com/spamoe/spamoe/internal/kernel"

// fold transforms rows of real points by way of their even and odd parts.
type fold struct {
	*step
	evens, odds int       // n/2+1 and (n-1)/2 points
	even, odd   []float32 // of one row of n points, each with nc channels
}

func newFold(s *step) fold {
	f := fold{step: s, evens: s.grid/2 + 1, odds: (s.grid - 1) / 2}
	f.even = lines.Get(s.grid * s.nc)
	f.odd = f.even[f.evens*s.nc:]
	return f
}

func (f *fold) release() { lines.Put(f.even) }

// lda returns the row length of a stored matrix that is, or is the transpose of, rows x cols.
func (f *fold) lda(rows, cols int) int {
	if f.trans {
		return rows
	}
	return cols
}

// analyse turns x, n x nc, into rows (mode, re or im) of y, q nc apart.
func (f *fold) analyse(y, x []float32) {
	nc, ld, n := f.nc, f.q*f.nc, f.grid
	f.even[0] = touch(x[:n*nc])
	copy(f.even, x[:nc])
	kernel.Butterfly(f.odds, nc, kernel.Rows[float32]{Data: f.even, Start: nc, Step: nc}, kernel.Rows[float32]{Data: f.odd, Step: nc},
		kernel.Rows[float32]{Data: x, Start: nc, Step: nc}, kernel.Rows[float32]{Data: x, Start: (n - 1) * nc, Step: -nc}, false)
	if n%2 == 0 {
		copy(f.even[n/2*nc:], x[n/2*nc:][:nc])
	}
	kernel.GemmSerial(f.trans, false, f.modes, nc, f.evens, f.cos, f.lda(f.modes, f.evens), f.even, nc, y, 2*ld, false, nil)
	if f.odds == 0 {
		for j := range f.modes {
			clear(y[(2*j+1)*ld:][:nc])
		}
		return
	}
	kernel.GemmSerial(f.trans, false, f.modes, nc, f.odds, f.sin, f.lda(f.modes, f.odds), f.odd, nc, y[ld:], 2*ld, false, nil)
}

// synthesise turns rows (mode, re or im) of x, q nc apart, into y, n x nc, or adds to it.
func (f *fold) synthesise(y, x []float32, acc bool, ep *kernel.Epilogue[float32]) {
	nc, ld, n := f.nc, f.q*f.nc, f.grid
	f.even[0] = touch(y[:n*nc])
	kernel.GemmSerial(f.trans, false, f.evens, nc, f.modes, f.cos, f.lda(f.evens, f.modes), x, 2*ld, f.even, nc, false, ep)
	if f.odds > 0 {
		kernel.GemmSerial(f.trans, false, f.odds, nc, f.modes, f.sin, f.lda(f.odds, f.modes), x[ld:], 2*ld, f.odd, nc, false, nil)
	}
	kernel.Butterfly(f.odds, nc, kernel.Rows[float32]{Data: y, Start: nc, Step: nc}, kernel.Rows[float32]{Data: y, Start: (n - 1) * nc, Step: -nc},
		kernel.Rows[float32]{Data: f.even, Start: nc, Step: nc}, kernel.Rows[float32]{Data: f.odd, Step: nc}, acc)
	f.single(y[:nc], f.even, acc)
	if n%2 == 0 {
		f.single(y[n/2*nc:][:nc], f.even[n/2*nc:], acc)
	}
}

// single stores a point that has no partner.
func (f *fold) single(y, x []float32, acc bool) {
	if acc {
		kernel.Add(y, y, x[:len(y)])
	} else {
		copy(y, x)
	}
}
