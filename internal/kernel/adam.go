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

// AdamW makes one step of Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) on the
// parameters p with gradient g, moments m and v, all of one length:
//
//	p = p (1 - lr decay)
//	m = beta1 m + (1-beta1) g
//	v = beta2 v + (1-beta2) g^2
//	p = p - lr/bias1 m / (sqrt(v/bias2) + eps)
//
// bias1 and bias2 are 1-beta1^t and 1-beta2^t at step t = 1, 2, ...
func AdamW[T Float](p, m, v, g []T, lr, beta1, beta2, eps, decay, bias1, bias2 float64) {
	n := len(p)
	if len(m) != n || len(v) != n || len(g) != n {
		panic(fmt.Sprintf("kernel: AdamW: lengths differ: p %d, m %d, v %d, g %d", n, len(m), len(v), len(g)))
	}
	f := pick[adamFunc[T]](adam32, adam64)
	keep, step, root := T(1-lr*decay), T(lr/bias1), T(1/math.Sqrt(bias2))
	Parallel(n, elemGrain, func(lo, hi int) {
		f(p[lo:hi], m[lo:hi], v[lo:hi], g[lo:hi], keep, T(beta1), T(1-beta1), T(beta2), T(1-beta2), step, root, T(eps))
	})
}

func adamGeneric[T Float](p, m, v, g []T, keep, beta1, c1, beta2, c2, step, root, eps T) {
	for i, gi := range g {
		mi := beta1*m[i] + c1*gi
		vi := beta2*v[i] + c2*gi*gi
		m[i], v[i] = mi, vi
		p[i] = keep*p[i] - step*mi/(T(math.Sqrt(float64(vi)))*root+eps)
	}
}
