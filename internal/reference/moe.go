package reference

import (
	"encoding/json"
	"fmt"

	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
	"github.com/spamoe/spamoe/moe"
)

// router is a configuration of SPAMoE's router, but for the names that differ between the router and the mixture.
type router struct {
	Alpha     float64  `json:"alpha"`
	Sharpness float64  `json:"band_sharpness"`
	Affinity  float64  `json:"freq_affinity_sharpness"`
	Soft      *bool    `json:"use_soft_bands"`
	Attention *bool    `json:"enable_freq_attn"`
	Mixing    *bool    `json:"enable_band_mixing"`
	Bands     *bool    `json:"enable_band_decomposition"`
	Mode      moe.Mode `json:"routing_mode"`
}

func (r *router) config(channels, experts, topK int) moe.Config {
	off := func(flag *bool) bool { return flag != nil && !*flag }
	c := moe.Reference(channels, topK)
	// The module's loss has a gradient; that it is detached is up to the training loop.
	c.Defects.DetachedBalance = false
	c.Experts, c.BandSharpness, c.AffinitySharpness, c.Routing = experts, r.Sharpness, r.Affinity, r.Mode
	c.HardBands, c.NoAttention, c.NoMixing, c.NoBands = off(r.Soft), off(r.Attention), off(r.Mixing), off(r.Bands)
	if r.Alpha > 0 {
		c.Balance = r.Alpha
	}
	return c
}

// Router reads the configuration of SPAMoE's SpectralAttentionRouter.
func Router(config []byte) (moe.Config, error) {
	c := struct {
		router
		Channels int `json:"C"`
		Heads    int `json:"num_heads"`
		TopK     int `json:"top_k"`
	}{Heads: 3, TopK: 2}
	if err := strict(config, &c); err != nil {
		return moe.Config{}, fmt.Errorf("reference: configuration of a router: %w", err)
	}
	out := c.config(c.Channels, c.Heads, c.TopK)
	return out, out.Check()
}

// Mixture builds SPAMoE's AdaptiveFreqMoE, without weights, from its configuration; "experts" in it are configurations of operators with
// their "op". Table is that of LocalNO.
func Mixture(config []byte, table [][][]float32) (*moe.Mixture, error) {
	var c struct {
		router
		Channels int               `json:"in_channels"`
		TopK     int               `json:"topk"`
		Experts  []json.RawMessage `json:"experts"`
	}
	if err := strict(config, &c); err != nil {
		return nil, fmt.Errorf("reference: configuration of a mixture: %w", err)
	}
	var experts []moe.Expert
	for i, text := range c.Experts {
		e, err := expert(text, table)
		if err != nil {
			return nil, fmt.Errorf("reference: expert %d: %w", i, err)
		}
		experts = append(experts, e)
	}
	return moe.New(c.config(c.Channels, len(experts), c.TopK), experts, nil)
}

// expert builds an operator from its configuration and the "op" in it.
func expert(config []byte, table [][][]float32) (moe.Expert, error) {
	var keys map[string]json.RawMessage
	var op string
	if err := json.Unmarshal(config, &keys); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(keys["op"], &op); err != nil {
		return nil, fmt.Errorf("its op is %q: %w", keys["op"], err)
	}
	delete(keys, "op")
	config, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	switch op {
	case "multiscale_no2d":
		set, err := Multiscale(config)
		if err != nil {
			return nil, err
		}
		return mno.NewMultiscale(set, nil)
	case "local_no":
		set, err := LocalNO(config, table)
		if err != nil {
			return nil, err
		}
		return lno.New(set, nil)
	}
	set, err := FNO(op, config)
	if err != nil {
		return nil, err
	}
	return fno.New(set, nil)
}
