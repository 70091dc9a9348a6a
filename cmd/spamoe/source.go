package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
)

// source says where the pairs of a run come from: OpenFWI files in Dir, the two arrays X and Y, or else Count pairs of the
// program's own making.
type source struct {
	Dir        string  `json:"dir,omitempty"`
	X          string  `json:"x,omitempty"`
	Y          string  `json:"y,omitempty"`
	Family     string  `json:"family,omitempty"` // comma-separated; empty: all in Dir, FlatVel_A where data are made
	Count      int     `json:"count,omitempty"`
	Seed       uint64  `json:"seed"`       // of data that are made, and of the split
	Validation float64 `json:"validation"` // fraction of the pairs, where OpenFWI's split does not say which
}

// ownPerFile is how many pairs a file of data made for a run holds: few, so that little is lost when it is stopped.
const ownPerFile = 100

// defaultSource is what a first run trains on.
var defaultSource = source{Count: 800, Validation: 0.15}

func (s *source) register(f *flags) {
	f.StringVar(&s.Dir, "data", s.Dir, "`folder` of OpenFWI files: a family, or one above several")
	f.StringVar(&s.X, "x", s.X, "`file` of inputs (.npy), with -y")
	f.StringVar(&s.Y, "y", s.Y, "`file` of what to predict (.npy), with -x")
	f.StringVar(&s.Family, "family", s.Family, "`families` to take from -data (default all) or to make (default FlatVel_A), separated by commas")
	f.IntVar(&s.Count, "count", s.Count, "`number` of pairs to make of each family, without -data and -x")
	f.Uint64Var(&s.Seed, "data-seed", s.Seed, "seed of the data that are made and of a random split")
	f.Float64Var(&s.Validation, "validation", s.Validation, "`fraction` of the pairs to validate on, where OpenFWI's split does not say which")
}

func (s *source) validate() error {
	switch {
	case (s.X == "") != (s.Y == ""):
		return fmt.Errorf("-x and -y go together")
	case s.Dir != "" && s.X != "":
		return fmt.Errorf("-data and -x both name data; one of them is enough")
	case s.Family != "" && s.X != "":
		return fmt.Errorf("-family goes with -data or with data that are made, not with -x")
	case !(s.Validation > 0 && s.Validation < 1):
		return fmt.Errorf("-validation is %v; wanted a fraction between 0 and 1", s.Validation)
	case s.Dir == "" && s.X == "" && s.Count < 2:
		return fmt.Errorf("-count is %d; wanted 2 or more", s.Count)
	}
	_, err := s.families()
	return err
}

// families returns the families that the pairs are of, none for all that are in Dir.
func (s *source) families() ([]velocity.Family, error) {
	if s.Dir == "" && s.X == "" && s.Family == "" {
		return []velocity.Family{velocity.FlatVelA}, nil
	}
	return parseFamilies(s.Family)
}

// folder is where the OpenFWI files are, given or made.
func (s *source) folder() string {
	if s.Dir != "" {
		return s.Dir
	}
	return filepath.Join(runsFolder, "data", fmt.Sprintf("%dx-seed%d", s.Count, s.Seed))
}

// parseFamilies returns the families in a list that commas separate, or all, each once.
func parseFamilies(list string) ([]velocity.Family, error) {
	if list == "" {
		return nil, nil
	}
	if strings.EqualFold(list, "all") {
		return velocity.Families(), nil
	}
	var families []velocity.Family
	for _, word := range strings.Split(list, ",") {
		f, err := velocity.Parse(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(families, f) {
			families = append(families, f)
		}
	}
	return families, nil
}

// name is a short name of the data, for the folder of a run.
func (s *source) name() string {
	switch {
	case s.X != "":
		return strings.TrimSuffix(filepath.Base(s.X), ".npy")
	case s.Family != "":
		return strings.ReplaceAll(s.Family, ",", "+")
	case s.Dir != "":
		return filepath.Base(filepath.Clean(s.Dir))
	}
	return string(velocity.FlatVelA)
}

// open returns the pairs to train on and those to validate on. It makes the data first where that is asked for and they are not
// there yet.
func (s *source) open(ctx context.Context, env *environment) (train, val fwi.Data, err error) {
	if s.X != "" {
		d, err := openfwi.OpenArrays(s.X, s.Y)
		if err != nil {
			return nil, nil, err
		}
		return split(channelled{d}, s)
	}
	families, err := s.families()
	if err != nil {
		return nil, nil, err
	}
	dir := s.folder()
	if s.Dir == "" {
		for _, f := range families {
			r := recipe{Family: f, Count: s.Count, Seed: s.Seed, PerFile: ownPerFile, Steps: recordedSteps}
			if err := r.make(ctx, env, dir); err != nil {
				return nil, nil, err
			}
		}
	}
	training, err := openfwi.Open(dir, openfwi.Options{Families: families, Part: openfwi.Training})
	if err == nil {
		validation, err := openfwi.Open(dir, openfwi.Options{Families: families, Part: openfwi.Validation})
		if err == nil {
			return training, validation, nil
		}
		training.Close()
		if !errors.Is(err, openfwi.ErrNoPart) {
			return nil, nil, err
		}
	} else if !errors.Is(err, openfwi.ErrNoPart) {
		return nil, nil, err
	}
	// Some files only of the official ones: a random split.
	all, err := openfwi.Open(dir, openfwi.Options{Families: families})
	if err != nil {
		return nil, nil, err
	}
	return split(all, s)
}

func split(d fwi.Data, s *source) (train, val fwi.Data, err error) {
	a, b, err := fwi.Split(d, s.Validation, s.Seed)
	return a, b, err
}

// channelled gives samples without a channel axis an axis of one channel: those with fewer axes than their partner, and both where
// they are planes or lines.
type channelled struct{ fwi.Data }

func (c channelled) Shapes() (x, y []int) {
	x, y = c.Data.Shapes()
	nx, ny := len(x), len(y)
	if nx < ny || nx == ny && nx < 3 {
		x = append([]int{1}, x...)
	}
	if ny < nx || nx == ny && ny < 3 {
		y = append([]int{1}, y...)
	}
	return x, y
}

// model returns the configuration of a model of a kind for the data; preset is the size of a SPAMoE.
func (s *source) model(kind, preset string, train fwi.Data) (fwi.Config, error) {
	x, y := train.Shapes()
	c := fwi.Config{Network: kind, X: x, Y: y}
	if s.X == "" {
		families, err := s.families()
		if err != nil {
			return c, err
		}
		lo, hi := openfwi.GatherRange(families...)
		c.XNorm, c.YNorm = fwi.MinMax(fwi.GatherLog, lo, hi), fwi.MinMax(0, openfwi.VelocityMin, openfwi.VelocityMax)
		c.Unit = "m/s"
	} else {
		var err error
		if c.XNorm, c.YNorm, err = fwi.Standardise(train); err != nil {
			return c, err
		}
	}
	if err := defaultNetwork(&c, preset); err != nil {
		return c, err
	}
	return c, c.MeasureFloor(train)
}

// format writes an error in the unit of y.
func format(v float64, unit string) string {
	if unit == "" || math.Abs(v) < 1 {
		return strings.TrimSpace(fmt.Sprintf("%.4g %s", v, unit))
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}
