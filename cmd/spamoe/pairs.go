package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
)

const pairsHelp = `
The pairs are those that the model's run was validated on; or all of a file of gathers with its file of maps (-in, -vel), or of two
arrays of samples (-x, -y); or OpenFWI files (-data), of the run's own data the part that it was validated on, of others the
official validation part or, where there is none, all, with a note.`

// namedPairs are the flags of commands that apply a model to pairs.
type namedPairs struct{ dir, family, in, vel, x, y string }

func (p *namedPairs) register(f *flags) {
	f.StringVar(&p.dir, "data", "", "`folder` of OpenFWI files")
	f.StringVar(&p.family, "family", "", "`families` to take from -data, separated by commas (default all)")
	f.StringVar(&p.in, "in", "", "`file` of gathers (.npy): 5x1000x70 or Nx5x1000x70")
	f.StringVar(&p.vel, "vel", "", "`file` of velocity maps (.npy): 70x70, Nx70x70 or Nx1x70x70")
	f.StringVar(&p.x, "x", "", "`file` of inputs (.npy)")
	f.StringVar(&p.y, "y", "", "`file` of true outputs (.npy)")
}

func (p *namedPairs) validate() error {
	named := 0
	for _, s := range []string{p.dir, p.in, p.x} {
		if s != "" {
			named++
		}
	}
	switch {
	case (p.in == "") != (p.vel == "") || (p.x == "") != (p.y == ""):
		return errors.New("-in goes with -vel, and -x with -y")
	case p.family != "" && p.dir == "":
		return errors.New("-family goes with -data")
	case named > 1:
		return errors.New("-data, -in and -x all name data; one of them is enough")
	}
	_, err := parseFamilies(p.family)
	return err
}

// files are the files that the flags name.
func (p *namedPairs) files() []namedFile {
	return []namedFile{{"-in", p.in}, {"-vel", p.vel}, {"-x", p.x}, {"-y", p.y}}
}

// open opens the pairs for the model in a file.
func (p *namedPairs) open(ctx context.Context, env *environment, model string) (fwi.Data, error) {
	switch {
	case p.in != "":
		return openfwi.OpenPair(p.in, p.vel)
	case p.x != "":
		d, err := openfwi.OpenArrays(p.x, p.y)
		if err != nil {
			return nil, err
		}
		return channelled{d}, nil
	case p.dir != "":
		return p.openFolder(ctx, env, model)
	}
	c, err := runOf(model)
	if err != nil {
		return nil, fmt.Errorf("no data are named (-data, -in with -vel, or -x with -y), and the model does not tell which it was validated on: %w", err)
	}
	_, val, err := c.Data.open(ctx, env)
	return val, err
}

// openFolder opens the pairs of -data that a model was not trained on, as far as can be known.
func (p *namedPairs) openFolder(ctx context.Context, env *environment, model string) (fwi.Data, error) {
	families, err := parseFamilies(p.family)
	if err != nil {
		return nil, err
	}
	all, err := openfwi.Open(p.dir, openfwi.Options{Families: families})
	if err != nil {
		return nil, err
	}
	if c, err := runOf(model); err == nil && c.Data.holds(p.dir, all.Families()) {
		defer all.Close()
		_, val, err := c.Data.open(ctx, env)
		if err != nil {
			return nil, err
		}
		if val = ofFamilies(val, all.Families()); val.Len() == 0 {
			return nil, fmt.Errorf("%s: the run of the model was validated on no pairs of %s", p.dir, p.family)
		}
		return val, nil
	}
	val, err := openfwi.Open(p.dir, openfwi.Options{Families: families, Part: openfwi.Validation})
	if !errors.Is(err, openfwi.ErrNoPart) {
		all.Close()
		return val, err
	}
	fmt.Fprintf(env.stderr, "all %d pairs of %s are taken: it has no file of OpenFWI's validation part, and the model does not tell of a run on it\n", all.Len(), p.dir)
	return all, nil
}

// runOf reads the configuration of the run that a model file lies in.
func runOf(model string) (c runConfig, err error) {
	err = readJSON(filepath.Join(filepath.Dir(model), configFile), &c)
	return c, err
}

// holds reports whether the source has the OpenFWI files of these families in a folder.
func (s *source) holds(dir string, families []velocity.Family) bool {
	own, err := s.families()
	if s.X != "" || err != nil {
		return false
	}
	a, errA := os.Stat(s.folder())
	b, errB := os.Stat(dir)
	other := func(f velocity.Family) bool { return !slices.Contains(own, f) }
	return errA == nil && errB == nil && os.SameFile(a, b) && (own == nil || !slices.ContainsFunc(families, other))
}

// ofFamilies returns the pairs of a set that are of these families.
func ofFamilies(d fwi.Data, families []velocity.Family) fwi.Data {
	part, family := fwi.Subset{Data: d}, familyOf(d)
	for i := range d.Len() {
		if slices.Contains(families, velocity.Family(family(i))) {
			part.Index = append(part.Index, i)
		}
	}
	return part
}
