package lno

import "slices"

// run is a number n of taps behind each other along the last axis, from first on. What they see lies behind each other too, so they are
// one product: of points that are windows of n in values, a stride apart, by the taps' matrices above each other.
type run struct{ first, n int }

// runsOf lists the taps of a window that are used.
func runsOf(window [3]int, used []bool) []run {
	var list []run
	for t, u := range used {
		if !u {
			continue
		}
		if k := len(list) - 1; k >= 0 && t%window[2] != 0 && list[k].first+list[k].n == t {
			list[k].n++
			continue
		}
		list = append(list, run{t, 1})
	}
	return list
}

// runs lists the taps of the kernel made of tables, on the window that they share, that may differ from zero. A disc leaves the corners of
// its window out.
func runs(tables ...*table) []run {
	used := make([]bool, tables[0].taps())
	for _, t := range tables {
		for i, v := range t.data {
			if v != 0 {
				used[i%len(used)] = true
			}
		}
	}
	used[0] = used[0] || !slices.Contains(used, true) // a kernel of zeros still has a result
	return runsOf(tables[0].window, used)
}
