package encoder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/spectral"
)

// FloorMode says how the bound on the spectrum is kept.
type FloorMode string

// The modes.
const (
	FloorLayer FloorMode = "layer" // by Floor.Forward, whatever the weights are; the default
	FloorLoss  FloorMode = "loss"  // by Floor.Loss, which training lowers
	FloorOff   FloorMode = "off"   // not at all
)

// Rho is the smallest ratio of energies: a number, or "data" in JSON, for a part of what the training maps have.
type Rho struct {
	Number float64
	Data   bool
}

// MarshalJSON writes "data" or the number.
func (r Rho) MarshalJSON() ([]byte, error) {
	if r.Data {
		return []byte(`"data"`), nil
	}
	return json.Marshal(r.Number)
}

// UnmarshalJSON reads "data" or a number.
func (r *Rho) UnmarshalJSON(text []byte) error {
	if string(text) == `"data"` {
		*r = Rho{Data: true}
		return nil
	}
	*r = Rho{}
	if err := json.Unmarshal(text, &r.Number); err != nil {
		return fmt.Errorf(`rho is %s; want a number or "data"`, text)
	}
	return nil
}

// FloorConfig describes the bound R >= rho on the spectra of latent maps. The zero value keeps it by the layer, with rho 0.05.
type FloorConfig struct {
	Mode FloorMode `json:"mode,omitempty"`
	// Rho 0 means 0.05, about half of what velocity maps of OpenFWI's families have (0.09 to 0.13). With Data rho is Fraction times DataRatio.
	Rho Rho `json:"rho,omitzero"`
	// Fraction 0 means 0.5.
	Fraction float64 `json:"fraction,omitempty"`
	// DataRatio is the mean ratio of the training maps: see MeasureData.
	DataRatio float64 `json:"data_ratio,omitempty"`
	// Weight is the factor of the loss in mode "loss"; 0 means 0.01.
	Weight float64 `json:"weight,omitempty"`
}

// MeasureData sets DataRatio to the mean of E_H / E_L over maps, all nc x ny x nx. Maps without a low band do not count; if none counts,
// or the mean is 0, that is an error.
func (c *FloorConfig) MeasureData(maps iter.Seq[*autograd.Tensor]) error {
	sum, n := 0.0, 0
	for m := range maps {
		x := autograd.FromSlice(m.Data, append([]int{1}, m.Shape...)...)
		e := spectral.BandEnergies(x, 2, spectral.LowBandStart, spectral.LowBandEnd, spectral.HighBandStart, spectral.HighBandEnd)[0]
		if e[0] > 0 {
			sum += e[2] / e[0]
			n++
		}
	}
	if !(sum > 0) {
		return errors.New("encoder: floor: no training map has energy in the high band; rho cannot come from them")
	}
	c.DataRatio = sum / float64(n)
	return nil
}

// Bound returns rho as a number, 0 where the floor is off.
func (c FloorConfig) Bound() float64 {
	c = c.defaults()
	switch {
	case c.Mode == FloorOff:
		return 0
	case c.Rho.Data:
		return c.Fraction * c.DataRatio
	}
	return c.Rho.Number
}

func (c FloorConfig) defaults() FloorConfig {
	c.Mode = cmp.Or(c.Mode, FloorLayer)
	c.Rho = cmp.Or(c.Rho, Rho{Number: 0.05})
	c.Fraction = cmp.Or(c.Fraction, 0.5)
	c.Weight = cmp.Or(c.Weight, 0.01)
	return c
}

// largestRho keeps the bound where a scaled band still fits into float32 with the rest of the map.
const largestRho = 1e6

func (c FloorConfig) check() error {
	switch {
	case c.Mode != FloorLayer && c.Mode != FloorLoss && c.Mode != FloorOff:
		return fmt.Errorf("encoder: floor: mode %q; want %q, %q or %q", c.Mode, FloorLayer, FloorLoss, FloorOff)
	case c.Mode == FloorOff:
		return nil
	case c.Rho.Data && c.DataRatio == 0:
		return errors.New(`encoder: floor: rho is "data", but data_ratio is not set; MeasureData finds it`)
	case !(c.Fraction > 0) || !(c.Weight > 0) || !(c.DataRatio >= 0):
		return fmt.Errorf("encoder: floor: fraction %v, weight %v, data_ratio %v; want positive numbers", c.Fraction, c.Weight, c.DataRatio)
	case !(c.Bound() > 0 && c.Bound() <= largestRho):
		return fmt.Errorf("encoder: floor: rho %v; want more than 0 and at most %g", c.Bound(), largestRho)
	}
	return nil
}
