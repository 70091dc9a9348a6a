package moe

import (
	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Stats tells what a router did with a batch, or with several. It holds copies, which outlive the pass.
type Stats struct {
	Gates   [][]float64 `json:"gates"`   // sample x expert
	Experts [][]int     `json:"experts"` // the chosen ones of every sample, in falling order of their gates
	Weights [][]float64 `json:"weights"` // of Experts
	// Samples is how many samples each expert was given, MeanGates the mean of Gates over the samples.
	Samples   []int     `json:"samples"`
	MeanGates []float64 `json:"mean_gates"`
	// BandEnergy is the energy of every sample in every band, the sum of m_b |F x|^2 over the spectrum and the channels, divided by the
	// number of grid points: those of a sample add up to its sum of x^2 (unless Defects.OpenBands).
	BandEnergy [][]float64 `json:"band_energy"`
	// BandCenters are the centres of the bands, Preference what each expert takes of each band, expert x band, and ExpertFreq the frequency
	// that it prefers, absent without mixing. Without bands Preference is 1 throughout.
	BandCenters []float64   `json:"band_centers"`
	ExpertFreq  []float64   `json:"expert_freq,omitempty"`
	Preference  [][]float64 `json:"preference"`
}

// Stats computes the statistics of a route. Nothing of them is computed before.
func (r *Route) Stats() *Stats {
	c := &r.router.Config
	s := &Stats{Gates: rows(r.Gates.Data, c.Experts), Weights: rows(r.Weights.Data, c.TopK), BandCenters: floats(r.router.BandCenters.Data)}
	for _, e := range r.Experts {
		s.Experts = append(s.Experts, append([]int{}, e...))
	}
	s.count(c.Experts)
	s.BandEnergy = r.energies()
	s.Preference = make([][]float64, c.Experts)
	for e := range s.Preference {
		s.Preference[e] = make([]float64, c.Experts)
		for b := range s.Preference[e] {
			if c.NoBands || b == e {
				s.Preference[e][b] = 1
			}
		}
	}
	if !c.NoBands && !c.NoMixing {
		s.ExpertFreq = floats(r.router.ExpertFreq.Data)
		s.Preference = rows(r.router.preference(&autograd.Tape{NoGrad: true}).Data, c.Experts)
	}
	return s
}

// Append adds the samples of another batch of the same router; what belongs to the router is taken from it.
func (s *Stats) Append(o *Stats) {
	s.Gates = append(s.Gates, o.Gates...)
	s.Experts = append(s.Experts, o.Experts...)
	s.Weights = append(s.Weights, o.Weights...)
	s.BandEnergy = append(s.BandEnergy, o.BandEnergy...)
	s.BandCenters, s.ExpertFreq, s.Preference = o.BandCenters, o.ExpertFreq, o.Preference
	s.count(len(o.BandCenters))
}

// count computes Samples and MeanGates.
func (s *Stats) count(experts int) {
	s.Samples, s.MeanGates = make([]int, experts), make([]float64, experts)
	for i, chosen := range s.Experts {
		for _, e := range chosen {
			s.Samples[e]++
		}
		for e, g := range s.Gates[i] {
			s.MeanGates[e] += g / float64(len(s.Gates))
		}
	}
}

// energies returns the energy of each sample in each band.
func (r *Route) energies() [][]float64 {
	nb, nc, ny, nx := r.x.Shape[0], r.x.Shape[1], r.x.Shape[2], r.x.Shape[3]
	bands := r.router.half(ny, nx)
	ne, np := bands.Shape[0], bands.Shape[1]
	f := make([]float32, 2*np)
	out := make([][]float64, nb)
	for s := range out {
		out[s] = make([]float64, ne)
		for c := range nc {
			kernel.RFFT(f, r.x.Data[(s*nc+c)*ny*nx:][:ny*nx], 1, []int{ny, nx}, 1)
			for k := range np {
				e := float64(power(f, k)) * count(k%(nx/2+1), nx) / float64(ny*nx)
				for b := range ne {
					out[s][b] += e * float64(bands.Data[b*np+k])
				}
			}
		}
	}
	return out
}

// rows copies x as rows of n numbers.
func rows(x []float32, n int) [][]float64 {
	var out [][]float64
	for ; len(x) > 0; x = x[n:] {
		out = append(out, floats(x[:n]))
	}
	return out
}

func floats(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
