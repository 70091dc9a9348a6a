package invert

import (
	"math"
	"slices"

	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/kernel"
)

// thinning takes every second row and column of a map: rows row, row+2, .. and columns col, col+2, ..
//
// Waves of low frequency do not see single cells. What they see, at constant density, is the mean of 1/v^2 (the wave equation is
// linear in it), here with weights 1/4, 1/2, 1/4 along both axes.
type thinning struct {
	nz, nx   int // of the full map
	row, col int
}

var thinWeights = [3]float64{0.25, 0.5, 0.25}

// size returns the rows and columns of the thinned map.
func (t thinning) size() (nz, nx int) { return (t.nz - t.row + 1) / 2, (t.nx - t.col + 1) / 2 }

// around calls f for the cells of the full map that make up each thinned one, with their weights. Past its edges the map goes on as it
// ends.
func (t thinning) around(f func(thin, full int, weight float64)) {
	nz, nx := t.size()
	for j := range nz {
		for i := range nx {
			for dj, wj := range thinWeights {
				row := min(max(t.row+2*j+dj-1, 0), t.nz-1)
				for di, wi := range thinWeights {
					col := min(max(t.col+2*i+di-1, 0), t.nx-1)
					f(j*nx+i, row*t.nx+col, wj*wi)
				}
			}
		}
	}
}

// apply stores the thinned map of vel in dst.
func (t thinning) apply(dst, vel []float32) {
	mean := make([]float64, len(dst))
	t.around(func(thin, full int, weight float64) { mean[thin] += weight / (float64(vel[full]) * float64(vel[full])) })
	for i, m := range mean {
		dst[i] = float32(1 / math.Sqrt(m))
	}
}

// adjoint adds to g the derivative with respect to vel of what has derivative gthin with respect to thin, its thinned map: with
// thin^-2 = sum w vel^-2, dthin/dvel = w (thin/vel)^3.
func (t thinning) adjoint(g, gthin, vel, thin []float32) {
	t.around(func(i, full int, weight float64) {
		ratio := float64(thin[i]) / float64(vel[full])
		g[full] += float32(weight * ratio * ratio * ratio * float64(gthin[i]))
	})
}

// congruence adds T'AT to h, n x n, T the derivative of thin, the thinned map, with respect to the n velocities that the cells of vel have
// according to label.
func (t thinning) congruence(h, a, vel, thin []float32, label []int, n int) {
	m := len(thin)
	cells, weights := make([][]int, m), make([][]float32, m) // rows of T
	half := make([]float32, n*m)                             // T'A
	t.around(func(i, full int, weight float64) {
		ratio := float64(thin[i]) / float64(vel[full])
		w := float32(weight * ratio * ratio * ratio)
		cells[i], weights[i] = append(cells[i], label[full]), append(weights[i], w)
		kernel.Axpy(half[label[full]*m:][:m], w, a[i*m:][:m])
	})
	kernel.Parallel(n, 8, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			dst := h[row*n:][:n]
			for i, v := range half[row*m:][:m] {
				for k, c := range cells[i] {
					dst[c] += weights[i][k] * v
				}
			}
		}
	})
}

// place returns where a point of the full map lies in the thinned one, if it is there.
func (t thinning) place(p wave.Point) (wave.Point, bool) {
	ok := p.Row >= t.row && p.Col >= t.col && (p.Row-t.row)%2 == 0 && (p.Col-t.col)%2 == 0
	return wave.Point{Row: (p.Row - t.row) / 2, Col: (p.Col - t.col) / 2}, ok
}

// keeps reports whether free surfaces, one cell outside of the full map, lie one thinned cell outside of the thinned one.
func (t thinning) keeps(free wave.Sides) bool {
	nz, nx := t.size()
	return (!free.Top || t.row == 1) && (!free.Left || t.col == 1) &&
		(!free.Bottom || t.row+2*nz == t.nz) && (!free.Right || t.col+2*nx == t.nx)
}

// nearSource is how many cells around a source receivers do not count: a field is singular at a point source, which a grid resolves as
// well as its cells are small.
const nearSource = 2

// thinned is what remains of a survey for its shots of one parity: those whose sources lie on the cells of a thinning.
type thinned struct {
	thinning
	shots     []int    // of the survey
	receivers [][]int  // of each of them: those on the cells of the thinning
	near      [][]bool // of these: those next to the source, where the field depends on the grid
	survey    wave.Config
}

// thinOut divides a survey of nz x nx cells, complete and with steps, into one of twice the cell and the time step for every parity of its
// sources: sources and receivers keep their places exactly, receivers of another parity are left out. It fails, with nil, where that leaves
// a shot without receivers or moves a free surface.
func thinOut(c wave.Config, nz, nx int) []thinned {
	if nz < 4 || nx < 4 || c.Steps < 2 {
		return nil
	}
	var all []thinned
	for shot, source := range c.Sources {
		t := thinning{nz, nx, source.Row % 2, source.Col % 2}
		if !t.keeps(c.Free) {
			return nil
		}
		list := c.Receivers
		if c.ShotReceivers != nil {
			list = c.ShotReceivers[shot]
		}
		var kept []int
		var near []bool
		var places []wave.Point
		for i, p := range list {
			if q, ok := t.place(p); ok {
				kept, places = append(kept, i), append(places, q)
				near = append(near, max(p.Row-source.Row, source.Row-p.Row, p.Col-source.Col, source.Col-p.Col) <= nearSource)
			}
		}
		if !slices.Contains(near, false) {
			return nil
		}
		g := -1
		for i := range all {
			if all[i].thinning == t && len(all[i].receivers[0]) == len(kept) {
				g = i
			}
		}
		if g < 0 {
			g = len(all)
			all = append(all, thinned{thinning: t, survey: halved(c)})
		}
		place, _ := t.place(source)
		all[g].shots = append(all[g].shots, shot)
		all[g].receivers, all[g].near = append(all[g].receivers, kept), append(all[g].near, near)
		all[g].survey.Sources = append(all[g].survey.Sources, place)
		all[g].survey.ShotReceivers = append(all[g].survey.ShotReceivers, places)
	}
	return all
}

// halved returns a survey with twice the cell and the time step, without sources and receivers. A source is a point of strength w dx^2, so
// that its wavelet shrinks to a quarter.
func halved(c wave.Config) wave.Config {
	h := c
	h.Dx, h.Dt, h.Pad, h.Steps = 2*c.Dx, 2*c.Dt, max(2, c.Pad/2), c.Steps/2
	h.Samples = h.Steps
	h.Sources, h.Receivers, h.ShotReceivers, h.Wavelet = nil, nil, nil, nil
	for k := 0; k < len(c.Wavelet); k += 2 {
		h.Wavelet = append(h.Wavelet, c.Wavelet[k]/4)
	}
	return h
}

// data takes from the gathers of the full survey, nt x nr each, what the thinned one records. Row k of a gather is the field k+1 steps after
// the beginning of the wavelet.
func (t *thinned) data(full []float32, nt, nr int) []float32 {
	d := make([]float32, 0, len(t.shots)*t.survey.Samples*len(t.receivers[0]))
	for i, shot := range t.shots {
		for k := range t.survey.Samples {
			row := full[(shot*nt+2*k+1)*nr:][:nr]
			for j, r := range t.receivers[i] {
				if t.near[i][j] {
					d = append(d, 0) // as a dead trace
				} else {
					d = append(d, row[r])
				}
			}
		}
	}
	return d
}
