package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spamoe/spamoe/internal/picture"
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

// draw writes a picture of the residuals of the problem whose ratio of iterations is the median one.
func draw(path string, runs []*comparison) error {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *comparison) int {
		return cmp.Compare(a.ratio(), b.ratio())
	})
	r := sorted[len(sorted)/2]
	curves := picture.Curves{Title: "Conjugate gradients, a typical field", XLabel: "Iteration", YLabel: "Relative residual",
		Levels: []picture.Level{{Name: "Tolerance", Y: tolerance}}}
	for k, m := range r.by {
		x := make([]float64, len(m.history))
		for i := range x {
			x[i] = float64(i)
		}
		curves.Lines = append(curves.Lines, picture.Line{Name: names[k], X: x, Y: m.history})
	}
	return picture.Save(path, curves)
}
