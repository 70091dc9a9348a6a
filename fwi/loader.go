package fwi

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/fwi/augment"
	"github.com/spamoe/spamoe/internal/npy"
)

// batch is a set of prepared pairs, ready for the network.
type batch struct {
	x, y *autograd.Tensor
	err  error
}

// loader turns pairs in physical units into batches in the network's range. It keeps prepared pairs in memory as long as they
// fit its budget, and prepares the next batch while the current one is at work.
type loader struct {
	model  *Model
	data   Data
	nx, ny int // elements of a prepared x and a y
	cache  [][]float32
	room   int // floats that the cache may still take
	raw    []float32
	// Where noise is not zero every read of an input adds random noise of that fraction of its root mean square, the same for the same
	// seed, epoch and pair. Nothing is kept then.
	noise float64
	seed  uint64
	epoch int
}

// cacheFloats bounds the memory of prepared pairs: 2 GiB.
const cacheFloats = 1 << 29

func newLoader(m *Model, d Data) *loader {
	xs, ys := d.Shapes()
	return &loader{model: m, data: d, nx: size(m.InputShape()), ny: size(ys), cache: make([][]float32, d.Len()), room: cacheFloats,
		raw: make([]float32, size(xs)+size(ys))}
}

// pair stores prepared pair i in x and y.
func (l *loader) pair(i int, x, y []float32) error {
	if c := l.cache[i]; c != nil {
		copy(x, c[:l.nx])
		copy(y, c[l.nx:])
		return nil
	}
	rx, ry := l.raw[:len(l.raw)-l.ny], l.raw[len(l.raw)-l.ny:]
	if err := l.data.Read(i, rx, ry); err != nil {
		return err
	}
	if err := finite("input", i, rx); err != nil {
		return err
	}
	if err := finite("target", i, ry); err != nil {
		return err
	}
	if l.noise > 0 {
		augment.Noise(rx, -20*math.Log10(l.noise), rand.New(rand.NewPCG(l.seed, noiseStream+uint64(l.epoch)<<32+uint64(i))))
	}
	l.model.Prepare(x, rx)
	l.model.Config.YNorm.Forward(y, ry, l.model.Config.Y[0])
	if l.noise == 0 && l.room >= l.nx+l.ny {
		l.room -= l.nx + l.ny
		l.cache[i] = append(append(make([]float32, 0, l.nx+l.ny), x...), y...)
	}
	return nil
}

// noiseStream keeps the random numbers of noise apart from those of shuffled.
const noiseStream = 1 << 62

// finite reports the first value of a part of pair i that is not.
func finite(part string, i int, values []float32) error {
	if j := npy.FirstNonFinite(values); j >= 0 {
		return fmt.Errorf("%s of pair %d holds %v at element %d; wanted finite numbers", part, i, values[j], j)
	}
	return nil
}

// batches sends the pairs of order in batches of n, each prepared while the one before is in use: a batch is valid until the
// next but one is received. The channel is closed after the last batch, after an error, or when ctx ends.
func (l *loader) batches(ctx context.Context, order []int, n int) <-chan batch {
	out := make(chan batch)
	n = min(n, len(order)) // no room for more than there is
	go func() {
		defer close(out)
		var ring [3]struct{ x, y *autograd.Tensor }
		for k := 0; len(order) > 0; k++ {
			part := order[:min(n, len(order))]
			order = order[len(part):]
			r := &ring[k%len(ring)]
			if r.x == nil {
				r.x = autograd.New(append([]int{n}, l.model.InputShape()...)...)
				r.y = autograd.New(append([]int{n}, l.model.Config.Y...)...)
			}
			first(r.x, len(part))
			first(r.y, len(part))
			b := batch{x: r.x, y: r.y}
			for j, i := range part {
				if b.err = l.pair(i, b.x.Data[j*l.nx:(j+1)*l.nx], b.y.Data[j*l.ny:(j+1)*l.ny]); b.err != nil {
					break
				}
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return out
}

// first makes x its first n samples, of as many as it was made for.
func first(x *autograd.Tensor, n int) {
	x.Data = x.Data[:x.Len()/x.Shape[0]*n]
	x.Shape[0] = n
}

// shuffled returns the order of n pairs in an epoch, which depends on nothing but the seed and the epoch.
func shuffled(n int, seed uint64, epoch int) []int {
	return rand.New(rand.NewPCG(seed, uint64(epoch)+1)).Perm(n)
}

// inOrder returns the order of n pairs in which each comes in its place.
func inOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}
