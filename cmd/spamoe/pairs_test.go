package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
)

// family writes n pairs of a family into the folder root; pair i has the velocity 2000+i everywhere.
func family(t *testing.T, root string, f velocity.Family, n int) {
	shards, err := openfwi.Plan(root, f, n, 4)
	require.NoError(t, err)
	gather, vel := make([]float32, openfwi.Shots*openfwi.Times*openfwi.Receivers), make([]float32, openfwi.Depths*openfwi.Places)
	for _, s := range shards {
		w, err := s.Create()
		require.NoError(t, err)
		for i := range s.N {
			for j := range vel {
				vel[j] = float32(2000 + s.First + i)
			}
			require.NoError(t, w.Add(gather, vel))
		}
		require.NoError(t, w.Commit())
	}
}

// velocities returns what each map of a set is made of.
func velocities(t *testing.T, d fwi.Data) (all []float32) {
	vel := make([]float32, openfwi.Depths*openfwi.Places)
	for i := range d.Len() {
		require.NoError(t, d.Read(i, nil, vel))
		all = append(all, vel[0])
	}
	return all
}

// -data is not measured on pairs that the model was trained on: of the run's own data the run's split counts, whatever the path.
func TestPairsOfAFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	family(t, "set", velocity.FlatVelA, 6)
	family(t, "set", velocity.CurveVelA, 5)
	c := runConfig{Data: source{Dir: "set", Validation: 0.3, Seed: 1}}
	train, val, err := c.Data.open(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 8, train.Len())
	require.NoError(t, os.Mkdir("run", 0o755))
	require.NoError(t, writeJSON(filepath.Join("run", configFile), c))

	open := func(model, dir, family string) (fwi.Data, string) {
		var notes bytes.Buffer
		p := namedPairs{dir: dir, family: family}
		require.NoError(t, p.validate())
		d, err := p.open(t.Context(), &environment{stderr: &notes}, filepath.Join(model, fwi.ModelFile))
		require.NoError(t, err)
		return d, notes.String()
	}
	d, notes := open("run", "./set/../set", "")
	require.Equal(t, velocities(t, val), velocities(t, d))
	require.Empty(t, notes)
	parts := 0
	for _, f := range []string{"FlatVel_A", "CurveVel_A"} {
		d, notes = open("run", "set", f)
		require.Empty(t, notes)
		require.Subset(t, velocities(t, val), velocities(t, d))
		parts += d.Len()
	}
	require.Equal(t, val.Len(), parts)

	// A model of other data, and one that tells of none.
	d, notes = open("elsewhere", "set", "FlatVel_A")
	require.Equal(t, 6, d.Len())
	require.Contains(t, notes, "all 6 pairs of set are taken")
	c.Data.Family = "CurveVel_A"
	require.NoError(t, writeJSON(filepath.Join("run", configFile), c))
	d, notes = open("run", "set", "")
	require.Equal(t, 11, d.Len())
	require.Contains(t, notes, "all 11 pairs of set are taken")

	// Data that a run made for itself.
	c.Data = source{Count: 5, Seed: 3, Validation: 0.3}
	family(t, c.Data.folder(), velocity.FlatVelA, 5)
	require.NoError(t, writeJSON(filepath.Join("run", configFile), c))
	require.True(t, c.Data.holds(c.Data.folder(), []velocity.Family{velocity.FlatVelA}))
	require.False(t, c.Data.holds(c.Data.folder(), []velocity.Family{velocity.StyleA}))
	require.False(t, c.Data.holds("set", []velocity.Family{velocity.FlatVelA}))
}
