package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// report prints what all problems took and the medians.
func report(w io.Writer, runs []*comparison) {
	fmt.Fprintf(w, "iterations until ||b - A u|| <= %.0e ||b||, on %d x %d cells, preconditioned by incomplete Cholesky throughout\n\n",
		tolerance, solved, solved)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "field\t")
	for _, name := range names {
		fmt.Fprintf(table, "%s\t", name)
	}
	fmt.Fprintln(table, "ratio\terror at start\tresidual\toff direct\t")
	var ratio, start []float64
	var counts, setup, spent [ways][]float64
	worst, off := 0.0, 0.0
	for i, r := range runs {
		fmt.Fprintf(table, "%d\t", i+1)
		for k, m := range r.by {
			fmt.Fprintf(table, "%d\t", m.iterations())
			counts[k] = append(counts[k], float64(m.iterations()))
			setup[k] = append(setup[k], milliseconds(m.setup))
			spent[k] = append(spent[k], milliseconds(m.solve))
		}
		residual, miss := r.by[with].residual, r.by[with].miss
		fmt.Fprintf(table, "%.2f\t%.3f\t%.1e\t%.1e\t\n", r.ratio(), r.surrogate, residual, miss)
		ratio, start = append(ratio, r.ratio()), append(start, r.surrogate)
		worst, off = max(worst, residual), max(off, miss)
	}
	line := func(name, format string, of [ways][]float64) {
		fmt.Fprintf(table, "%s\t", name)
		for _, x := range of {
			fmt.Fprintf(table, format+"\t", median(x))
		}
	}
	line("median", "%.1f", counts)
	fmt.Fprintf(table, "%.2f\t%.3f\t\t\t\n", median(ratio), median(start))
	line("set-up, ms", "%.1f", setup)
	fmt.Fprintln(table)
	line("iteration, ms", "%.1f", spent)
	fmt.Fprintln(table)
	table.Flush()
	fmt.Fprintf(w, "\nmedian ratio of iterations with the operator to those without: %.2f; with it the residual is at most %.1e and the distance\n"+
		"from the direct solution at most %.1e, relatively\n", median(ratio), worst, off)
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// median returns the middle of x, or the mean of the two middle ones.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}

// residuals is a table of the relative residuals of the problem whose ratio of iterations is the median one: a row for each iteration, a
// column for each way, empty where it has ended.
func residuals(runs []*comparison) []byte {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *comparison) int {
		return cmp.Compare(a.ratio(), b.ratio())
	})
	r := sorted[len(sorted)/2]
	var table bytes.Buffer
	table.WriteString("iteration")
	longest := 0
	for k, m := range r.by {
		table.WriteString("," + names[k])
		longest = max(longest, len(m.history))
	}
	for i := range longest {
		fmt.Fprintf(&table, "\n%d", i)
		for _, m := range r.by {
			table.WriteByte(',')
			if i < len(m.history) {
				fmt.Fprintf(&table, "%.4g", m.history[i])
			}
		}
	}
	table.WriteByte('\n')
	return table.Bytes()
}
