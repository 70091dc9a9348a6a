package moe

import "fmt"

// Config describes a router, or a mixture. Channels is required, and Experts for a router on its own; the zero value of everything
// else is a sound choice.
type Config struct {
	Channels int `json:"channels"` // of the latent
	// Experts is the number of experts and of bands. New takes it from the experts where it is 0.
	Experts int `json:"experts,omitempty"`
	// TopK is how many experts a sample goes to; 0 means 2, or 1 where there is one expert.
	TopK int `json:"top_k,omitempty"`
	// Balance is the factor of the load-balancing loss; 0 means 0.1, and a negative one that there is none.
	Balance float64 `json:"balance,omitempty"`
	// Noise is the standard deviation of normal noise, from the tape's Rand, that is added to the logarithms of the gates when experts are
	// chosen on a tape that trains: without it an expert that no sample chooses learns nothing and may never be chosen. Weights come from
	// the gates as they are. 0 means none.
	Noise float64 `json:"noise,omitempty"`
	// BandSharpness is s, how fast a soft band falls off around its centre; 0 means 20.
	BandSharpness float64 `json:"band_sharpness,omitempty"`
	// AffinitySharpness is a, how strictly an expert keeps to the bands near its preferred frequency; 0 means 10.
	AffinitySharpness float64 `json:"affinity_sharpness,omitempty"`

	// HardBands gives every frequency to the nearest band alone.
	HardBands bool `json:"hard_bands,omitempty"`
	// NoAttention takes the mean over frequencies where attention would weigh them.
	NoAttention bool `json:"no_attention,omitempty"`
	// NoMixing gives expert e the band e instead of a mixture of bands around its preferred frequency.
	NoMixing bool `json:"no_mixing,omitempty"`
	// NoBands gives every expert the whole latent.
	NoBands bool `json:"no_bands,omitempty"`
	// Routing says how experts are chosen; the default is Learned.
	Routing Mode `json:"routing,omitempty"`

	// Defects of SPAMoE's implementation that its checkpoints were trained with.
	Defects Defects `json:"defects,omitzero"`
}

// Mode is a way to choose experts.
type Mode string

// The ways, named as SPAMoE names them.
const (
	Learned Mode = "learned" // the experts of the largest gates
	Uniform Mode = "uniform" // always the first TopK experts, with equal weights
	Random  Mode = "random"  // TopK experts drawn from the tape's Rand for every sample, with equal weights
)

// Defects reproduces what SPAMoE's implementation does wrong. The zero value is right.
type Defects struct {
	// RawGates computes the gates from magnitudes as they are, takes the mean over frequencies of what attention has weighted already,
	// and sees not at which frequencies the magnitudes lie: hardly anything but the largest ones counts.
	RawGates bool `json:"raw_gates,omitempty"`
	// LinspaceRadius measures radii on linspace(-1, 1, n), ends included, where no point of an even grid is the origin: r > 0 at
	// the constant mode, and k and -k have different radii.
	LinspaceRadius bool `json:"linspace_radius,omitempty"`
	// OpenBands leaves soft bands as Gaussians that do not add up to one.
	OpenBands bool `json:"open_bands,omitempty"`
	// BalanceToSelection draws the mean gates towards the frequencies with which experts were selected, by the mean squared
	// difference: that strengthens whatever the router prefers.
	BalanceToSelection bool `json:"balance_to_selection,omitempty"`
	// DetachedBalance gives the load-balancing loss no gradient. In SPAMoE its training loop does that, not the router.
	DetachedBalance bool `json:"detached_balance,omitempty"`
	// IdleLayers keeps the parameters of parts that are switched off, as SPAMoE's files have them.
	IdleLayers bool `json:"idle_layers,omitempty"`
}

// ReferenceDefects are all those of SPAMoE.
func ReferenceDefects() Defects {
	return Defects{RawGates: true, LinspaceRadius: true, OpenBands: true, BalanceToSelection: true, DetachedBalance: true, IdleLayers: true}
}

// Reference returns SPAMoE's defaults for a latent of the given channels: all defects and no load-balancing loss.
func Reference(channels, topK int) Config {
	return Config{Channels: channels, TopK: topK, Balance: -1, Defects: ReferenceDefects()}
}

// defaults fills in what 0 stands for.
func (c Config) defaults() Config {
	if c.TopK == 0 {
		c.TopK = min(2, max(1, c.Experts))
	}
	if c.Balance == 0 {
		c.Balance = 0.1
	}
	if c.BandSharpness == 0 {
		c.BandSharpness = sharpness
	}
	if c.AffinitySharpness == 0 {
		c.AffinitySharpness = 10
	}
	if c.Routing == "" {
		c.Routing = Learned
	}
	return c
}

// Check reports the first thing in c that cannot work.
func (c Config) Check() error {
	c = c.defaults()
	switch {
	case c.Channels < 1 || c.Experts < 1:
		return fmt.Errorf("moe: %d channels, %d experts; want at least 1 of each", c.Channels, c.Experts)
	case c.TopK < 1 || c.TopK > c.Experts:
		return fmt.Errorf("moe: top_k %d; want 1 to %d, the number of experts", c.TopK, c.Experts)
	case !(c.BandSharpness > 0) || !(c.AffinitySharpness > 0):
		return fmt.Errorf("moe: band_sharpness %v, affinity_sharpness %v; want positive numbers", c.BandSharpness, c.AffinitySharpness)
	case c.Balance != c.Balance:
		return fmt.Errorf("moe: balance is not a number")
	case !(c.Noise >= 0):
		return fmt.Errorf("moe: noise %v; want 0 or more", c.Noise)
	case c.Routing != Learned && c.Routing != Uniform && c.Routing != Random:
		return fmt.Errorf("moe: routing %q; want %q, %q or %q", c.Routing, Learned, Uniform, Random)
	}
	return nil
}
