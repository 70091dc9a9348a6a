package moe

import "github.com/spamoe/spamoe/autograd"

// Route is what a router found for a batch. It lives as long as the pass on its tape.
type Route struct {
	Gates   *autograd.Value // batch x experts: positive, each row adds up to one
	Experts [][]int         // per sample, in falling order of their gates (with Config.Noise, of the noisy ones)
	Weights *autograd.Value // batch x top k, of Experts: the gates of the chosen, divided by their sum
	Balance *autograd.Value // the load-balancing loss, a scalar, to be added to that of the task; nil where there is none

	router   *Router
	x        *autograd.Value
	spectrum *autograd.Value // half spectra of x; nil where nothing needs them
	bands    *autograd.Value // masks of bands on the half spectrum; goes with spectrum
	masks    *autograd.Value // masks of experts; nil where every expert gets x
}

// Input returns what an expert gets of the whole batch, whether it was chosen or not: the shape of x.
func (r *Route) Input(expert int) *autograd.Value {
	pairs := make([]pair, r.x.Shape[0])
	for s := range pairs {
		pairs[s] = pair{s, expert}
	}
	return r.inputs(pairs)
}

// inputs returns what the experts of pairs get of their samples, len(pairs) x nc x ny x nx. The masks of the bands are summed for each
// expert beforehand, so that every pair costs one inverse transform.
func (r *Route) inputs(pairs []pair) *autograd.Value {
	if r.masks == nil {
		samples := make([]int, len(pairs))
		for i, p := range pairs {
			samples[i] = p.sample
		}
		return autograd.Gather(r.x, samples)
	}
	f := r.spectrum
	return f.Tape().Scope(func() *autograd.Value { return inverse(mask(f, r.masks, pairs), r.x.Shape[3]) })
}

// chosen returns all pairs of samples and their experts, sorted by experts, then samples, and the place in that list of each
// sample's choices, batch x top k.
func (r *Route) chosen() (pairs []pair, place []int) {
	k := r.router.Config.TopK
	pairs, place = make([]pair, 0, len(r.Experts)*k), make([]int, len(r.Experts)*k)
	for e := range r.router.Config.Experts {
		for s, experts := range r.Experts {
			for j, chosen := range experts {
				if chosen == e {
					place[s*k+j] = len(pairs)
					pairs = append(pairs, pair{s, e})
				}
			}
		}
	}
	return pairs, place
}
