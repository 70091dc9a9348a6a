package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// report prints the relative L2 errors of o and of what it is compared with, and returns the predictions for the test sets.
func (c *settings) report(w io.Writer, o *operator, training, validation *pairs, tests []*pairs) [][]float32 {
	predictions := make([][]float32, len(tests))
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	defer table.Flush()
	line := func(name string, of func(p *pairs) string) {
		fmt.Fprintf(table, "%s", name)
		for _, p := range tests {
			fmt.Fprintf(table, "\t%s", of(p))
		}
		fmt.Fprintln(table)
	}
	figure := func(e float64) string { return fmt.Sprintf("%.4f", e) }

	line(fmt.Sprintf("relative L2 error, mean of %d test media", tests[0].count), func(p *pairs) string {
		if p.n > training.n {
			return fmt.Sprintf("%d x %d, never seen", p.n, p.n)
		}
		return fmt.Sprintf("%d x %d", p.n, p.n)
	})
	mean := meanSolution(training)
	line("mean of the training solutions", func(p *pairs) string {
		if p.n != training.n {
			return "-"
		}
		return figure(relativeL2(repeat(mean, p.count), p))
	})
	line("operator, as it is", func(p *pairs) string { return figure(relativeL2(o.predict(p.x, p.n, 1), p)) })
	for i, p := range tests {
		predictions[i] = o.predict(p.x, p.n, symmetries)
	}
	next := 0
	line("operator, averaged over the 8 symmetries", func(p *pairs) string {
		next++
		return figure(relativeL2(predictions[next-1], p))
	})
	if c.data != "" {
		fmt.Fprintln(table, "neuraloperator's own example on its data\t0.113 to 0.131\t0.137 to 0.150")
	}
	if validation.count > 0 {
		fmt.Fprintf(table, "(averaged, on the %d held out)\t%.4f\n", validation.count,
			relativeL2(o.predict(validation.x, validation.n, symmetries), validation))
	}
	return predictions
}

// meanSolution returns the mean of all solutions, point by point.
func meanSolution(p *pairs) []float32 {
	sum := make([]float64, p.n*p.n)
	for i, v := range p.y {
		sum[i%len(sum)] += float64(v)
	}
	mean := make([]float32, len(sum))
	for i, v := range sum {
		mean[i] = float32(v / float64(p.count))
	}
	return mean
}

// repeat returns x, count times.
func repeat(x []float32, count int) []float32 {
	var y []float32
	for range count {
		y = append(y, x...)
	}
	return y
}
