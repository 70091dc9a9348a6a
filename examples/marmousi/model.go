package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/internal/npy"
)

// model is a map of velocities in m/s, nz x nx cells of dx metres.
type model struct {
	nz, nx int
	dx     float64
	vel    []float32
	own    bool // made by the program
}

// load reads -data, or makes a model.
func (c *settings) load() (*model, error) {
	if c.data == "" {
		return synthetic(48, 128, 20, c.seed), nil
	}
	vel, shape, err := npy.Read[float32](c.data)
	if err != nil {
		return nil, err
	}
	for len(shape) > 2 && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) != 2 || shape[0] < 8 || shape[1] < 8 {
		return nil, fmt.Errorf("%s: shape %s; wanted depth x distance, at least 8 x 8", c.data, npy.FormatShape(shape))
	}
	for i, v := range vel {
		if !(v > 0) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%s: row %d, column %d is %v m/s; wanted a positive number", c.data, i/shape[1], i%shape[1], v)
		}
	}
	return &model{nz: shape[0], nx: shape[1], dx: c.dx, vel: vel}, nil
}

// synthetic makes a model in the style of Marmousi: thin layers whose velocity grows with depth, folded, growing steeper downwards,
// and cut by three faults that dip to one side and shift what lies on their right.
func synthetic(nz, nx int, dx float64, seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 0x3a73))
	m := &model{nz: nz, nx: nx, dx: dx, vel: make([]float32, nz*nx), own: true}
	var bottoms, speeds []float64
	for z := 0.0; z < 1.6*float64(nz); z += 2 + 4*rng.Float64() {
		bottoms = append(bottoms, z)
		speeds = append(speeds, 1600+1900*min(z/float64(nz), 1)+350*(rng.Float64()-0.5))
	}
	phase := 2 * math.Pi * rng.Float64()
	for i := range m.vel {
		z, x := float64(i/nx), float64(i%nx)/float64(nx)
		depth := z
		for k := range 3 {
			if x > 0.3+0.15*float64(k)+0.12*z/float64(nz) {
				z -= 0.05 * float64(nz)
			}
		}
		z += 0.25 * depth * math.Cos(2*math.Pi*1.2*x+phase)
		layer := 0
		for layer+1 < len(bottoms) && bottoms[layer+1] < max(z, 0) {
			layer++
		}
		m.vel[i] = float32(speeds[layer])
	}
	return m
}

// smoothed returns the model convolved with a Gaussian of sigma cells, edges repeated outwards.
func (m *model) smoothed(sigma float64) []float32 {
	reach := int(math.Ceil(3 * sigma))
	weight, total := make([]float64, 2*reach+1), 0.0
	for k := range weight {
		d := float64(k-reach) / sigma
		weight[k] = math.Exp(-d * d / 2)
		total += weight[k]
	}
	half, out := make([]float64, len(m.vel)), make([]float32, len(m.vel))
	for i := range half {
		row, x := i/m.nx*m.nx, i%m.nx
		for k, w := range weight {
			half[i] += w / total * float64(m.vel[row+min(max(x+k-reach, 0), m.nx-1)])
		}
	}
	for i := range out {
		z, x, sum := i/m.nx, i%m.nx, 0.0
		for k, w := range weight {
			sum += w / total * half[min(max(z+k-reach, 0), m.nz-1)*m.nx+x]
		}
		out[i] = float32(sum)
	}
	return out
}

// bounds are those of the velocities, with a margin.
func (m *model) bounds() (lo, hi float64) {
	lo, hi = float64(m.vel[0]), float64(m.vel[0])
	for _, v := range m.vel {
		lo, hi = min(lo, float64(v)), max(hi, float64(v))
	}
	return 0.95 * lo, 1.05 * hi
}
