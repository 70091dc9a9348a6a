package wave

import (
	"fmt"
	"math"
)

// limit is the largest (v dt / dx)^2 that is stable without damping: the scheme needs alpha |L| <= 4, and |L| is largest at the
// chequerboard. It is 1/2, 3/8, 0.331 and 0.308 for the orders 2, 4, 6 and 8.
func (k stencil) limit() float64 { return 2 / k.peak }

// Check reports why a model (nz x nx) cannot be simulated: a velocity that makes no sense, or one that is too fast for a stable scheme.
func (s *Solver[T]) Check(vel []T) error {
	if n := s.grid.nz * s.grid.nx; len(vel) != n {
		return fmt.Errorf("wave: model has %d velocities, want %d (%d x %d)", len(vel), n, s.grid.nz, s.grid.nx)
	}
	return s.check(vel, 0)
}

// check reports why a model of nz x nx cells cannot be simulated. sample is its number in its batch, for the message.
func (s *Solver[T]) check(vel []T, sample int) error {
	at := 0
	for i, v := range vel {
		if !(v > 0) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("wave: model %d, row %d, column %d: velocity is %v m/s, want a positive finite number", sample, i/s.grid.nx, i%s.grid.nx, v)
		}
		if v > vel[at] {
			at = i
		}
	}
	courant := float64(vel[at]) * s.cfg.Dt / s.cfg.Dx
	// With damping the chequerboard needs alpha |L| <= 4 - 2 D dt.
	limit := stencils[s.cfg.Order].limit()
	most := math.Sqrt(max(0, limit*(1-s.damping(vel)/2)))
	if courant <= most {
		return nil
	}
	hint := ""
	if undamped := math.Sqrt(limit); courant <= undamped {
		hint = fmt.Sprintf(" with Pad %d; the larger Pad, the nearer to %.4g", s.cfg.Pad, undamped)
	}
	return fmt.Errorf("wave: model %d, row %d, column %d: at %v m/s a wave crosses %.4g cells in a time step (dt %v s, dx %v m), want at most %.4g for a stable scheme%s",
		sample, at/s.grid.nx, at%s.grid.nx, vel[at], courant, s.cfg.Dt, s.cfg.Dx, most, hint)
}

// damping returns D dt at the outer edge of the strips: it grows with the least velocity of the model. It is zero where all sides are
// free, so that there are no strips.
func (s *Solver[T]) damping(vel []T) float64 {
	if s.grid.height == s.grid.nz && s.grid.width == s.grid.nx {
		return 0
	}
	least := vel[0]
	for _, v := range vel {
		least = min(least, v)
	}
	depth := float64(s.cfg.Pad-1) * s.cfg.Dx
	return 3 * float64(least) * math.Log(1e7) / (2 * depth) * s.cfg.Dt
}

// medium holds the coefficients of a padded model, in rows of stride. Rows of the strips above and below repeat the first and
// last model row, and the damping of a row depends only on its distance from the model, so only distinct rows are stored.
type medium[T Float] struct {
	accel []T // nz rows: first (v dt / dx)^2, edge columns repeated outwards, zero beyond
	keep  []T // Pad+1 rows: 1 - D dt; row i belongs to strip rows i cells outside the innermost, row Pad to the model's rows
}

func newMedium[T Float](g *grid, pad int) medium[T] {
	return medium[T]{accel: make([]T, g.nz*g.stride+lane), keep: make([]T, (pad+1)*g.stride+lane)}
}

// set computes the coefficients of a model that passed check.
func (m *medium[T]) set(s *Solver[T], vel []T) {
	g, pad := &s.grid, s.cfg.Pad
	ratio, k := s.cfg.Dt/s.cfg.Dx, stencils[s.cfg.Order]
	for z := range g.nz {
		row := m.accel[z*g.stride+lead:][:g.width]
		for j := range row {
			courant := float64(vel[g.model(z+g.up, j)]) * ratio
			row[j] = T(k.num * courant * courant / k.den)
		}
	}
	edge := s.damping(vel)
	for i := range pad + 1 {
		row := m.keep[i*g.stride+lead:][:g.width]
		for j := range row {
			outward := max(g.left-1-j, j-g.left-g.nx) // negative over the model's columns
			if outward < 0 && i < pad {
				outward = i
			}
			r := float64(max(outward, 0)) / float64(pad-1)
			row[j] = T(1 - edge*r*r)
		}
	}
}

// at returns where the coefficients of row i of the padded grid begin.
func (m *medium[T]) at(g *grid, i int) (accel, keep int) {
	z, pad := i-g.up, len(m.keep)/g.stride-1
	out := pad
	if z < 0 {
		z, out = 0, g.up-1-i
	} else if z >= g.nz {
		z, out = g.nz-1, z-g.nz
	}
	return z*g.stride + lead, out*g.stride + lead
}

// accelAt returns the factor of the Laplacian at an offset into a field.
func (m *medium[T]) accelAt(g *grid, at int) T {
	row, col := g.cell(at)
	accel, _ := m.at(g, row)
	return m.accel[accel+col]
}
