package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/picture"
)

// each draws the maps of the recipe in the order of its files.
func (r recipe) each(f func(v []float32) error) error {
	shards, err := openfwi.Plan("", r.Family, r.Count, r.PerFile)
	if err != nil {
		return err
	}
	v := make([]float32, openfwi.Depths*openfwi.Places)
	for _, s := range shards {
		maps, err := velocity.New(velocity.Config{Family: r.Family, Seed: r.Seed, Layers: s.Layers})
		if err != nil {
			return err
		}
		for i := range s.N {
			maps.Map(v, s.First+i)
			if err := f(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeMaps writes the maps of the recipe, without gathers, to one file.
func (r recipe) makeMaps(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	w, err := npy.Create[float32](path, append([]int{r.Count}, openfwi.MapShape()...))
	if err != nil {
		return err
	}
	defer w.Abort()
	err = r.each(func(v []float32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.Append(v)
	})
	if err != nil {
		return err
	}
	return w.Commit()
}

// statistics returns the mean and the standard deviation over all points of all maps.
func (r recipe) statistics() (mean, std float64, err error) {
	sum, square, n := 0.0, 0.0, 0
	err = r.each(func(v []float32) error {
		for _, x := range v {
			d := float64(x) - 3000 // near the mean, for the sake of the difference below
			sum += d
			square += d * d
		}
		n += len(v)
		return nil
	})
	mean = sum / float64(n)
	return 3000 + mean, math.Sqrt(square/float64(n) - mean*mean), err
}

// drawRecipes draws maps of each recipe.
func drawRecipes(path string, recipes []recipe) error {
	g := picture.Gallery{Frame: picture.Velocity(openfwi.Depths, openfwi.Places, 10), Title: "Generated velocity maps", Min: openfwi.VelocityMin, Max: openfwi.VelocityMax}
	for _, r := range recipes {
		row, err := r.row()
		if err != nil {
			return err
		}
		g.Rows = append(g.Rows, row)
	}
	return picture.Save(path, g)
}

// row returns up to ten maps, spread evenly over the files: those of a fault family begin with the fewest layers.
func (r recipe) row() (picture.Row, error) {
	row := picture.Row{Label: strings.ReplaceAll(string(r.Family), "_", "-")}
	i, n := 0, min(r.Count, 10)
	err := r.each(func(v []float32) error {
		if i == len(row.Maps)*r.Count/n {
			row.Maps = append(row.Maps, slices.Clone(v))
		}
		i++
		return nil
	})
	return row, err
}
