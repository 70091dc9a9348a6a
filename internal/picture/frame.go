package picture

import "fmt"

// Frame describes maps of nz x nx values, row-major with the surface first: their spacing and what they measure.
type Frame struct {
	NZ, NX int     // rows (depth) and columns (distance)
	DX     float64 // distance between columns; zero: 1
	DZ     float64 // distance between rows; zero: that of the columns; both zero: the axes count cells
	XLabel string  // label of the horizontal axis
	ZLabel string  // label of the vertical axis, which points downwards

	Quantity string // what the values are, such as "Velocity"
	Units    string // unit of the values, such as "m/s"; empty for none
}

// Velocity is the frame of nz x nx velocities in m/s, dx metres apart in both directions.
func Velocity(nz, nx int, dx float64) Frame {
	return Frame{NZ: nz, NX: nx, DX: dx, XLabel: "Distance (m)", ZLabel: "Depth (m)", Quantity: "Velocity", Units: "m/s"}
}

// check tells what is wrong with a frame, for a picture called what.
func (f Frame) check(what string) error {
	if f.NZ < 1 || f.NX < 1 {
		return fmt.Errorf("picture: %s: maps of %d x %d values, at least one row and one column are needed", what, f.NZ, f.NX)
	}
	if !finite(f.DX) || !finite(f.DZ) || f.DX < 0 || f.DZ < 0 {
		return fmt.Errorf("picture: %s: spacing %g x %g, it must be finite and not negative", what, f.DZ, f.DX)
	}
	return nil
}

// holds tells what is wrong with the size of a map.
func (f Frame) holds(m []float32, format string, args ...any) error {
	if len(m) != f.NZ*f.NX {
		return fmt.Errorf("picture: %s: %d values, want %d x %d = %d", fmt.Sprintf(format, args...), len(m), f.NZ, f.NX, f.NZ*f.NX)
	}
	return nil
}

// sheet gives a sheet without panels for maps of about side x side pixels.
func (f Frame) sheet(side int) *sheet {
	dx, dz := f.DX, f.DZ
	if dx == 0 {
		dx = 1
	}
	if dz == 0 {
		dz = dx
	}
	s := &sheet{
		nz: f.NZ, nx: f.NX,
		x: axis{0, dx * float64(f.NX), f.XLabel, 0},
		z: axis{0, dz * float64(f.NZ), f.ZLabel, 0},
	}
	if f.DX == 0 && f.DZ == 0 {
		s.x.least, s.z.least = 1, 1
	}
	s.pw, s.ph = fit(f.NZ, f.NX, s.z.hi/s.x.hi, side, 48)
	return s
}

// measure is the label of a colour bar for a quantity.
func (f Frame) measure(quantity string) string {
	switch {
	case f.Units == "":
		return quantity
	case quantity == "":
		return f.Units
	}
	return quantity + " (" + f.Units + ")"
}
