package wave

import (
	"fmt"
	"math"
)

// limit is the largest (v dt / dx)^2 that is stable without damping: the scheme needs alpha |L| <= 4 and the largest
// eigenvalue |L| of the fourth-order Laplacian, at the chequerboard, is 2 x 16/3.
const limit = 3.0 / 8

// check reports why a model of nz x nx cells cannot be simulated. sample is its number in its batch, for the message.
func (s *Solver[T]) check(vel []T, sample int) error {
	at := 0
	for i, v := range vel {
		if !(v > 0) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("wave: model %d, row %d, column %d: velocity is %v m/s, want a positive finite number", sample, i/s.nx, i%s.nx, v)
		}
		if v > vel[at] {
			at = i
		}
	}
	courant := float64(vel[at]) * s.cfg.Dt / s.cfg.Dx
	// With damping the chequerboard needs alpha |L| <= 4 - 2 D dt.
	most := math.Sqrt(max(0, limit*(1-s.damping(vel)/2)))
	if !(courant <= most) {
		return fmt.Errorf("wave: model %d, row %d, column %d: at %v m/s a wave crosses %.4g cells in a time step (dt %v s, dx %v m), want at most %.4g for a stable scheme",
			sample, at/s.nx, at%s.nx, vel[at], courant, s.cfg.Dt, s.cfg.Dx, most)
	}
	return nil
}

// damping returns D dt at the outer edge of the strips: it grows with the least velocity of the model.
func (s *Solver[T]) damping(vel []T) float64 {
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
	accel []T // nz rows: 4/3 (v dt / dx)^2, edge columns repeated outwards, zero beyond
	keep  []T // Pad+1 rows: 1 - D dt; row i belongs to strip rows i cells outside the innermost, row Pad to the model's rows
}

// set computes the coefficients of a model that passed check.
func (m *medium[T]) set(s *Solver[T], vel []T) {
	pad := s.cfg.Pad
	ratio := s.cfg.Dt / s.cfg.Dx
	for z := range s.nz {
		row := m.accel[z*s.stride+lead:][:s.width]
		for j := range row {
			courant := float64(vel[z*s.nx+min(max(j-pad, 0), s.nx-1)]) * ratio
			row[j] = T(4 * courant * courant / 3)
		}
	}
	edge := s.damping(vel)
	for i := range pad + 1 {
		row := m.keep[i*s.stride+lead:][:s.width]
		for j := range row {
			outward := max(pad-1-j, j-pad-s.nx) // negative over the model's columns
			if outward < 0 && i < pad {
				outward = i
			}
			r := float64(max(outward, 0)) / float64(pad-1)
			row[j] = T(1 - edge*r*r)
		}
	}
}

// rows returns the coefficients of row i of the padded grid.
func (m *medium[T]) rows(s *Solver[T], i int) (accel, keep []T) {
	z, out := i-s.cfg.Pad, s.cfg.Pad
	if z < 0 {
		z, out = 0, s.cfg.Pad-1-i
	} else if z >= s.nz {
		z, out = s.nz-1, z-s.nz
	}
	return m.accel[z*s.stride+lead:][:s.width], m.keep[out*s.stride+lead:][:s.width]
}

// accelAt returns the factor of the Laplacian at an offset into a field.
func (s *Solver[T]) accelAt(m *medium[T], at int) T {
	row := at / s.stride
	accel, _ := m.rows(s, row)
	return accel[at-row*s.stride-lead]
}
