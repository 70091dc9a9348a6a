package main

// symmetry is one of the eight symmetries of the square: bit 0 flips the first axis, bit 1 the second, and bit 2 then exchanges
// them. With a and f the solution of Darcy's equation is carried along by each.
type symmetry int

const symmetries = 8

// source returns which point of the original comes to the point (i, j) of the n x n points (i/n, j/n). A flip takes the line 0,
// which lies on the boundary, to the line n, which is not stored; in its place comes what lies at n in the original, of which the
// line n-1 is the next that is stored: known is false there.
func (s symmetry) source(n, i, j int) (k, l int, known bool) {
	if s&4 != 0 {
		i, j = j, i
	}
	known = true
	if s&1 != 0 {
		i, known = n-max(i, 1), i > 0
	}
	if s&2 != 0 {
		j, known = n-max(j, 1), known && j > 0
	}
	return i, j, known
}

// input sets dst to the image of a medium, which goes on beyond its last stored line as it is there.
func (s symmetry) input(dst, x []float32, n int) {
	for i := range n {
		for j := range n {
			k, l, _ := s.source(n, i, j)
			dst[i*n+j] = x[k*n+l]
		}
	}
}

// solution sets dst to the image of a solution, which is zero on the boundary.
func (s symmetry) solution(dst, y []float32, n int) {
	for i := range n {
		for j := range n {
			k, l, known := s.source(n, i, j)
			if dst[i*n+j] = 0; known {
				dst[i*n+j] = y[k*n+l]
			}
		}
	}
}

// addBack adds a prediction for the image of a medium to sum, and one to count, at the points of the original.
func (s symmetry) addBack(sum, count, p []float32, n int) {
	for i := range n {
		for j := range n {
			if k, l, known := s.source(n, i, j); known {
				sum[k*n+l] += p[i*n+j]
				count[k*n+l]++
			}
		}
	}
}
