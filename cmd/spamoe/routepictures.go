package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/internal/picture"
)

// draw writes the pictures into a folder.
func (r *routing) draw(dir string) error {
	for _, p := range []struct {
		name string
		p    picture.Picture
	}{
		{"experts.png", r.drawExperts()}, {"gates.png", r.drawGates()}, {"bands.png", r.drawBands()},
		{"preference.png", r.drawPreference()}, {"ratio.png", r.drawRatio()},
	} {
		path := filepath.Join(dir, p.name)
		if err := picture.Save(path, p.p); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// choices names the parts of a bar of samples, as first choice and so on.
func (r *routing) choices() []string {
	if r.TopK == 1 {
		return nil
	}
	names := []string{"first choice", "second choice", "third choice"}
	for k := len(names); k < r.TopK; k++ {
		names = append(names, fmt.Sprintf("choice %d", k+1))
	}
	return names[:r.TopK]
}

// drawExperts counts the samples that each expert was given: one bar per expert, or per family and expert.
func (r *routing) drawExperts() picture.Picture {
	p := picture.Bars{Title: "Samples given to each expert", Parts: r.choices()}
	names, parts := r.families()
	count := func(samples []routingSample, k, e int) float64 {
		n := 0
		for _, s := range samples {
			if s.Experts[k] == e {
				n++
			}
		}
		return float64(n)
	}
	labels := r.labels()
	if len(names) == 1 {
		p.YLabel, p.Groups = "Samples", labels
		all := picture.BarSeries{Values: make([][]float64, r.TopK)}
		for k := range all.Values {
			for e := range labels {
				all.Values[k] = append(all.Values[k], count(r.Samples, k, e))
			}
		}
		p.Series = []picture.BarSeries{all}
		return p
	}
	p.YLabel = "Part of the samples (%)"
	for i, name := range append([]string{"all"}, names...) {
		n := len(r.Samples)
		if i > 0 {
			n = len(parts[i-1])
			name = familyLabel(name)
		}
		p.Groups = append(p.Groups, fmt.Sprintf("%s\nn = %d", name, n))
	}
	for e, label := range labels {
		s := picture.BarSeries{Name: label, Values: make([][]float64, r.TopK)}
		for k := range s.Values {
			for _, samples := range append([][]routingSample{r.Samples}, parts...) {
				s.Values[k] = append(s.Values[k], 100*count(samples, k, e)/float64(len(samples)))
			}
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// drawGates shows the gates of every sample, those with the same first choice together, the clearest choices first.
func (r *routing) drawGates() picture.Picture {
	p := picture.Shares{Title: "Gates of every sample", XLabel: "Samples, by first choice and its gate", YLabel: "Gate", Names: r.labels()}
	names, parts := r.families()
	for i, name := range names {
		samples := slices.Clone(parts[i])
		top := func(s routingSample) (e int) {
			for k, g := range s.Gates {
				if g > s.Gates[e] {
					e = k
				}
			}
			return e
		}
		slices.SortStableFunc(samples, func(a, b routingSample) int {
			x, y := top(a), top(b)
			switch {
			case x != y:
				return x - y
			case a.Gates[x] > b.Gates[x]:
				return -1
			case a.Gates[x] < b.Gates[x]:
				return 1
			}
			return 0
		})
		s := picture.Section{Name: fmt.Sprintf("%s\nn = %d", familyLabel(name), len(samples))}
		if name == "" && len(names) == 1 {
			s.Name = fmt.Sprintf("n = %d", len(samples))
		}
		for _, one := range samples {
			s.Values = append(s.Values, one.Gates)
		}
		p.Sections = append(p.Sections, s)
	}
	return p
}

// bands names the bands with their centres.
func (r *routing) bands() []string {
	var out []string
	for b, c := range r.BandCenters {
		out = append(out, fmt.Sprintf("Band %d\nr = %.2f", b+1, c))
	}
	return out
}

// drawBands shows how the energy of the latent maps spreads over the bands.
func (r *routing) drawBands() picture.Picture {
	p := picture.Boxes{Title: "Energy of the latent in each band", YLabel: "Part of a sample's energy", Colours: picture.Sequential().Steps(len(r.BandCenters))}
	share := func(samples []routingSample, b int) []float64 {
		var out []float64
		for _, s := range samples {
			out = append(out, parts(s.BandEnergy)[b])
		}
		return out
	}
	names, by := r.families()
	if len(names) == 1 {
		p.Groups, p.Series = r.bands(), []picture.BoxSeries{{}}
		for b := range p.Groups {
			p.Series[0].Values = append(p.Series[0].Values, share(r.Samples, b))
		}
		return p
	}
	for _, name := range names {
		p.Groups = append(p.Groups, familyLabel(name))
	}
	for b, name := range r.bands() {
		s := picture.BoxSeries{Name: strings.ReplaceAll(name, "\n", ", ")}
		for _, samples := range by {
			s.Values = append(s.Values, share(samples, b))
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// drawPreference shows what each expert takes of each band.
func (r *routing) drawPreference() picture.Picture {
	p := picture.Table{Title: "What each expert takes of each band", Columns: r.bands(), RowsLabel: "Expert", ColumnsLabel: "Band and its centre, radial frequency",
		Values: r.Preference, Quantity: "Weight of the band", Max: 1}
	for e, name := range r.labels() {
		if r.ExpertFreq != nil {
			name += "\nprefers r = " + strings.Replace(fmt.Sprintf("%.2f", r.ExpertFreq[e]), "-", "−", 1)
		}
		p.Rows = append(p.Rows, name)
	}
	return p
}

// actions are the series of the picture of ratios, and what is written for them.
var actions = []struct {
	action encoder.FloorAction
	text   string
}{
	{encoder.FloorHeld, "held: above the bound as it came"}, {encoder.FloorScaled, "scaled: high band amplified"},
	{encoder.FloorBorrowed, "borrowed: high band of the input added"}, {encoder.FloorMissed, "missed: below the bound, left"},
	{encoder.FloorPassed, "passed: nothing to raise"},
}

// drawRatio shows the energy ratios before and after the floor.
func (r *routing) drawRatio() picture.Picture {
	s := r.Summary
	p := picture.Histograms{Title: "Energy ratio of high to low frequencies", XLabel: "Ratio of high to low energy of the latent", YLabel: "Samples",
		Bound: s.Rho, BoundName: fmt.Sprintf("bound ρ = %.3g", s.Rho)}
	before := picture.HistogramPanel{Head: fmt.Sprintf("Before the floor: geometric mean %.3g", s.Before)}
	after := picture.HistogramPanel{Head: fmt.Sprintf("After the floor: geometric mean %.3g", s.After)}
	for _, a := range actions {
		var x, y []float64
		for _, one := range r.Samples {
			if one.Action == a.action {
				x, y = append(x, one.Before), append(y, one.After)
			}
		}
		name := ""
		switch {
		case len(x) > 0 && s.Rho == 0:
			name = "no bound"
		case len(x) > 0:
			name = fmt.Sprintf("%s (%d)", a.text, len(x))
		}
		p.Names = append(p.Names, name)
		before.Values, after.Values = append(before.Values, x), append(after.Values, y)
	}
	p.Panels = []picture.HistogramPanel{before, after}
	return p
}
