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

// combine returns y[s] = sum over j of w[s, j] times row place[s][j] of all parts.
func combine(parts []part, w *autograd.Value, place [][]int) *autograd.Value {
	k := w.Shape[1]
	n := parts[0].y.Len() / parts[0].y.Shape[0]
	in := []*autograd.Value{w}
	var rows [][]float32
	for _, p := range parts {
		in = append(in, p.y)
		rows = slices.AppendSeq(rows, slices.Chunk(p.y.Data, n))
	}
	out := w.Tape().Alloc(append([]int{len(place)}, parts[0].y.Shape[1:]...)...)
	kernel.Parallel(len(place), grain(k*n), func(lo, hi int) {
		for s := lo; s < hi; s++ {
			y := out.Data[s*n:][:n]
			kernel.Scale(y, rows[place[s][0]], w.Data[s*k])
			for j := 1; j < k; j++ {
				kernel.Axpy(y, w.Data[s*k+j], rows[place[s][j]])
			}
		}
	})
	return autograd.Record("moe.combine", out, in, autograd.BackwardFunc(func(g *autograd.Grads, gy []float32) {
		if w.NeedsGrad() {
			gw := g.Zeroed(w)
			kernel.Parallel(len(place), grain(k*n), func(lo, hi int) {
				for i := lo * k; i < hi*k; i++ {
					gw[i] += float32(kernel.Dot(gy[i/k*n:][:n], rows[place[i/k][i%k]]))
				}
			})
		}
		for i, p := range parts {
			if p.y.NeedsGrad() {
				end := len(rows)
				if i+1 < len(parts) {
					end = parts[i+1].start
				}
				gradPart(g.Zeroed(p.y), gy, w.Data, place, p.start, end, n)
			}
		}
	}))
}

// gradPart adds the gradients of the rows from start to end: each is the weight of its choice times the gradient of its sample.
func gradPart(gx, gy, w []float32, place [][]int, start, end, n int) {
	kernel.Parallel(len(place), grain(n), func(lo, hi int) {
		for s := lo; s < hi; s++ {
			for j, row := range place[s] {
				if row >= start && row < end {
					kernel.Axpy(gx[(row-start)*n:][:n], w[s*len(place[s])+j], gy[s*n:][:n])
				}
			}
		}
	})
}
