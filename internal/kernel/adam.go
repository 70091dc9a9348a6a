package kernel

import (
	"fmt"
	"math"
)

// adamFunc is the body of AdamW over one span. keep is 1 - lr decay, c1 and c2 are 1-beta1 and
// 1-beta2 (float32 would lose half their digits), step is lr/bias1, root is 1/sqrt(bias2).
type adamFunc[T Float] func(p, m, v, g []T, keep, beta1, c1, beta2, c2, step, root, eps T)

var (
	adam32 adamFunc[float32] = adamGeneric[float32]
	adam64 adamFunc[float64] = adamGeneric[float64]
)

// AdamStep holds the numbers of one step of AdamW.
type AdamStep struct {
	Rate, Beta1, Beta2, Eps, Decay float64
	Bias1, Bias2                   float64 // 1-Beta1^t and 1-Beta2^t at step t = 1, 2, ...
	Scale                          float64 // factor of the gradient
	Blend                          float64 // weight of the new parameters in their average
}

// adamSpan is how many elements AdamW works on at once, so that the average finds the new parameters in the first-level cache.
const adamSpan = 1 << 10

// AdamW makes one step of Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) on the
// parameters p with gradient g, moments m and v, all of one length, in one pass over memory:
//
//	h = scale g
//	p = p (1 - rate decay)
//	m = beta1 m + (1-beta1) h
//	v = beta2 v + (1-beta2) h^2
//	p = p - rate/bias1 m / (sqrt(v/bias2) + eps)
//	a = a + blend (p - a)
//
// a, the moving average of p, may be nil.
func AdamW[T Float](p, m, v, g, a []T, s AdamStep) {
	n := len(p)
	if len(m) != n || len(v) != n || len(g) != n || a != nil && len(a) != n {
		panic(fmt.Sprintf("kernel: AdamW: lengths differ: p %d, m %d, v %d, g %d, a %d", n, len(m), len(v), len(g), len(a)))
	}
	ParallelWith(n, elemGrain, adamCall[T]{
		p: p, m: m, v: v, g: g, a: a,
		keep: T(1 - s.Rate*s.Decay), step: T(s.Rate / s.Bias1), root: T(1 / math.Sqrt(s.Bias2)), eps: T(s.Eps),
		beta1: T(s.Beta1), c1: T((1 - s.Beta1) * s.Scale), beta2: T(s.Beta2), c2: T((1 - s.Beta2) * s.Scale * s.Scale), blend: T(s.Blend),
	})
}

type adamCall[T Float] struct {
	p, m, v, g, a                                      []T
	keep, beta1, c1, beta2, c2, step, root, eps, blend T
}

func (c *adamCall[T]) Chunk(lo, hi int) {
	if c.a == nil {
		c.span(lo, hi)
		return
	}
	blend := pick[elemFunc[T]](addScaledElem.f32, addScaledElem.f64)
	for ; lo < hi; lo += adamSpan {
		end := min(hi, lo+adamSpan)
		c.span(lo, end)
		blend(c.a[lo:end], c.p[lo:end], c.a[lo:end], c.blend, -c.blend, true)
	}
}

func (c *adamCall[T]) span(lo, hi int) {
	pick[adamFunc[T]](adam32, adam64)(c.p[lo:hi], c.m[lo:hi], c.v[lo:hi], c.g[lo:hi], c.keep, c.beta1, c.c1, c.beta2, c.c2, c.step, c.root, c.eps)
}

// Blend computes a[i] += c (x[i] - a[i]). Not (1-c) a + c x: the float32 numbers 1-c and c do not add up to one, which over 1/c updates
// would show in the fourth digit.
func Blend[T Float](a, x []T, c T) { each2(&addScaledElem, a, x, a, c, -c, true) }

func adamGeneric[T Float](p, m, v, g []T, keep, beta1, c1, beta2, c2, step, root, eps T) {
	for i, gi := range g {
		mi := beta1*m[i] + c1*gi
		vi := beta2*v[i] + c2*gi*gi
		m[i], v[i] = mi, vi
		p[i] = keep*p[i] - step*mi/(T(math.Sqrt(float64(vi)))*root+eps)
	}
}
