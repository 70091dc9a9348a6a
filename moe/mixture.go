package moe

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Expert is any map between batches: x is batch x channel x ny x nx, the result batch x anything, the same for all experts of a
// mixture. An expert treats every sample by itself; it is given those of a batch that were routed to it.
type Expert interface {
	Forward(x *autograd.Value) *autograd.Value
}

// Mixture sends every sample to the experts that a router chooses and adds up what they answer,
//
//	y_s = sum over j of w_sj expert_(e_sj)(x_s filtered for e_sj).
//
// It is an Expert itself. It may be used by many goroutines at once, with a tape each, if its experts may.
type Mixture struct {
	Experts []Expert `param:"experts"`
	Router  *Router  `param:"router"`
}

// New returns a mixture of experts with a router whose weights are drawn from rng; a nil rng leaves zeros, for weights that are
// loaded.
func New(c Config, experts []Expert, rng *rand.Rand) (*Mixture, error) {
	if c.Experts == 0 {
		c.Experts = len(experts)
	}
	if c.Experts != len(experts) {
		return nil, fmt.Errorf("moe: %d experts given, config says %d", len(experts), c.Experts)
	}
	if i := slices.Index(experts, nil); i >= 0 {
		return nil, fmt.Errorf("moe: expert %d is nil", i)
	}
	router, err := NewRouter(c, rng)
	if err != nil {
		return nil, err
	}
	return &Mixture{Experts: slices.Clone(experts), Router: router}, nil
}

// Forward maps x, batch x channel x ny x nx, to what the experts make of it. Where the load-balancing loss or statistics are wanted, use
// Router.Route and Apply.
func (m *Mixture) Forward(x *autograd.Value) *autograd.Value {
	return x.Tape().Scope(func() *autograd.Value { return m.Apply(m.Router.Route(x)) })
}

// Apply runs the experts as the route says. The samples of an expert are one batch; an expert without samples does not run.
func (m *Mixture) Apply(r *Route) *autograd.Value {
	if r.router != m.Router {
		panic("moe: Apply: the route comes from another router")
	}
	pairs, place := r.chosen()
	x := r.inputs(pairs)
	parts := make([]part, 0, len(m.Experts))
	for start := 0; start < len(pairs); {
		e, n := pairs[start].expert, 0
		for start+n < len(pairs) && pairs[start+n].expert == e {
			n++
		}
		in := autograd.Narrow(x, 0, start, n)
		y := x.Tape().Scope(func() *autograd.Value { return m.Experts[e].Forward(in) })
		if y.Rank() < 1 || y.Shape[0] != n || len(parts) > 0 && !slices.Equal(y.Shape[1:], parts[0].y.Shape[1:]) {
			want := []int{n}
			if len(parts) > 0 {
				want = append(want, parts[0].y.Shape[1:]...)
			}
			panic(fmt.Sprintf("moe: Apply: expert %d made shape %v of %v; want %v", e, y.Shape, in.Shape, want))
		}
		parts = append(parts, part{y, start})
		start += n
	}
	return combine(parts, r.Weights, place)
}

// part is what one expert made of its samples, which are those from start on in the list of pairs.
type part struct {
	y     *autograd.Value
	start int
}

// combine returns y[s] = sum over j of w[s, j] times row place[s, j] of all parts. Place has as many elements as w.
func combine(parts []part, w *autograd.Value, place []int) *autograd.Value {
	c := combination{parts: parts, w: w.Data, place: place, k: w.Shape[1], n: parts[0].y.Len() / parts[0].y.Shape[0]}
	in := append(make([]*autograd.Value, 0, 8), w)
	for _, p := range parts {
		in = append(in, p.y)
	}
	out := w.Tape().Alloc(append(append(make([]int, 0, 8), w.Shape[0]), parts[0].y.Shape[1:]...)...)
	kernel.ParallelWith(w.Shape[0], kernel.RowGrain(c.k*c.n, 1), combinationSums{c, out.Data})
	return autograd.Record("moe.combine", out, in, combining{c, w})
}

// combination is a batch of sums of k rows of n elements.
type combination struct {
	parts []part
	w     []float32
	place []int
	k, n  int
}

// row returns row i of all parts.
func (c *combination) row(i int) []float32 {
	p := len(c.parts) - 1
	for c.parts[p].start > i {
		p--
	}
	return c.parts[p].y.Data[(i-c.parts[p].start)*c.n:][:c.n]
}

type combinationSums struct {
	combination
	y []float32
}

// Chunk makes the samples lo to hi.
func (c *combinationSums) Chunk(lo, hi int) {
	for s := lo; s < hi; s++ {
		y := c.y[s*c.n:][:c.n]
		kernel.Scale(y, c.row(c.place[s*c.k]), c.w[s*c.k])
		for j := s*c.k + 1; j < (s+1)*c.k; j++ {
			kernel.Axpy(y, c.w[j], c.row(c.place[j]))
		}
	}
}

type combining struct {
	combination
	weights *autograd.Value
}

func (o *combining) Backward(g *autograd.Grads, gy []float32) {
	samples := o.weights.Shape[0]
	if o.weights.NeedsGrad() {
		kernel.ParallelWith(samples, kernel.RowGrain(o.k*o.n, 1), combinationDots{o.combination, g.Zeroed(o.weights), gy})
	}
	for _, p := range o.parts {
		if p.y.NeedsGrad() {
			kernel.ParallelWith(samples, kernel.RowGrain(o.n, 1), partGrad{o.combination, g.Zeroed(p.y), gy, p.start, p.start + p.y.Shape[0]})
		}
	}
}

type combinationDots struct {
	combination
	gw, gy []float32
}

// Chunk adds the gradients of the weights of the samples lo to hi.
func (c *combinationDots) Chunk(lo, hi int) {
	for i := lo * c.k; i < hi*c.k; i++ {
		c.gw[i] += float32(kernel.Dot(c.gy[i/c.k*c.n:][:c.n], c.row(c.place[i])))
	}
}

// partGrad adds the gradients of the rows from start to end: each is the weight of its choice times the gradient of its sample.
type partGrad struct {
	combination
	gx, gy     []float32
	start, end int
}

// Chunk does it for the samples lo to hi.
func (c *partGrad) Chunk(lo, hi int) {
	for i := lo * c.k; i < hi*c.k; i++ {
		if row := c.place[i]; row >= c.start && row < c.end {
			kernel.Axpy(c.gx[(row-c.start)*c.n:][:c.n], c.w[i], c.gy[i/c.k*c.n:][:c.n])
		}
	}
}
