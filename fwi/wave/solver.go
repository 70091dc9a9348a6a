package wave

import (
	"context"
	"fmt"
	"sync"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Float is the precision of a simulation. float32 is what OpenFWI's data hold and much faster; float64 is for checks.
type Float interface{ float32 | float64 }

// Solver simulates one survey over models of one size. It may be used by many goroutines at once.
type Solver[T Float] struct {
	cfg       Config
	grid      grid
	wavelet   []T
	traces    []*traces   // of each shot
	ratio     [reachMax]T // of the Laplacian
	stencil   func(*strip[T])
	correlate func(sum, q, wave []T, quiet T)

	mu            sync.Mutex
	idle          []*shot[T]
	idleReversals []*reversal[T]
}

// New returns a solver for models of nz rows (depth) and nx columns. It fails where cfg holds a negative or non-finite value, or
// sources or receivers outside the model. The solver keeps nothing of cfg that the caller may change later.
func New[T Float](cfg Config, nz, nx int) (*Solver[T], error) {
	cfg, err := cfg.complete(nz, nx)
	if err != nil {
		return nil, err
	}
	cfg = cfg.clone()
	s := &Solver[T]{cfg: cfg, grid: newGrid(cfg, nz, nx), stencil: stencilGeneric[T], correlate: correlateGeneric[T]}
	if r := s.grid.reach; s.grid.height < r || s.grid.width < r {
		return nil, fmt.Errorf("wave: model of %d x %d cells between free sides, want at least %d cells for Order %d", nz, nx, r, cfg.Order)
	}
	for _, w := range cfg.Wavelet[:min(len(cfg.Wavelet), cfg.Steps)] {
		s.wavelet = append(s.wavelet, T(w))
	}
	s.traces = s.grid.survey(cfg)
	for d, r := range stencils[cfg.Order].ratio {
		s.ratio[d] = T(r)
	}
	if fast, ok := any(fastStencil()).(func(*strip[T])); ok && fast != nil {
		s.stencil = fast
	}
	if fast, ok := any(fastCorrelate()).(func(sum, q, wave []T, quiet T)); ok && fast != nil {
		s.correlate = fast
	}
	return s, nil
}

// survey returns the receivers of each shot. Shots that share them share the list.
func (g *grid) survey(cfg Config) []*traces {
	all := make([]*traces, len(cfg.Sources))
	for shot := range all {
		switch {
		case cfg.ShotReceivers != nil:
			all[shot] = newTraces(g, cfg.ShotReceivers[shot])
		case shot == 0:
			all[shot] = newTraces(g, cfg.Receivers)
		default:
			all[shot] = all[0]
		}
	}
	return all
}

// Config returns the survey with every default filled in; it is the caller's to change.
func (s *Solver[T]) Config() Config { return s.cfg.clone() }

// Shape returns the size of one gather: shots, samples, receivers.
func (s *Solver[T]) Shape() (shots, samples, receivers int) {
	return len(s.cfg.Sources), s.cfg.Samples, len(s.traces[0].at)
}

// Forward simulates nb models, vel (nb x nz x nx, metres per second), into dst (nb x shots x samples x receivers). The shots of
// all models run in parallel, and the result does not depend on how many do. It fails where sizes do not match, where a velocity
// is not a positive finite number or too large for a stable time step (it names model, row and column), and with ctx's error soon
// after ctx is done; dst then holds nothing useful.
func (s *Solver[T]) Forward(ctx context.Context, dst, vel []T) error {
	cells := s.grid.nz * s.grid.nx
	shots, samples, receivers := s.Shape()
	nb := len(vel) / cells
	if nb == 0 || len(vel) != nb*cells {
		return fmt.Errorf("wave: velocities have %d values, want a positive multiple of %d (%d x %d)", len(vel), cells, s.grid.nz, s.grid.nx)
	}
	gather := samples * receivers
	if len(dst) != nb*shots*gather {
		return fmt.Errorf("wave: gathers have %d values, want %d (%d models x %d shots x %d samples x %d receivers)",
			len(dst), nb*shots*gather, nb, shots, samples, receivers)
	}
	for i := range nb {
		if err := s.check(vel[i*cells:][:cells], i); err != nil {
			return err
		}
	}
	kernel.Parallel(nb*shots, 1, func(lo, hi int) {
		sh := s.take()
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			sh.set(vel[i/shots*cells:][:cells], i%shots)
			sh.run(ctx, dst[i*gather:][:gather])
		}
		s.give(sh)
	})
	return ctx.Err()
}

func (s *Solver[T]) take() *shot[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		sh := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return sh
	}
	return newShot(s)
}

func (s *Solver[T]) give(sh *shot[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, sh)
}
