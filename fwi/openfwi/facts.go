package openfwi

import (
	"fmt"

	"github.com/spamoe/spamoe/fwi/velocity"
)

// Sizes of a pair, and of a file.
const (
	Shots     = 5
	Times     = 1000
	Receivers = 70
	Depths    = 70
	Places    = 70

	PairsPerFile = 500
)

// GatherShape is the shape of a gather: shots, times, receivers.
func GatherShape() []int { return []int{Shots, Times, Receivers} }

// MapShape is the shape of a velocity map: one channel, depths, places.
func MapShape() []int { return []int{1, Depths, Places} }

// Bounds of the velocities in m/s, and the factor k in sign(x) log1p(k|x|), that normalisation uses.
const (
	VelocityMin = 1500
	VelocityMax = 4500
	LogFactor   = 1
)

var gatherRanges = map[velocity.Family][2]float64{
	velocity.FlatVelA:    {-26.95, 52.77},
	velocity.FlatVelB:    {-27.17, 56.05},
	velocity.CurveVelA:   {-27.11, 55.10},
	velocity.CurveVelB:   {-29.04, 57.03},
	velocity.FlatFaultA:  {-26.10, 50.86},
	velocity.FlatFaultB:  {-24.86, 50.28},
	velocity.CurveFaultA: {-26.48, 52.32},
	velocity.CurveFaultB: {-24.93, 50.98},
	velocity.StyleA:      {-24.96, 48.93},
	velocity.StyleB:      {-23.76, 46.01},
}

// GatherRange gives the smallest and largest amplitude of the gathers of a family, as OpenFWI's dataset_config.json lists them.
// Of no family, of several, or of an unknown one, it is the range of all together, -29.0326 to 57.0202.
func GatherRange(families ...velocity.Family) (lo, hi float64) {
	if len(families) == 1 {
		if r, ok := gatherRanges[spelt(families[0])]; ok {
			return r[0], r[1]
		}
	}
	return -29.0326, 57.0202
}

// spelt returns the family that f names in any spelling that velocity.Parse takes, or f itself if it is none.
func spelt(f velocity.Family) velocity.Family {
	if parsed, err := velocity.Parse(string(f)); err == nil {
		return parsed
	}
	return f
}

// Part is a part of the official split.
type Part int

// The parts.
const (
	All Part = iota
	Training
	Validation
)

// String returns all, training or validation.
func (p Part) String() string {
	names := [...]string{"all", "training", "validation"}
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("Part(%d)", int(p))
	}
	return names[p]
}

// PartOf is the part of the official split that file number k of a family belongs to. Numbers beyond the official ones count as
// validation.
func PartOf(f velocity.Family, k int) Part {
	last := 48
	f = spelt(f)
	switch {
	case f.Faulted():
		last = 31
	case f == velocity.StyleA || f == velocity.StyleB:
		last = 120
	}
	if k <= last {
		return Training
	}
	return Validation
}
