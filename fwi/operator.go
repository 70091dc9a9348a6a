package fwi

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spamoe/spamoe/fno"
	"github.com/spamoe/spamoe/lno"
	"github.com/spamoe/spamoe/mno"
)

// OperatorConfig describes one operator: exactly one field is given.
type OperatorConfig struct {
	FNO        *fno.Config           `json:"fno,omitempty"`
	MNO        *mno.Config           `json:"mno,omitempty"`
	Multiscale *mno.MultiscaleConfig `json:"multiscale,omitempty"`
	LNO        *lno.Config           `json:"lno,omitempty"`
}

// Name returns the kind of the operator: fno, mno, multiscale or lno.
func (c OperatorConfig) Name() string {
	switch {
	case c.FNO != nil:
		return "fno"
	case c.MNO != nil:
		return "mno"
	case c.Multiscale != nil:
		return "multiscale"
	case c.LNO != nil:
		return "lno"
	}
	return ""
}

// clone returns a copy of c that shares no memory with it.
func (c OperatorConfig) clone() OperatorConfig {
	if c.FNO != nil {
		c.FNO = new(c.FNO.Clone())
	}
	if c.MNO != nil {
		c.MNO = new(*c.MNO)
	}
	if c.Multiscale != nil {
		c.Multiscale = new(c.Multiscale.Clone())
	}
	if c.LNO != nil {
		c.LNO = new(c.LNO.Clone())
	}
	return c
}

// inUse returns c with the Fourier modes that net, which was built from it, has in use: SetModes may have changed them.
func (c OperatorConfig) inUse(net Network) OperatorConfig {
	c = c.clone()
	switch net := net.(type) {
	case *fno.Model:
		own := net.Config.Clone()
		c.FNO.Modes, c.FNO.MaxModes = own.Modes, own.MaxModes
	case *lno.Model:
		own := net.Config.Clone()
		c.LNO.Modes, c.LNO.MaxModes = own.Modes, own.MaxModes
	}
	return c
}

func (c OperatorConfig) build(rng *rand.Rand) (Network, error) {
	given := 0
	for _, is := range []bool{c.FNO != nil, c.MNO != nil, c.Multiscale != nil, c.LNO != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, fmt.Errorf("%d operators; wanted exactly one of fno, mno, multiscale and lno", given)
	}
	switch c.Name() {
	case "fno":
		return fno.New(*c.FNO, rng)
	case "mno":
		return mno.New(*c.MNO, rng)
	case "multiscale":
		return mno.NewMultiscale(*c.Multiscale, rng)
	}
	return lno.New(*c.LNO, rng)
}

// checkGrid reports a grid that the operator net cannot be applied to, or maps to another. Operators without a check take any, and keep it.
func checkGrid(net Network, grid []int) error {
	switch net := net.(type) {
	case interface {
		OutputGrid(n ...int) ([]int, error)
	}:
		out, err := net.OutputGrid(grid...)
		if err != nil {
			return err
		}
		if !slices.Equal(out, grid) {
			return fmt.Errorf("its scale maps the grid %v to %v; wanted the same grid", grid, out)
		}
	case interface{ CheckGrid(n ...int) error }:
		return net.CheckGrid(grid...)
	}
	return nil
}

// channels returns the numbers of input and output channels.
func (c OperatorConfig) channels() (in, out int) {
	switch c.Name() {
	case "fno":
		return c.FNO.In, c.FNO.Out
	case "mno":
		return c.MNO.In, c.MNO.Out
	case "multiscale":
		return c.Multiscale.In, c.Multiscale.Out
	case "lno":
		return c.LNO.In, c.LNO.Out
	}
	return 0, 0
}
