package velocity

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Config says which maps to draw.
type Config struct {
	Family Family `json:"family"`
	Seed   uint64 `json:"seed"`
	NZ     int    `json:"nz,omitempty"` // rows, that is depth; 0 means 70
	NX     int    `json:"nx,omitempty"` // columns; 0 means 70
	// Layers fixes the number of layers, 1 to 32, as in the files of the fault families. 0 draws one of Family.Layers.
	Layers int `json:"layers,omitempty"`
}

// Generator draws the maps of one family and seed: an endless sequence in which each map depends on its index alone. It may be
// used by many goroutines at once.
type Generator struct {
	cfg    Config
	recipe recipe
	stream uint64
}

// New returns a generator. It fails for an unknown family, negative sizes, and a number of layers that the family cannot have.
func New(cfg Config) (*Generator, error) {
	at := slices.Index(Families(), cfg.Family)
	if at < 0 {
		_, err := Parse(string(cfg.Family))
		if err == nil {
			err = fmt.Errorf("velocity: family %q is not spelt as its folder, use Parse", string(cfg.Family))
		}
		return nil, err
	}
	if cfg.NZ == 0 {
		cfg.NZ = 70
	}
	if cfg.NX == 0 {
		cfg.NX = 70
	}
	if cfg.NZ < 8 || cfg.NX < 8 {
		return nil, fmt.Errorf("velocity: map of %d x %d cells, want at least 8 x 8", cfg.NZ, cfg.NX)
	}
	r := recipes[cfg.Family]
	if cfg.Layers != 0 && r.layers == nil {
		return nil, fmt.Errorf("velocity: Layers is %d, but maps of %s have no layers, want 0", cfg.Layers, cfg.Family)
	}
	if cfg.Layers < 0 || cfg.Layers > 32 {
		return nil, fmt.Errorf("velocity: Layers is %d, want 1 to 32, or 0 for what is usual in %s", cfg.Layers, cfg.Family)
	}
	return &Generator{cfg: cfg, recipe: r, stream: uint64(at)}, nil
}

// Config returns the configuration with its defaults filled in.
func (g *Generator) Config() Config { return g.cfg }

// random returns the source of randomness of map i and its number of layers, the first thing drawn.
func (g *Generator) random(i int) (*rand.Rand, int) {
	// Neighbouring seeds and indices are spread over the whole state by the finaliser of splitmix64.
	mix := func(x uint64) uint64 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	rng := rand.New(rand.NewPCG(mix(g.cfg.Seed^mix(g.stream)), mix(uint64(i))))
	layers := g.cfg.Layers
	if choice := g.recipe.layers; len(choice) > 0 {
		if pick := choice[rng.IntN(len(choice))]; layers == 0 {
			layers = pick
		}
	}
	return rng, layers
}

// Layers returns the number of layers of map i, on each side of a fault that separates different layers; 0 for Style.
func (g *Generator) Layers(i int) int {
	_, layers := g.random(i)
	return layers
}

// Map draws map i into dst, nz x nx velocities in m/s, row = depth. It panics where dst has another size.
func (g *Generator) Map(dst []float32, i int) {
	if len(dst) != g.cfg.NZ*g.cfg.NX {
		panic(fmt.Sprintf("velocity: Map of %d x %d cells into %d values", g.cfg.NZ, g.cfg.NX, len(dst)))
	}
	rng, layers := g.random(i)
	if layers == 0 {
		g.recipe.smooth.draw(dst, g.cfg.NZ, g.cfg.NX, rng)
		return
	}
	newEarth(&g.recipe, layers, g.cfg.NZ, g.cfg.NX, rng).draw(dst, g.cfg.NZ, g.cfg.NX)
}
