package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/progress"
)

const routeHelp = `
Tells what the spectral floor and the router of a SPAMoE do with a set of pairs.

Writes routing.json, which has for every sample the gates, the chosen experts with their weights, the energy of every band, the
ratio of high to low energy before and after the floor, and a summary; and pictures of the same: experts.png, gates.png,
bands.png, preference.png and ratio.png.
` + pairsHelp

// routingFile is what route writes its numbers to.
const routingFile = "routing.json"

func route(ctx context.Context, env *environment, args []string) error {
	f := newFlags("route", "", routeHelp)
	model := f.String("model", "", "run `folder` or model file (default: the last run)")
	var named namedPairs
	named.register(f)
	out := f.String("out", "", "`folder` to write (default: routing, beside the model)")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if err := named.validate(); err != nil {
		return usageError{err}
	}
	m, path, err := openModel(*model)
	if err != nil {
		return err
	}
	if m.Config.SPAMoE == nil {
		return fmt.Errorf("%s: a model of network %s does not route; only a spamoe does", path, m.Config.Network)
	}
	d, err := named.open(ctx, env, path)
	if err != nil {
		return err
	}
	if *out == "" {
		*out = filepath.Join(filepath.Dir(path), "routing")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	bar := progress.Start(env.stderr, "routing", d.Len())
	all, err := fwi.Route(ctx, m, d, bar.Add)
	bar.Done()
	if err != nil {
		return err
	}
	if all.Stats == nil {
		return errors.New("there are no samples to route")
	}
	r := newRouting(m, path, all, familyOf(d))
	if err := writeJSON(filepath.Join(*out, routingFile), r); err != nil {
		return fmt.Errorf("%s: %w", routingFile, err)
	}
	if err := r.draw(*out); err != nil {
		return err
	}
	r.print(env)
	fmt.Fprintf(env.stdout, "%s holds %s and the pictures.\n", *out, routingFile)
	return nil
}

// routing is routing.json.
type routing struct {
	Model   string   `json:"model"`
	Experts []string `json:"experts"` // the kinds of the operators
	TopK    int      `json:"top_k"`   // how many experts a sample goes to
	// BandCenters are radii of the spectrum from 0 to 1, Preference what each expert takes of each band, expert x band, and ExpertFreq
	// the radius that it prefers, absent without mixing.
	BandCenters []float64       `json:"band_centers"`
	ExpertFreq  []float64       `json:"expert_freq,omitempty"`
	Preference  [][]float64     `json:"preference"`
	Summary     routingSummary  `json:"summary"`
	Samples     []routingSample `json:"per_sample"`
}

// routingSummary is what route tells of a whole set, and of each family where it has several.
type routingSummary struct {
	groupSummary
	// Rho is the bound on the ratio of high to low energy, 0 where the floor is off; After counts the samples by what was done to them.
	Rho      float64                     `json:"rho"`
	Actions  map[encoder.FloorAction]int `json:"floor_actions"`
	Families map[string]groupSummary     `json:"families,omitempty"`
}

// groupSummary sums up some samples.
type groupSummary struct {
	Samples  int       `json:"samples"`
	Chosen   []int     `json:"chosen"`    // how many samples each expert was given
	First    []int     `json:"first"`     // how many of these had it as their first choice
	Gates    []float64 `json:"gates"`     // mean gate of each expert
	BandPart []float64 `json:"band_part"` // mean part of each band in the energy of a sample
	// Before and After are the geometric means of the ratio of high to low energy, 0 where no sample has one; Active is the part of the
	// samples that were below the bound.
	Before float64 `json:"ratio_before"`
	After  float64 `json:"ratio_after"`
	Active float64 `json:"bound_active"`
}

// routingSample is what happened to one sample.
type routingSample struct {
	Index      int                 `json:"index"`
	Family     string              `json:"family,omitempty"`
	Gates      []float64           `json:"gates"`
	Experts    []int               `json:"experts"` // the chosen ones, counted from 0, in falling order of their gates
	Weights    []float64           `json:"weights"` // of Experts
	BandEnergy []float64           `json:"band_energy"`
	Before     float64             `json:"ratio_before"`
	After      float64             `json:"ratio_after"`
	Action     encoder.FloorAction `json:"floor_action"`
}

// familyOf tells of which family each pair of a set is, empty where that is not known.
func familyOf(d fwi.Data) func(i int) string {
	switch d := d.(type) {
	case fwi.Subset:
		all := familyOf(d.Data)
		return func(i int) string { return all(d.Index[i]) }
	case channelled:
		return familyOf(d.Data)
	case interface{ Family(int) velocity.Family }:
		return func(i int) string { return string(d.Family(i)) }
	}
	return func(int) string { return "" }
}

func newRouting(m *fwi.Model, path string, all *fwi.Routings, family func(i int) string) *routing {
	s := all.Stats
	r := &routing{Model: path, TopK: len(s.Weights[0]), BandCenters: s.BandCenters, ExpertFreq: s.ExpertFreq, Preference: s.Preference}
	for _, e := range m.Config.SPAMoE.Experts {
		r.Experts = append(r.Experts, e.Name())
	}
	for i, gates := range s.Gates {
		one := all.Floor.Samples[i]
		r.Samples = append(r.Samples, routingSample{Index: i, Family: family(i), Gates: gates, Experts: s.Experts[i], Weights: s.Weights[i],
			BandEnergy: s.BandEnergy[i], Before: one.Before, After: one.After, Action: one.Action})
	}
	r.Summary = routingSummary{groupSummary: r.sum(r.Samples), Rho: all.Floor.Rho, Actions: map[encoder.FloorAction]int{}}
	for _, one := range r.Samples {
		r.Summary.Actions[one.Action]++
	}
	if names, parts := r.families(); len(names) > 1 {
		r.Summary.Families = map[string]groupSummary{}
		for i, name := range names {
			r.Summary.Families[name] = r.sum(parts[i])
		}
	}
	return r
}

// families parts the samples by family, in the order in which families come first.
func (r *routing) families() (names []string, parts [][]routingSample) {
	at := map[string]int{}
	for _, s := range r.Samples {
		k, ok := at[s.Family]
		if !ok {
			k = len(names)
			at[s.Family] = k
			names, parts = append(names, s.Family), append(parts, nil)
		}
		parts[k] = append(parts[k], s)
	}
	return names, parts
}

// sum sums up some of the samples.
func (r *routing) sum(samples []routingSample) groupSummary {
	n := len(r.Experts)
	g := groupSummary{Samples: len(samples), Chosen: make([]int, n), First: make([]int, n), Gates: make([]float64, n), BandPart: make([]float64, len(r.BandCenters))}
	floor := &encoder.FloorReport{}
	for _, s := range samples {
		for k, e := range s.Experts {
			g.Chosen[e]++
			if k == 0 {
				g.First[e]++
			}
		}
		for e, v := range s.Gates {
			g.Gates[e] += v / float64(len(samples))
		}
		for b, v := range parts(s.BandEnergy) {
			g.BandPart[b] += v / float64(len(samples))
		}
		floor.Samples = append(floor.Samples, encoder.FloorSample{Before: s.Before, After: s.After, Action: s.Action})
	}
	g.Before, g.After = floor.Means()
	g.Active = floor.Active()
	return g
}

// parts divides energies by their sum; nothing stays nothing.
func parts(energies []float64) []float64 {
	sum := 0.0
	for _, v := range energies {
		sum += v
	}
	out := make([]float64, len(energies))
	for i, v := range energies {
		if sum > 0 {
			out[i] = v / sum
		}
	}
	return out
}

// print writes the summary as a table: a row per expert, a column for all samples and one for each of several families.
func (r *routing) print(env *environment) {
	s := r.Summary
	fmt.Fprintf(env.stdout, "%s: %d samples, each to %d of %d experts\n\n", r.Model, s.Samples, r.TopK, len(r.Experts))
	fmt.Fprintf(env.stdout, "%-12s %8s %8s %10s %10s\n", "expert", "samples", "first", "mean gate", "prefers r")
	for e, name := range r.labels() {
		prefers := "–"
		if r.ExpertFreq != nil {
			prefers = fmt.Sprintf("%.3f", r.ExpertFreq[e])
		}
		fmt.Fprintf(env.stdout, "%-12s %8d %8d %10.3f %10s\n", name, s.Chosen[e], s.First[e], s.Gates[e], prefers)
	}
	if s.Families != nil {
		fmt.Fprintf(env.stdout, "\n%-14s %8s", "mean gates", "samples")
		for _, name := range r.labels() {
			fmt.Fprintf(env.stdout, " %12s", name)
		}
		fmt.Fprintf(env.stdout, " %12s %12s %12s\n", "ratio before", "ratio after", "bound active")
		names, _ := r.families()
		for _, name := range names {
			g := s.Families[name]
			fmt.Fprintf(env.stdout, "%-14s %8d", familyLabel(name), g.Samples)
			for _, v := range g.Gates {
				fmt.Fprintf(env.stdout, " %12.3f", v)
			}
			fmt.Fprintf(env.stdout, " %12.4g %12.4g %10.0f %%\n", g.Before, g.After, 100*g.Active)
		}
	}
	fmt.Fprintf(env.stdout, "\nenergy ratio of high to low frequencies: geometric mean %.4g before the floor, %.4g after", s.Before, s.After)
	if s.Rho > 0 {
		fmt.Fprintf(env.stdout, "; the bound, %.4g, was active for %.0f %% of the samples", s.Rho, 100*s.Active)
	}
	fmt.Fprint(env.stdout, "\n\n")
}

// labels names the experts by their kinds, with numbers where a kind comes more than once.
func (r *routing) labels() []string {
	total, seen := map[string]int{}, map[string]int{}
	for _, e := range r.Experts {
		total[e]++
	}
	out := make([]string, len(r.Experts))
	for i, e := range r.Experts {
		out[i] = strings.ToUpper(e)
		if e == "multiscale" {
			out[i] = "Multiscale"
		}
		if total[e] > 1 {
			seen[e]++
			out[i] += fmt.Sprintf(" %d", seen[e])
		}
	}
	return out
}

// familyLabel is how a family is written in tables and pictures.
func familyLabel(name string) string {
	if name == "" {
		return "unknown"
	}
	return strings.ReplaceAll(name, "_", "-")
}
