package wave

import (
	"context"
	"fmt"
)

// Snapshots simulates one shot over one model (nz x nx) and calls see with the pressure in the model's cells (nz x nx, used again
// for the next call) after every steps time steps: first after step every-1, which is time every Dt, last at or before Config.Steps.
// It ends with see's error as soon as there is one, and otherwise fails where Forward does.
func (s *Solver[T]) Snapshots(ctx context.Context, vel []T, shot, every int, see func(step int, field []T) error) error {
	return s.Fields(ctx, vel, shot, every, 0, see)
}

// Fields is Snapshots of more than the model: of margin cells, at most Pad, of the strips on all sides of it, too. A field has nz + 2 margin
// rows of nx + 2 margin cells; past a free side, where there is no strip, it is zero.
func (s *Solver[T]) Fields(ctx context.Context, vel []T, shot, every, margin int, see func(step int, field []T) error) error {
	g := &s.grid
	switch {
	case len(vel) != g.nz*g.nx:
		return fmt.Errorf("wave: model has %d velocities, want %d (%d x %d)", len(vel), g.nz*g.nx, g.nz, g.nx)
	case shot < 0 || shot >= len(s.cfg.Sources):
		return fmt.Errorf("wave: shot %d, want 0 to %d", shot, len(s.cfg.Sources)-1)
	case every < 1:
		return fmt.Errorf("wave: snapshots every %d steps, want at least 1", every)
	case margin < 0 || margin > s.cfg.Pad:
		return fmt.Errorf("wave: margin of %d cells, want 0 to %d (Pad)", margin, s.cfg.Pad)
	}
	if err := s.check(vel, 0); err != nil {
		return err
	}
	sh := s.take()
	defer s.give(sh)
	sh.gather = nil
	sh.set(vel, shot)
	width := g.nx + 2*margin
	field := make([]T, (g.nz+2*margin)*width)
	top, bottom := max(0, g.up-margin), min(g.height, g.up+g.nz+margin) // what there is of it, on the padded grid
	left, right := max(0, g.left-margin), min(g.width, g.left+g.nx+margin)
	for n := every; n <= s.cfg.Steps; n += every {
		sh.forward(ctx, n-every, n, sh)
		if err := ctx.Err(); err != nil {
			return err
		}
		for z := top; z < bottom; z++ {
			row := field[(z-g.up+margin)*width+left-g.left+margin:][:right-left]
			for x, p := range sh.now[g.row(z)+left:][:right-left] {
				row[x] = p - sh.quiet
			}
		}
		if err := see(n-1, field); err != nil {
			return err
		}
	}
	return nil
}
