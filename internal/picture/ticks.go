package picture

import (
	"math"
	"strconv"
	"strings"
)

// tick is a mark of an axis. One without a label is drawn shorter.
type tick struct {
	at    float64
	label string
}

// ticks gives at most n round values (1, 2 or 5 times a power of ten apart, not less than least) from lo to hi with their labels.
// There is always at least one.
func ticks(lo, hi, least float64, n int) []tick {
	n = max(n, 1)
	step := max(least, math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(n)))))
	grow := [...]float64{2, 2.5, 2}
	count := func() int { return int(math.Floor(hi/step+1e-9)-math.Ceil(lo/step-1e-9)) + 1 }
	for i := 0; count() > n; i++ {
		step *= grow[i%3]
	}
	first := math.Ceil(lo/step - 1e-9)
	var out []tick
	for i := range count() {
		v := (first + float64(i)) * step
		out = append(out, tick{v, label(v, step, max(math.Abs(lo), math.Abs(hi)))})
	}
	if len(out) == 0 {
		out = append(out, tick{lo, figure(lo, 3)})
	}
	return out
}

// logTicks gives marks of a logarithmic axis from lo to hi, both positive: labels at powers of ten, at 2 and 5 times these where
// few decades are seen, at round values where less than half a decade is; minor marks at the other multiples.
func logTicks(lo, hi float64, n int) []tick {
	decades := math.Log10(hi) - math.Log10(lo)
	if decades < 0.5 {
		return ticks(lo, hi, 0, n)
	}
	stride := max(1, int(math.Ceil(decades/float64(max(n, 1)))))
	var out []tick
	for e := int(math.Floor(math.Log10(lo))); float64(e) <= math.Ceil(math.Log10(hi)); e++ {
		for k := 1; k < 10; k++ {
			v := float64(k) * math.Pow(10, float64(e))
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			t := tick{at: v}
			switch {
			case k == 1 && e%stride == 0, decades < 2.2 && (k == 2 || k == 5):
				t.label = figure(v, 1)
			case stride > 1 && k > 1:
				continue
			}
			out = append(out, t)
		}
	}
	return out
}

// label writes a multiple of step, on an axis whose largest value has the given size, with as many decimals as the step needs.
func label(v, step, size float64) string {
	if math.Abs(v) < step/2 {
		return "0"
	}
	if size >= 1e6 || size < 1e-2 {
		return power(v, 1+max(0, int(math.Round(math.Log10(math.Abs(v)/step)))))
	}
	return minus(strconv.FormatFloat(v, 'f', max(0, -int(math.Floor(math.Log10(step)+1e-9))), 64))
}

// figure writes v with the given number of significant digits, as a number times a power of ten where that is shorter to read.
func figure(v float64, digits int) string {
	if !finite(v) {
		return "–"
	}
	if v == 0 {
		return "0"
	}
	if e := int(math.Floor(math.Log10(math.Abs(v)))); e >= -3 && e < 6 {
		return minus(strconv.FormatFloat(v, 'f', max(0, digits-1-e), 64))
	}
	return power(v, digits)
}

// power writes v as 1.5e-6, without zeros that say nothing. (The font has no superscript minus.)
func power(v float64, digits int) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	e, _ := strconv.Atoi(exponent)
	return minus(mantissa) + "e" + minus(strconv.Itoa(e))
}

// minus replaces the hyphen of a negative number by the sign.
func minus(s string) string { return strings.Replace(s, "-", "−", 1) }
