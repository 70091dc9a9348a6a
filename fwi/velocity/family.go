package velocity

import (
	"fmt"
	"strings"
)

// Family is the name of an OpenFWI sub-dataset, as its folder is called.
type Family string

// The ten families.
const (
	FlatVelA    Family = "FlatVel_A"
	FlatVelB    Family = "FlatVel_B"
	CurveVelA   Family = "CurveVel_A"
	CurveVelB   Family = "CurveVel_B"
	FlatFaultA  Family = "FlatFault_A"
	FlatFaultB  Family = "FlatFault_B"
	CurveFaultA Family = "CurveFault_A"
	CurveFaultB Family = "CurveFault_B"
	StyleA      Family = "Style_A"
	StyleB      Family = "Style_B"
)

// Families returns all ten, in the order of OpenFWI's tables.
func Families() []Family {
	return []Family{FlatVelA, FlatVelB, CurveVelA, CurveVelB, FlatFaultA, FlatFaultB, CurveFaultA, CurveFaultB, StyleA, StyleB}
}

// Parse returns the family that text names: FlatVel_A, flatvel-a, FlatVelA and FVA are the same, in any case.
func Parse(text string) (Family, error) {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	for _, f := range Families() {
		if p := plain(text); p == plain(string(f)) || p == plain(f.Short()) {
			return f, nil
		}
	}
	names := make([]string, 0, 10)
	for _, f := range Families() {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("velocity: unknown family %q, want one of %s", text, strings.Join(names, ", "))
}

// String returns the folder name, such as FlatVel_A.
func (f Family) String() string { return string(f) }

// Short returns the initials that papers use, such as FVA for FlatVel_A.
func (f Family) Short() string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, string(f))
}

// UnmarshalText parses a name as Parse does, so that configurations and flags accept every spelling.
func (f *Family) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err == nil {
		*f = parsed
	}
	return err
}

// Layers returns the numbers of layers that maps of the family have; none for Style, which has no layers. Files of the fault
// families hold maps of one number each.
func (f Family) Layers() []int { return append([]int(nil), recipes[f].layers...) }

// Faulted reports whether maps of the family are cut by faults.
func (f Family) Faulted() bool { return recipes[f].fault != noFault }
