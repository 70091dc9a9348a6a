package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/progress"
)

const generateHelp = `
Makes pairs of velocity maps and gathers: maps drawn from the statistics of OpenFWI's ten families, gathers simulated with its
survey and scheme, written in its file layout. Pair i of a family depends on the seed and on i alone. A run that was stopped
goes on after the last file that is complete when it is started again with the same flags. Mean and standard deviation of each
family's maps are printed, to hold against those of OpenFWI. With -maps-only the maps alone are made, in OUT/FAMILY.npy.

families: FlatVel_A FlatVel_B CurveVel_A CurveVel_B FlatFault_A FlatFault_B CurveFault_A CurveFault_B Style_A Style_B, or all`

// recordedSteps is how many of the 1000 rows of a gather the published data hold; the last one is zero.
const recordedSteps = 999

func generate(ctx context.Context, env *environment, args []string) error {
	f := newFlags("generate", "", generateHelp)
	list := f.String("family", string(velocity.FlatVelA), "`families` to make, separated by commas, or all")
	count := f.Int("count", 500, "`number` of pairs of each family")
	seed := f.Uint64("seed", 0, "`seed` of the maps")
	out := f.String("out", "data", "`folder` to write; each family gets one of its own in it")
	perFile := f.Int("per-file", openfwi.PairsPerFile, "`number` of pairs in a file")
	png := f.String("png", "", "`file` for a picture of ten maps of each family")
	mapsOnly := f.Bool("maps-only", false, "make velocity maps without gathers")
	if err := f.parse(env, args); err != nil {
		return err
	}
	families, err := parseFamilies(*list)
	if err != nil {
		return usageError{err}
	}
	if len(families) == 0 {
		return misuse("-family is empty; wanted one of %v, or all", velocity.Families())
	}
	if *count < 1 || *perFile < 1 {
		return misuse("-count is %d and -per-file %d; wanted 1 or more", *count, *perFile)
	}
	if *mapsOnly && f.given("per-file") {
		return misuse("-per-file is of pairs; -maps-only makes one file of each family")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	if err := checkOutputs([]namedFile{{"-png", *png}}, nil); err != nil {
		return err
	}
	var recipes []recipe
	for _, family := range families {
		r := recipe{Family: family, Count: *count, Seed: *seed, PerFile: *perFile, Steps: recordedSteps}
		recipes = append(recipes, r)
		path := filepath.Join(*out, string(family))
		if *mapsOnly {
			path += ".npy"
			err = r.makeMaps(ctx, path)
		} else {
			err = r.make(ctx, env, *out)
		}
		if err != nil {
			return err
		}
		mean, std, err := r.statistics()
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s: %d maps, mean %.0f m/s, standard deviation %.0f m/s\n", path, *count, mean, std)
	}
	if *png == "" {
		return nil
	}
	return drawRecipes(*png, recipes)
}

// recipe is all that the files of a generated family depend on. It is kept beside them, so that a folder never mixes two.
type recipe struct {
	Family  velocity.Family `json:"family"`
	Count   int             `json:"count"`
	Seed    uint64          `json:"seed"`
	PerFile int             `json:"per_file"`
	Steps   int             `json:"steps"`
}

// recipeFile holds the recipe in the folder of a family.
const recipeFile = "generated.json"

// make writes the files of the family that are not there yet into its folder in root.
func (r recipe) make(ctx context.Context, env *environment, root string) error {
	shards, err := openfwi.Plan(root, r.Family, r.Count, r.PerFile)
	if err != nil {
		return err
	}
	if err := r.claim(filepath.Join(root, string(r.Family))); err != nil {
		return err
	}
	solver, err := wave.New[float32](wave.Config{Steps: r.Steps}, openfwi.Depths, openfwi.Places)
	if err != nil {
		return err
	}
	bar := progress.Start(env.stderr, "making "+string(r.Family), r.Count)
	defer bar.Done()
	for _, s := range shards {
		done, err := s.Done()
		if err != nil {
			return err
		}
		if done {
			bar.Add(s.N)
			continue
		}
		if err := r.fill(ctx, s, solver, bar); err != nil {
			return err
		}
	}
	return nil
}

// claim notes the recipe in the folder of the family, and refuses a folder that was filled by another one, or that has arrays
// without a recipe.
func (r recipe) claim(dir string) error {
	path := filepath.Join(dir, recipeFile)
	var found recipe
	switch err := readJSON(path, &found); {
	case err == nil && found != r:
		return fmt.Errorf("%s was made with other settings (%s): remove it or choose another folder", dir, path)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, pattern := range []string{"*.npy", "data/*.npy", "model/*.npy"} {
		if arrays, _ := fs.Glob(os.DirFS(dir), pattern); len(arrays) > 0 {
			return fmt.Errorf("%s is there without %s, which would say how it was made: remove it or choose another folder", filepath.Join(dir, arrays[0]), path)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeJSON(path, r)
}

// fill makes the pairs of one shard.
func (r recipe) fill(ctx context.Context, s openfwi.Shard, solver *wave.Solver[float32], bar *progress.Bar) error {
	maps, err := velocity.New(velocity.Config{Family: r.Family, Seed: r.Seed, Layers: s.Layers})
	if err != nil {
		return err
	}
	w, err := s.Create()
	if err != nil {
		return err
	}
	defer w.Abort()
	const group = 4 // maps whose shots run side by side
	nv, ng := openfwi.Depths*openfwi.Places, openfwi.Shots*openfwi.Times*openfwi.Receivers
	v, g := make([]float32, group*nv), make([]float32, group*ng)
	for first := 0; first < s.N; first += group {
		n := min(group, s.N-first)
		for k := range n {
			maps.Map(v[k*nv:][:nv], s.First+first+k)
		}
		if err := solver.Forward(ctx, g[:n*ng], v[:n*nv]); err != nil {
			return err
		}
		for k := range n {
			if err := w.Add(g[k*ng:][:ng], v[k*nv:][:nv]); err != nil {
				return err
			}
		}
		bar.Add(n)
	}
	return w.Commit()
}
