package openfwi

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

// add writes a pair marked by m.
func add(t *testing.T, w *ShardWriter, m float32) error {
	t.Helper()
	x, y := make([]float32, Shots*Times*Receivers), make([]float32, Depths*Places)
	x[0], y[0] = m, -m
	return w.Add(x, y)
}

func TestPlan(t *testing.T) {
	shards, err := Plan("out", velocity.StyleA, 1200, 0)
	require.NoError(t, err)
	require.Equal(t, []Shard{
		{Family: velocity.StyleA, Number: 1, N: 500, First: 0, Gathers: "out/Style_A/data/data1.npy", Maps: "out/Style_A/model/model1.npy"},
		{Family: velocity.StyleA, Number: 2, N: 500, First: 500, Gathers: "out/Style_A/data/data2.npy", Maps: "out/Style_A/model/model2.npy"},
		{Family: velocity.StyleA, Number: 3, N: 200, First: 1000, Gathers: "out/Style_A/data/data3.npy", Maps: "out/Style_A/model/model3.npy"},
	}, slash(shards))
	shards, err = Plan("out", velocity.CurveFaultB, 8, 2)
	require.NoError(t, err)
	require.Equal(t, []Shard{
		{Family: velocity.CurveFaultB, Layers: 6, Number: 0, N: 2, First: 0, Gathers: "out/CurveFault_B/seis_6_1_0.npy", Maps: "out/CurveFault_B/vel_6_1_0.npy"},
		{Family: velocity.CurveFaultB, Layers: 6, Number: 1, N: 1, First: 2, Gathers: "out/CurveFault_B/seis_6_1_1.npy", Maps: "out/CurveFault_B/vel_6_1_1.npy"},
		{Family: velocity.CurveFaultB, Layers: 7, Number: 0, N: 2, First: 0, Gathers: "out/CurveFault_B/seis_7_1_0.npy", Maps: "out/CurveFault_B/vel_7_1_0.npy"},
		{Family: velocity.CurveFaultB, Layers: 7, Number: 1, N: 1, First: 2, Gathers: "out/CurveFault_B/seis_7_1_1.npy", Maps: "out/CurveFault_B/vel_7_1_1.npy"},
		{Family: velocity.CurveFaultB, Layers: 8, Number: 0, N: 2, First: 0, Gathers: "out/CurveFault_B/seis_8_1_0.npy", Maps: "out/CurveFault_B/vel_8_1_0.npy"},
	}, slash(shards))
	shards, err = Plan("out", velocity.FlatFaultA, 1, 0)
	require.NoError(t, err)
	require.Len(t, shards, 1)
	for _, spelling := range []velocity.Family{"CurveFault-A", "curvefaulta", "CFA"} {
		want, err := Plan("out", velocity.CurveFaultA, 20, 3)
		require.NoError(t, err)
		shards, err = Plan("out", spelling, 20, 3)
		require.NoError(t, err)
		require.Equal(t, want, shards)
	}
	for _, bad := range []struct {
		f       velocity.Family
		n, each int
	}{{"Rocks", 1, 1}, {velocity.StyleA, 0, 1}, {velocity.StyleA, 1, -1}} {
		_, err = Plan("out", bad.f, bad.n, bad.each)
		require.Error(t, err)
	}
}

func slash(shards []Shard) []Shard {
	for i := range shards {
		shards[i].Gathers, shards[i].Maps = filepath.ToSlash(shards[i].Gathers), filepath.ToSlash(shards[i].Maps)
	}
	return shards
}

// Every family is planned, written, and read back in the order of the shards.
func TestWriteEveryFamily(t *testing.T) {
	root := t.TempDir()
	var want []float32
	for _, f := range velocity.Families() {
		shards, err := Plan(root, f, 3, 2)
		require.NoError(t, err)
		for _, s := range shards {
			done, err := s.Done()
			require.NoError(t, err)
			require.False(t, done)
			w, err := s.Create()
			require.NoError(t, err)
			for range s.N {
				want = append(want, float32(len(want)+1))
				require.NoError(t, add(t, w, want[len(want)-1]))
			}
			require.NoError(t, w.Commit())
			w.Abort()
			done, err = s.Done()
			require.NoError(t, err)
			require.True(t, done)
			_, err = s.Create()
			require.ErrorContains(t, err, "exist already")
		}
	}
	d := mustOpen(t, root, Options{})
	require.Equal(t, want, contents(t, d))
	require.Equal(t, velocity.Families(), d.Families())
}

func TestUnfinishedShardsDoNotAppear(t *testing.T) {
	root := t.TempDir()
	shards, err := Plan(root, velocity.FlatVelA, 2, 0)
	require.NoError(t, err)
	s := shards[0]
	// A generator that was killed leaves the temporary files only.
	killed, err := s.Create()
	require.NoError(t, err)
	require.NoError(t, add(t, killed, 1))
	require.NoFileExists(t, s.Gathers)
	_, err = Open(root, Options{})
	require.ErrorContains(t, err, "is empty")

	w, err := s.Create()
	require.NoError(t, err)
	require.NoError(t, add(t, w, 1))
	require.ErrorContains(t, w.Commit(), "are missing")
	require.NoFileExists(t, s.Gathers)
	require.NoFileExists(t, s.Maps)
	killed.Abort()

	w, err = s.Create()
	require.NoError(t, err)
	require.ErrorContains(t, w.Add(make([]float32, 3), make([]float32, 4900)), "pair of 3 and 4900 elements, want 350000 and 4900")
	require.NoError(t, add(t, w, 1))
	require.NoError(t, add(t, w, 2))
	require.ErrorContains(t, add(t, w, 3), "350000 elements more")
	require.NoError(t, w.Commit())
	require.Equal(t, []float32{1, 2}, contents(t, mustOpen(t, root, Options{})))

	// Maps without gathers, should the process die just between the two, count as not done and are written again.
	require.NoError(t, os.Remove(s.Gathers))
	done, err := s.Done()
	require.NoError(t, err)
	require.False(t, done)
	w, err = s.Create()
	require.NoError(t, err)
	w.Abort()

	hollow(t, s.Gathers, "<f4", []int{3, 5, 1000, 70})
	_, err = s.Done()
	require.ErrorContains(t, err, "shape 3x5x1000x70, want 2x5x1000x70")
	_, err = s.Create()
	require.Error(t, err)
	require.NoError(t, os.WriteFile(s.Gathers, []byte("x"), 0o666))
	_, err = s.Done()
	require.ErrorContains(t, err, "not a .npy file")
}

func TestFullDisk(t *testing.T) {
	root := testdata.SmallDisk(t, 2<<20)
	shards, err := Plan(root, velocity.FlatVelA, 3, 1)
	require.NoError(t, err)
	w, err := shards[0].Create()
	require.NoError(t, err)
	require.NoError(t, add(t, w, 1))
	require.NoError(t, w.Commit())
	w, err = shards[1].Create()
	require.NoError(t, err)
	if err = add(t, w, 2); err == nil {
		err = w.Commit()
	}
	require.ErrorContains(t, err, "no space left on device")
	w.Abort()
	require.Equal(t, []float32{1}, contents(t, mustOpen(t, root, Options{})))
}
