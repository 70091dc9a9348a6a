package wave

// reachMax is the farthest neighbour that any order of the Laplacian uses: four cells, in order eight.
const reachMax = 4

// stencil holds the weights of the Laplacian of one order on a grid of spacing one,
//
//	L p = first [(near[1] - 4p) + ratio[2] (near[2] - 4p) + ... + ratio[reach] (near[reach] - 4p)],
//
// near[d] the sum of the four neighbours at distance d (Fornberg, Mathematics of Computation 51, 1988). Its largest eigenvalue,
// which the chequerboard has, is -2 peak.
type stencil struct {
	reach int
	num   float64 // first = num / den
	den   float64
	ratio [reachMax]float64 // ratio[d-1] belongs to distance d
	peak  float64
}

// stencils by order.
var stencils = map[int]stencil{
	2: {1, 1, 1, [reachMax]float64{1}, 4},
	4: {2, 4, 3, [reachMax]float64{1, -1.0 / 16}, 16.0 / 3},
	6: {3, 3, 2, [reachMax]float64{1, -1.0 / 10, 1.0 / 135}, 272.0 / 45},
	8: {4, 8, 5, [reachMax]float64{1, -1.0 / 8, 1.0 / 63, -1.0 / 896}, 2048.0 / 315},
}

// strip is a block of rows that are advanced together, in place of the field two steps ago:
//
//	prev = now + keep (now - prev) + accel lap,  lap = (near[1] - 4 now) + ratio[2] (near[2] - 4 now) + ...
//
// With accel = first (v dt/dx)^2 this is the scheme of the package comment, written so that a constant field stays as it is to the
// last bit. It covers vectors times lane cells of each row; at is the offset of its first cell in prev, now and lap, which have
// rows of stride. lap may be nil. Row r has the coefficients at accelAt + r accelStep and keepAt + r keepStep.
type strip[T Float] struct {
	prev, now, lap     []T
	at, rows, vectors  int
	stride             int
	accel, keep        []T
	accelAt, accelStep int
	keepAt, keepStep   int
	ratio              *[reachMax]T
	reach              int
}

// stencilGeneric advances a strip in plain Go. Products that are not exact are rounded before they are added (the conversions forbid
// fused multiply-add), so that every implementation gives the same bits.
func stencilGeneric[T Float](b *strip[T]) {
	n := b.vectors * lane
	for r := range b.rows {
		at := b.at + r*b.stride
		var lap []T
		if b.lap != nil {
			lap = b.lap[at:][:n]
		}
		prev, c := b.prev[at:][:n], b.now[at:][:n]
		accel, keep := b.accel[b.accelAt+r*b.accelStep:][:n], b.keep[b.keepAt+r*b.keepStep:][:n]
		_, e1, n1, s1 := b.around(at, 1, n)
		_, e2, n2, s2 := b.around(at, min(2, b.reach), n)
		k2 := b.ratio[1] // zero in order 2
		if b.reach <= 2 {
			far := b.now[at+2:][:n]
			ww, w, c, e := b.now[at-2], b.now[at-1], c[0], e1[0]
			for i, p := range prev {
				ee := far[i]
				near := (w + e) + (n1[i] + s1[i])
				l := (near - 4*c) + T(k2*(((ww+ee)+(n2[i]+s2[i]))-4*c))
				if lap != nil {
					lap[i] = l
				}
				prev[i] = (c + T(keep[i]*(c-p))) + T(accel[i]*l)
				ww, w, c, e = w, c, e, ee
			}
			continue
		}
		w1, w2 := b.now[at-1:][:n], b.now[at-2:][:n]
		w3, e3, n3, s3 := b.around(at, 3, n)
		w4, e4, n4, s4 := b.around(at, b.reach, n)
		k3, k4 := b.ratio[2], b.ratio[3] // the last zero in order 6
		for i, c := range c {
			four := 4 * c
			l := ((w1[i] + e1[i]) + (n1[i] + s1[i])) - four
			l += T(k2 * (((w2[i] + e2[i]) + (n2[i] + s2[i])) - four))
			l += T(k3 * (((w3[i] + e3[i]) + (n3[i] + s3[i])) - four))
			l += T(k4 * (((w4[i] + e4[i]) + (n4[i] + s4[i])) - four))
			if lap != nil {
				lap[i] = l
			}
			prev[i] = (c + T(keep[i]*(c-prev[i]))) + T(accel[i]*l)
		}
	}
}

// around returns the n neighbours at distance d of the cells from at on: to the west, east, north and south.
func (b *strip[T]) around(at, d, n int) (west, east, north, south []T) {
	return b.now[at-d:][:n], b.now[at+d:][:n], b.now[at-d*b.stride:][:n], b.now[at+d*b.stride:][:n]
}
