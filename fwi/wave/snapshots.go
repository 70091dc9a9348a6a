package wave

import (
	"context"
	"fmt"
)

// Snapshots simulates one shot over one model (nz x nx) and calls see with the pressure in the model's cells (nz x nx, used again
// for the next call) after every steps time steps: first after step every-1, which is time every Dt, last at or before Config.Steps.
// It ends with see's error as soon as there is one, and otherwise fails where Forward does.
func (s *Solver[T]) Snapshots(ctx context.Context, vel []T, shot, every int, see func(step int, field []T) error) error {
	g := &s.grid
	switch {
	case len(vel) != g.nz*g.nx:
		return fmt.Errorf("wave: model has %d velocities, want %d (%d x %d)", len(vel), g.nz*g.nx, g.nz, g.nx)
	case shot < 0 || shot >= len(s.cfg.Sources):
		return fmt.Errorf("wave: shot %d, want 0 to %d", shot, len(s.cfg.Sources)-1)
	case every < 1:
		return fmt.Errorf("wave: snapshots every %d steps, want at least 1", every)
	}
	if err := s.check(vel, 0); err != nil {
		return err
	}
	sh := s.take()
	defer s.give(sh)
	sh.gather = nil
	sh.set(vel, shot)
	field := make([]T, g.nz*g.nx)
	for n := every; n <= s.cfg.Steps; n += every {
		sh.forward(ctx, n-every, n, sh)
		if err := ctx.Err(); err != nil {
			return err
		}
		for z := range g.nz {
			row := field[z*g.nx:][:g.nx]
			for x, p := range sh.now[g.offset(Point{Row: z}):][:g.nx] {
				row[x] = p - sh.quiet
			}
		}
		if err := see(n-1, field); err != nil {
			return err
		}
	}
	return nil
}
