package wave

// rowFunc advances one row of n = len(prev) cells, in place of the field two steps ago:
//
//	prev = mid + keep (mid - prev) + accel [(near - 4 mid) - (far - 4 mid) / 16]
//
// near is the sum of the four neighbours at distance one and far of those at distance two. mid holds the n cells with two more on
// either side (n+4); n1, n2 are the rows above at distance 1 and 2, s1, s2 those below (n each). With accel = 4/3 (v dt/dx)^2
// this is the scheme of the package comment, written so that a constant field stays as it is to the last bit.
//
// Products that are not exact are rounded before they are added, so that every implementation gives the same bits.
type rowFunc[T Float] func(prev, mid, n1, n2, s1, s2, accel, keep []T)

// rowGeneric is the rowFunc in plain Go. The conversions forbid fused multiply-add where it would change the result.
func rowGeneric[T Float](prev, mid, n1, n2, s1, s2, accel, keep []T) {
	n := len(prev)
	e2 := mid[4:][:n]
	n1, n2, s1, s2, accel, keep = n1[:n], n2[:n], s1[:n], s2[:n], accel[:n], keep[:n]
	w2, w1, c, e1 := mid[0], mid[1], mid[2], mid[3]
	for i, p := range prev {
		ee := e2[i]
		near := (w1 + e1) + (n1[i] + s1[i])
		far := (w2 + ee) + (n2[i] + s2[i])
		lap := (near - 4*c) - (far-4*c)*0.0625
		prev[i] = (c + T(keep[i]*(c-p))) + T(accel[i]*lap)
		w2, w1, c, e1 = w1, c, e1, ee
	}
}

// rowLap is rowGeneric that also writes the Laplacian of mid, in the units of the kernel, to lap.
func rowLap[T Float](lap, prev, mid, n1, n2, s1, s2, accel, keep []T) {
	n := len(prev)
	e2 := mid[4:][:n]
	lap, n1, n2, s1, s2, accel, keep = lap[:n], n1[:n], n2[:n], s1[:n], s2[:n], accel[:n], keep[:n]
	w2, w1, c, e1 := mid[0], mid[1], mid[2], mid[3]
	for i, p := range prev {
		ee := e2[i]
		near := (w1 + e1) + (n1[i] + s1[i])
		far := (w2 + ee) + (n2[i] + s2[i])
		lap[i] = (near - 4*c) - (far-4*c)*0.0625
		prev[i] = (c + T(keep[i]*(c-p))) + T(accel[i]*lap[i])
		w2, w1, c, e1 = w1, c, e1, ee
	}
}
