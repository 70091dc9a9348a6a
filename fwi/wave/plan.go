package wave

// A gradient walks the wave field backwards in time. What of it is kept follows the plan: the steps are cut into segments, the
// Laplacians of one segment at a time are held, and the field at the start of some segments is saved, from which the others are
// computed again. With one segment nothing is computed twice.
type plan struct {
	segment int // steps of a segment; the last one may be shorter
	saves   int // fields that may be saved at once
}

// plan chooses how many shots run at once, at most lanes, and how each fits its share of the memory.
func (s *Solver[T]) plan(lanes int, vmin bool) (int, plan) {
	var zero T
	bytes := int64(4)
	if any(zero) == any(float64(0)) {
		bytes = 8
	}
	field := bytes * int64(s.grid.size())
	each := 1 // fields held for each step of a segment
	if vmin {
		each = 2
	}
	for ; ; lanes-- {
		free := int(s.cfg.Memory/int64(lanes)/field) - workFields
		if p, ok := fit(s.cfg.Steps, free, each, field); ok || lanes == 1 {
			return lanes, p
		}
	}
}

// workFields is what a reversal holds besides: two fields each of the wave and its adjoint, the sums over time, the coefficients.
const workFields = 7

// near is how many bytes a cache holds: beyond them computing a field again is faster than fetching it from memory.
const near = 16 << 20

// fit returns the best plan for a number of steps within free fields of so many bytes, if all can be done computing every step at
// most twice more; otherwise the one of least memory that is still reasonable.
func fit(steps, free, each int, field int64) (plan, bool) {
	if steps*each <= free && int64(steps*each)*field <= near {
		return plan{segment: steps}, true
	}
	// The number of segments and the fields of one balance at segment = sqrt(2 steps / each).
	for _, length := range []int{20, 16, 12, 8, 4} {
		segments := (steps + length - 1) / length
		saves := (free - length*each) / 2
		if saves >= segments-1 {
			return plan{segment: length, saves: segments - 1}, true
		}
	}
	for _, length := range []int{32, 24, 16, 12, 8, 4, 2} {
		segments := (steps + length - 1) / length
		if saves := (free - length*each) / 2; saves > 0 && reach(saves, 2) >= segments {
			return plan{segment: length, saves: saves}, true
		}
	}
	return plan{segment: 8, saves: max(8, (free-8*each)/2)}, false
}

// reach returns how many segments can be reversed with so many saves when none is computed again more than times:
// the binomial coefficient (saves + times over saves), cut off at a million (Griewank and Walther, ACM TOMS 26, 2000).
func reach(saves, times int) int {
	n := 1
	for i := 1; i <= times; i++ {
		n = n * (saves + i) / i
		if n > 1<<20 {
			return 1 << 20
		}
	}
	return n
}

// split returns where to save a field so that segments [lo, hi) are reversed with the least work, with so many saves free.
func split(lo, hi, saves int) int {
	times := 1
	for reach(saves, times) < hi-lo {
		times++
	}
	return lo + min(hi-lo-1, reach(saves, times-1))
}
