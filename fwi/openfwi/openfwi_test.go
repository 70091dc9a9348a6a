package openfwi

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

// hollow makes an array of zeros that takes no room on the disk, with the marks at the start of each sample.
func hollow(t *testing.T, path, descr string, shape []int, marks ...float32) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", descr, strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]"))
	text += strings.Repeat(" ", 117-len(text)) + "\n"
	f, err := os.Create(path)
	require.NoError(t, err)
	_, err = f.WriteString("\x93NUMPY\x01\x00\x76\x00" + text)
	require.NoError(t, err)
	bytes := map[string]int{"<f4": 4, "|b1": 1, "<i2": 2}[descr]
	require.NoError(t, f.Truncate(int64(128+size(shape)*bytes)))
	for i, m := range marks[:min(len(marks), size(shape))] {
		bits := math.Float32bits(m)
		_, err = f.WriteAt([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}, int64(128+i*size(shape[1:])*4))
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
}

// vel makes file k of a Vel or Style family, its first pair marked by m, the next by m+1 ..
func vel(t *testing.T, dir string, k, n int, m float32) {
	t.Helper()
	hollow(t, filepath.Join(dir, "data", fmt.Sprintf("data%d.npy", k)), "<f4", append([]int{n}, GatherShape()...), marks(n, m)...)
	hollow(t, filepath.Join(dir, "model", fmt.Sprintf("model%d.npy", k)), "<f4", append([]int{n}, MapShape()...), marks(n, -m)...)
}

// fault makes file k of p layers of a Fault family.
func fault(t *testing.T, dir, dash string, p, k, n int, m float32) {
	t.Helper()
	hollow(t, filepath.Join(dir, fmt.Sprintf("seis%s%d_1_%d.npy", dash, p, k)), "<f4", append([]int{n}, GatherShape()...), marks(n, m)...)
	hollow(t, filepath.Join(dir, fmt.Sprintf("vel%s%d_1_%d.npy", dash, p, k)), "<f4", append([]int{n}, MapShape()...), marks(n, -m)...)
}

// marks counts up from m, away from zero.
func marks(n int, m float32) []float32 {
	list := make([]float32, n)
	for i := range list {
		list[i] = m + float32(math.Copysign(float64(i), float64(m)))
	}
	return list
}

// contents reads the marks of all pairs.
func contents(t *testing.T, d *Dataset) []float32 {
	t.Helper()
	x, y := make([]float32, Shots*Times*Receivers), make([]float32, Depths*Places)
	list := []float32{}
	for i := range d.Len() {
		require.NoError(t, d.Read(i, x, y))
		require.Equal(t, x[0], -y[0])
		list = append(list, x[0])
	}
	return list
}

func mustOpen(t *testing.T, root string, opts Options) *Dataset {
	t.Helper()
	d, err := Open(root, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// official makes a small set of three families in the official layout.
func official(t *testing.T, root string) {
	t.Helper()
	vel(t, filepath.Join(root, "FlatVel_A"), 48, 2, 10)
	vel(t, filepath.Join(root, "FlatVel_A"), 9, 3, 1)
	vel(t, filepath.Join(root, "FlatVel_A"), 49, 1, 12)
	vel(t, filepath.Join(root, "Style_B"), 120, 1, 50)
	vel(t, filepath.Join(root, "Style_B"), 121, 1, 51)
	fault(t, filepath.Join(root, "FlatFault_B"), "", 8, 0, 1, 30)
	fault(t, filepath.Join(root, "FlatFault_B"), "_", 6, 31, 1, 20)
	fault(t, filepath.Join(root, "FlatFault_B"), "", 6, 4, 2, 18)
	fault(t, filepath.Join(root, "FlatFault_B"), "", 6, 35, 1, 21)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "notes", "deep"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(root, "README.md"), nil, 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(root, "FlatVel_A", "data", "._data9.npy"), nil, 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(root, "FlatVel_A", "data", ".data9.npy.3w5e11264sgsf.tmp"), nil, 0o666))
}

func TestOfficialLayout(t *testing.T) {
	root := t.TempDir()
	official(t, root)
	d := mustOpen(t, root, Options{})
	require.Equal(t, []float32{1, 2, 3, 10, 11, 12, 18, 19, 20, 21, 30, 50, 51}, contents(t, d))
	require.Equal(t, []velocity.Family{velocity.FlatVelA, velocity.FlatFaultB, velocity.StyleB}, d.Families())
	require.Equal(t, velocity.FlatFaultB, d.Family(7))
	path, k := d.Source(7)
	require.Equal(t, filepath.Join(root, "FlatFault_B", "seis6_1_4.npy"), path)
	require.Equal(t, 1, k)
	x, y := d.Shapes()
	require.Equal(t, []int{5, 1000, 70}, x)
	require.Equal(t, []int{1, 70, 70}, y)

	require.Equal(t, []float32{1, 2, 3, 10, 11, 18, 19, 20, 30, 50}, contents(t, mustOpen(t, root, Options{Part: Training})))
	require.Equal(t, []float32{12, 21, 51}, contents(t, mustOpen(t, root, Options{Part: Validation})))
	some := []velocity.Family{velocity.StyleB, velocity.FlatVelA}
	require.Equal(t, []float32{12, 51}, contents(t, mustOpen(t, root, Options{Families: some, Part: Validation})))
	one := mustOpen(t, filepath.Join(root, "FlatFault_B"), Options{})
	require.Equal(t, []float32{18, 19, 20, 21, 30}, contents(t, one))
	t.Chdir(filepath.Join(root, "Style_B"))
	require.Equal(t, []float32{50, 51}, contents(t, mustOpen(t, ".", Options{})))
}

func TestKaggleLayout(t *testing.T) {
	root := t.TempDir()
	official(t, filepath.Join(root, "train_samples"))
	for i := range 3 {
		hollow(t, filepath.Join(root, "test", fmt.Sprintf("%c.npy", 'c'-i)), "<f4", GatherShape(), float32(i))
	}
	require.Equal(t, []float32{12, 21, 51}, contents(t, mustOpen(t, root, Options{Part: Validation})))
	g, err := OpenGathers(root)
	require.NoError(t, err)
	require.Equal(t, 3, g.Len())
	require.Equal(t, GatherShape(), g.Shape())
	dst := make([]float32, size(g.Shape()))
	for i, name := range []string{"a", "b", "c"} {
		require.Equal(t, name, g.Name(i))
		require.NoError(t, g.Read(i, dst))
		require.Equal(t, float32(2-i), dst[0])
	}
	require.ErrorContains(t, g.Read(3, dst), "gather 3, but there are 3")
	require.NoError(t, g.Close())
	hollow(t, filepath.Join(root, "test", "b.npy"), "<f4", []int{5, 1000, 69})
	require.ErrorContains(t, g.Read(1, dst), "b.npy: shape 5x1000x69, want 5x1000x70 as a.npy has")
}

func TestPartOf(t *testing.T) {
	require.Equal(t, "Part(3)", Part(3).String())
	sizes := map[velocity.Family][2]int{} // files of the official sets, 500 pairs each
	for _, f := range velocity.Families() {
		first, last, each := 1, 60, 1
		if f.Faulted() {
			first, last, each = 0, 35, len(f.Layers())
		} else if strings.HasPrefix(string(f), "Style") {
			last = 134
		}
		n := [2]int{}
		for k := first; k <= last; k++ {
			n[PartOf(f, k)-Training] += each * PairsPerFile
		}
		sizes[f] = n
	}
	for f, want := range map[velocity.Family][2]int{
		velocity.FlatVelA: {24000, 6000}, velocity.CurveVelB: {24000, 6000}, velocity.FlatFaultA: {48000, 6000},
		velocity.CurveFaultB: {48000, 6000}, velocity.StyleA: {60000, 7000},
	} {
		require.Equal(t, want, sizes[f], f)
	}
	require.Equal(t, "validation", Validation.String())
	require.Equal(t, Validation, PartOf("CFA", 32))
	lo, hi := GatherRange("stylea")
	require.Equal(t, gatherRanges[velocity.StyleA], [2]float64{lo, hi})
}

func TestWhatIsWrongWithAFolder(t *testing.T) {
	root := t.TempDir()
	data := func(dir string, k int) string {
		return filepath.Join(root, dir, "data", fmt.Sprintf("data%d.npy", k))
	}
	for _, c := range []struct {
		name  string
		make  func()
		opts  Options
		under string
		wants []string
	}{
		{name: "absent", make: func() {}, under: "absent", wants: []string{"absent", "no such file"}},
		{name: "file", make: func() { hollow(t, filepath.Join(root, "a.npy"), "<f4", []int{1}) }, under: "a.npy", wants: []string{"a.npy is a file, want a folder"}},
		{name: "empty", make: func() {}, wants: []string{root, "holds no folder of a family [FlatVel_A"}},
		{name: "others only", make: func() { _ = os.Mkdir(filepath.Join(root, "images"), 0o777) }, wants: []string{`its folders: ["images"]`}},
		{name: "unknown family", make: func() { vel(t, filepath.Join(root, "FlatVel_C"), 1, 1, 1) }, wants: []string{"FlatVel_C holds data, but its name is no family, want one of [FlatVel_A"}},
		{name: "unknown name of one", make: func() { vel(t, filepath.Join(root, "mine"), 1, 1, 1) }, under: "mine", wants: []string{"mine holds data of one family, but its name does not tell which"}},
		{name: "another family", make: func() { vel(t, filepath.Join(root, "Style_A"), 1, 1, 1) }, under: "Style_A", opts: Options{Families: []velocity.Family{velocity.StyleB}},
			wants: []string{"is the folder of Style_A, want [Style_B]"}},
		{name: "twice", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			vel(t, filepath.Join(root, "style-a"), 1, 1, 1)
		}, wants: []string{"Style_A and ", "style-a are folders of Style_A"}},
		{name: "missing family", make: func() { vel(t, filepath.Join(root, "Style_A"), 1, 1, 1) },
			opts: Options{Families: []velocity.Family{velocity.StyleA, velocity.FlatVelB, "Rocks"}}, wants: []string{"has no folder of FlatVel_B, Rocks"}},
		{name: "empty family", make: func() { _ = os.MkdirAll(filepath.Join(root, "Style_A"), 0o777) }, wants: []string{"Style_A is empty, want data/dataN.npy"}},
		{name: "no models", make: func() { hollow(t, data("Style_A", 1), "<f4", append([]int{1}, GatherShape()...)) },
			wants: []string{"1 files miss their partner", "data1.npy has no velocity maps"}},
		{name: "many without partner", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			for k := 2; k < 9; k++ {
				hollow(t, filepath.Join(root, "Style_A", "model", fmt.Sprintf("model%d.npy", k)), "<f4", append([]int{1}, MapShape()...))
			}
		}, wants: []string{"7 files miss their partner", "model2.npy has no gathers", "and 2 more"}},
		{name: "unexpected name", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			hollow(t, filepath.Join(root, "Style_A", "data", "data1 (1).npy"), "<f4", []int{1})
		}, wants: []string{"data1 (1).npy has an unexpected name, want dataN.npy"}},
		{name: "number twice", make: func() {
			fault(t, filepath.Join(root, "FlatFault_A"), "", 2, 7, 1, 1)
			fault(t, filepath.Join(root, "FlatFault_A"), "_", 2, 7, 1, 1)
		}, wants: []string{"seis2_1_7.npy", "seis_2_1_7.npy", "are file 7"}},
		{name: "number too large", make: func() {
			hollow(t, filepath.Join(root, "Style_A", "data", "data99999999999999999999.npy"), "<f4", []int{1})
			_ = os.MkdirAll(filepath.Join(root, "Style_A", "model"), 0o777)
		}, wants: []string{"has an unexpected name"}},
		{name: "unequal numbers", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 2, 1)
			hollow(t, data("Style_A", 1), "<f4", append([]int{3}, GatherShape()...))
		}, wants: []string{"data1.npy has 3 gathers, but ", "model1.npy has 2 maps"}},
		{name: "no pairs", make: func() { vel(t, filepath.Join(root, "Style_A"), 1, 0, 1) }, wants: []string{"data1.npy holds no gathers"}},
		{name: "shape of gathers", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			hollow(t, data("Style_A", 1), "<f4", []int{1, 5, 1000, 71})
		}, wants: []string{"data1.npy: shape 1x5x1000x71, want Nx5x1000x70"}},
		{name: "shape of maps", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			hollow(t, filepath.Join(root, "Style_A", "model", "model1.npy"), "<f4", []int{1, 70, 70})
		}, wants: []string{"model1.npy: shape 1x70x70, want Nx1x70x70"}},
		{name: "type", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			hollow(t, data("Style_A", 1), "|b1", append([]int{1}, GatherShape()...))
		}, wants: []string{"data1.npy: elements are bool, want numbers"}},
		{name: "truncated", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			require.NoError(t, os.Truncate(filepath.Join(root, "Style_A", "model", "model1.npy"), 5000))
		}, wants: []string{"model1.npy", "truncated: the file has 5000 bytes"}},
		{name: "no validation part", make: func() {
			vel(t, filepath.Join(root, "Style_A"), 1, 1, 1)
			vel(t, filepath.Join(root, "Style_A"), 3, 1, 1)
		}, opts: Options{Part: Validation}, wants: []string{"Style_A has no file of the part validation: its files are numbered 1 to 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(root))
			require.NoError(t, os.Mkdir(root, 0o777))
			c.make()
			_, err := Open(filepath.Join(root, c.under), c.opts)
			for _, want := range c.wants {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := Open(root, Options{Part: Validation})
	require.ErrorIs(t, err, ErrNoPart)
	require.NoError(t, os.RemoveAll(root))
	vel(t, filepath.Join(root, "mine"), 1, 1, 4)
	d := mustOpen(t, filepath.Join(root, "mine"), Options{Families: []velocity.Family{velocity.StyleB}})
	require.Equal(t, velocity.StyleB, d.Family(0))
}

func TestReading(t *testing.T) {
	root := t.TempDir()
	vel(t, filepath.Join(root, "FlatVel_A"), 1, 4, 1)
	d := mustOpen(t, root, Options{})
	x, y := make([]float32, Shots*Times*Receivers), make([]float32, Depths*Places)
	require.NoError(t, d.Read(2, x, nil))
	require.Equal(t, float32(3), x[0])
	require.NoError(t, d.Read(3, nil, y))
	require.Equal(t, float32(-4), y[0])
	require.ErrorContains(t, d.Read(4, x, y), "pair 4, but the data set has 4")
	require.ErrorContains(t, d.Read(-1, x, y), "pair -1")
	require.ErrorContains(t, d.Read(0, x[1:], y), "room for 349999 elements, want 5x1000x70")

	hollow(t, filepath.Join(root, "FlatVel_A", "data", "data1.npy"), "<f4", append([]int{4}, GatherShape()...), 1, float32(math.NaN()))
	bad := mustOpen(t, root, Options{})
	err := bad.Read(1, x, y)
	require.ErrorContains(t, err, "data1.npy: sample 1: element [0,0,0] is NaN")
	require.NoError(t, bad.Read(0, x, y))
}

func TestManyReaders(t *testing.T) {
	root := t.TempDir()
	vel(t, filepath.Join(root, "FlatVel_A"), 1, 5, 1)
	vel(t, filepath.Join(root, "FlatVel_A"), 2, 5, 6)
	d := mustOpen(t, root, Options{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			x, y := make([]float32, Shots*Times*Receivers), make([]float32, Depths*Places)
			for k := range 10 {
				i := (3*k + g) % 10
				if err := d.Read(i, x, y); err != nil || x[0] != float32(i+1) || y[0] != -float32(i+1) {
					t.Errorf("pair %d: %v, %v, %v", i, x[0], y[0], err)
				}
			}
		})
	}
	wg.Wait()
}

func TestPairsOfPlainFiles(t *testing.T) {
	dir := t.TempDir()
	x, y := filepath.Join(dir, "x.npy"), filepath.Join(dir, "y.npy")
	for _, c := range []struct {
		x, y   []int
		n      int
		wx, wy []int
		want   string
	}{
		{x: []int{2, 5, 10, 7}, y: []int{2, 1, 7, 7}, n: 2, wx: []int{5, 10, 7}, wy: []int{1, 7, 7}},
		{x: []int{2, 5, 10, 7}, y: []int{2, 7, 7}, n: 2, wx: []int{5, 10, 7}, wy: []int{1, 7, 7}},
		{x: []int{1, 5, 10, 7}, y: []int{1, 7, 7}, n: 1, wx: []int{5, 10, 7}, wy: []int{1, 7, 7}},
		{x: []int{5, 10, 7}, y: []int{1, 1, 7, 7}, n: 1, wx: []int{5, 10, 7}, wy: []int{1, 7, 7}},
		{x: []int{5, 10, 7}, y: []int{1, 7, 7}, n: 1, wx: []int{5, 10, 7}, wy: []int{1, 7, 7}},
		{x: []int{5, 10, 7}, y: []int{7, 9}, n: 1, wx: []int{5, 10, 7}, wy: []int{1, 7, 9}},
		{x: []int{5, 10, 7}, y: []int{2, 7, 7}, want: "x.npy has 1 samples (5x10x7), but "},
		{x: []int{3, 5, 10, 7}, y: []int{7, 7}, want: "y.npy has 1 (7x7)"},
		{x: []int{10, 7}, y: []int{7, 7}, want: "x.npy: shape 10x7, want Nx5x1000x70 or 5x1000x70"},
		{x: []int{2, 5, 10, 7}, y: []int{2, 3, 7, 7}, want: "y.npy: shape 2x3x7x7, want Nx1x70x70"},
		{x: []int{0, 5, 10, 7}, y: []int{0, 7, 7}, want: "x.npy: shape 0x5x10x7 is empty"},
		{x: []int{1, 5, 10, 7}, y: []int{1, 0, 7}, want: "y.npy: shape 1x0x7 is empty"},
	} {
		hollow(t, x, "<f4", c.x, 3)
		hollow(t, y, "<f4", c.y, 4)
		d, err := OpenPair(x, y)
		if c.want != "" {
			require.ErrorContains(t, err, c.want)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.n, d.Len())
		gx, gy := d.Shapes()
		require.Equal(t, c.wx, gx)
		require.Equal(t, c.wy, gy)
		a, b := make([]float32, size(gx)), make([]float32, size(gy))
		require.NoError(t, d.Read(c.n-1, a, b))
		require.NoError(t, d.Read(0, a, b))
		require.Equal(t, []float32{3, 4}, []float32{a[0], b[0]})
		require.Empty(t, d.Family(0))
		require.NoError(t, d.Close())
	}
	_, err := OpenPair(filepath.Join(dir, "none.npy"), y)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = OpenPair(x, filepath.Join(dir, "none.npy"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnyArrays(t *testing.T) {
	dir := t.TempDir()
	x, y := filepath.Join(dir, "x.npy"), filepath.Join(dir, "y.npy")
	hollow(t, x, "<i2", []int{3, 16, 8})
	hollow(t, y, "<f4", []int{3, 17}, 1, 2, 3)
	d, err := OpenArrays(x, y)
	require.NoError(t, err)
	gx, gy := d.Shapes()
	require.Equal(t, []int{16, 8}, gx)
	require.Equal(t, []int{17}, gy)
	a, b := make([]float32, 128), make([]float32, 17)
	require.NoError(t, d.Read(2, a, b))
	require.Equal(t, float32(3), b[0])
	require.NoError(t, d.Close())
	for want, shapes := range map[string][2][]int{
		"x.npy has 3 samples (3x4), but ": {{3, 4}, {2, 4}},
		"y.npy: shape 3, want at least 2": {{3, 4}, {3}},
		"x.npy: shape 0x4 is empty":       {{0, 4}, {0, 4}},
	} {
		hollow(t, x, "<f4", shapes[0])
		hollow(t, y, "<f4", shapes[1])
		_, err := OpenArrays(x, y)
		require.ErrorContains(t, err, want)
	}
}

func TestGathers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "g.npy")
	hollow(t, path, "<f4", []int{2, 5, 10, 7}, 1, 2)
	g, err := OpenGathers(path)
	require.NoError(t, err)
	require.Equal(t, 2, g.Len())
	require.Equal(t, "g_1", g.Name(1))
	dst := make([]float32, 350)
	require.NoError(t, g.Read(1, dst))
	require.Equal(t, float32(2), dst[0])
	require.NoError(t, g.Close())
	hollow(t, path, "<f4", []int{5, 10, 7}, 9)
	g, err = OpenGathers(path)
	require.NoError(t, err)
	require.Equal(t, "g", g.Name(0))
	require.NoError(t, g.Read(0, dst))
	require.Equal(t, float32(9), dst[0])
	require.NoError(t, g.Close())

	hollow(t, path, "<f4", []int{10, 7})
	_, err = OpenGathers(path)
	require.ErrorContains(t, err, "g.npy: shape 10x7, want Nx5x1000x70 or 5x1000x70")
	hollow(t, path, "<f4", []int{0, 5, 10, 7})
	_, err = OpenGathers(path)
	require.ErrorContains(t, err, "is empty")
	hollow(t, path, "<f4", []int{2, 5, 10, 7})
	_, err = OpenGathers(dir)
	require.ErrorContains(t, err, "g.npy holds 2 gathers, want one in each file of a folder")
	_, err = OpenGathers(t.TempDir())
	require.ErrorContains(t, err, "holds no .npy file")
	_, err = OpenGathers(filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Opening and reading a family must not read its files: memory stays far below their 14 GB.
func TestLargeFilesAreNotRead(t *testing.T) {
	root := t.TempDir()
	for k := 1; k <= 20; k++ {
		vel(t, filepath.Join(root, "CurveVel_A"), k, PairsPerFile, 1)
	}
	d := mustOpen(t, root, Options{})
	require.Equal(t, 10000, d.Len())
	x, y := make([]float32, Shots*Times*Receivers), make([]float32, Depths*Places)
	allocated := testing.AllocsPerRun(5, func() {
		require.NoError(t, d.Read(9999, x, y))
	})
	require.Equal(t, float32(500), x[0])
	require.Less(t, allocated, 20.0)
}

// The real pair of OpenFWI, and the numbers that are known of it.
func TestRealPair(t *testing.T) {
	x := testdata.Shared(t, "data", "openfwi", "CurveFault_B", "data_CF_sample0.npy")
	y := testdata.Shared(t, "data", "openfwi", "CurveFault_B", "model_CF_sample0.npy")
	d, err := OpenPair(x, y)
	require.NoError(t, err)
	defer d.Close()
	sx, sy := d.Shapes()
	require.Equal(t, GatherShape(), sx)
	require.Equal(t, MapShape(), sy)
	a, b := make([]float32, size(sx)), make([]float32, size(sy))
	require.NoError(t, d.Read(0, a, b))
	require.InDelta(t, -23.08, slices.Min(a), 0.01)
	require.InDelta(t, 45.13, slices.Max(a), 0.01)
	require.Equal(t, []float32{1764, 4233}, []float32{slices.Min(b), slices.Max(b)})
	lo, hi := GatherRange(velocity.CurveFaultB)
	require.Less(t, lo, float64(slices.Min(a)))
	require.Greater(t, hi, float64(slices.Max(a)))
}

func TestGatherRange(t *testing.T) {
	allLo, allHi := GatherRange()
	for _, f := range velocity.Families() {
		lo, hi := GatherRange(f)
		require.True(t, allLo-0.01 < lo && lo < -20 && hi > 45 && hi < allHi+0.01, "%s: %v %v", f, lo, hi)
	}
	lo, hi := GatherRange(velocity.FlatVelA, velocity.StyleA)
	require.Equal(t, []float64{allLo, allHi}, []float64{lo, hi})
}
