package npy

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

func TestWriteAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	for _, shape := range [][]int{{}, {1}, {5}, {0, 3}, {2, 3, 4}, {1, 1, 70, 70}} {
		n := 1
		for _, s := range shape {
			n *= s
		}
		f32, f64, i64 := make([]float32, n), make([]float64, n), make([]int64, n)
		for i := range n {
			f32[i], f64[i], i64[i] = float32(i)/3, -float64(i)/7, math.MinInt64+int64(i)
		}
		require.NoError(t, Write(path, shape, f32))
		got32, got, err := Read[float32](path)
		require.NoError(t, err)
		require.Equal(t, shape, got)
		require.Equal(t, f32, got32)
		require.NoError(t, Write(path, shape, f64))
		got64, _, err := Read[float64](path)
		require.NoError(t, err)
		require.Equal(t, f64, got64)
		require.NoError(t, Write(path, shape, i64))
		goti, _, err := Read[int64](path)
		require.NoError(t, err)
		require.Equal(t, i64, goti)
	}
}

// The header as NumPy writes it for np.zeros((500, 5), "float32"), padded so that the elements begin at byte 128.
func TestHeaderIsThatOfNumPy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	require.NoError(t, Write(path, []int{500, 5}, make([]float32, 2500)))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (500, 5), }", string(b[:71]))
	require.Equal(t, byte('\n'), b[127])
	require.Len(t, b, 128+10000)
}

// An array that NumPy wrote gives the same bytes when it is written again.
func TestBytesAreThoseOfNumPy(t *testing.T) {
	for _, name := range []string{"input.npy", "output.npy"} {
		path := testdata.Shared(t, "golden", "transforms_log_minmax", name)
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		data, shape, err := Read[float32](path)
		require.NoError(t, err)
		again := filepath.Join(t.TempDir(), name)
		require.NoError(t, Write(again, shape, data))
		got, err := os.ReadFile(again)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// Elements as a machine of the other byte order would write them: the path that does not copy memory.
func TestLittleEndianBytes(t *testing.T) {
	require.Equal(t, []byte{0, 0, 0x80, 0x3f}, appendLittle(nil, []float32{1}))
	require.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, appendLittle(nil, []float64{1}))
	require.Equal(t, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, appendLittle(nil, []int64{-2}))
}

func TestStreamingWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	require.NoError(t, Write(path, []int{1}, []float32{7}))
	w, err := Create[float32](path, []int{3, 2})
	require.NoError(t, err)
	require.NoError(t, w.Append([]float32{0, 1}))
	require.NoError(t, w.Append([]float32{2}))
	old, _, err := Read[float32](path)
	require.NoError(t, err)
	require.Equal(t, []float32{7}, old, "the old file stays until the commit")
	require.ErrorContains(t, w.Append(make([]float32, 4)), "1 elements more than shape 3x2")
	require.NoError(t, w.Append([]float32{3, 4, 5}))
	require.NoError(t, w.Sync())
	require.NoError(t, w.Commit())
	w.Abort()
	got, shape, err := Read[float32](path)
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, shape)
	require.Equal(t, []float32{0, 1, 2, 3, 4, 5}, got)
}

func TestUnfinishedFilesDoNotAppear(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.npy")
	w, err := Create[float64](path, []int{3})
	require.NoError(t, err)
	require.NoError(t, w.Append([]float64{1}))
	require.ErrorContains(t, w.Commit(), "2 elements of shape 3 are missing")
	w, err = Create[float64](path, []int{3})
	require.NoError(t, err)
	w.Abort()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
	require.ErrorContains(t, Write(path, []int{2}, []float64{1}), "1 elements of shape 2 are missing")
	require.ErrorContains(t, Write(path, []int{1}, []float64{1, 2}), "1 elements more")
	require.ErrorContains(t, Write(path, []int{-1}, []float64{}), "negative")
	require.ErrorContains(t, Write(path, []int{math.MaxInt, 2}, []float64{}), "overflows")
	require.ErrorContains(t, Write(path, make([]int, 65), []float64{}), "more than 64 axes")
	require.Error(t, Write(filepath.Join(dir, "absent", "a.npy"), []int{1}, []float64{1}))
	require.NoFileExists(t, path)
}

func TestFullDisk(t *testing.T) {
	dir := testdata.SmallDisk(t, 1<<20)
	path := filepath.Join(dir, "a.npy")
	require.NoError(t, Write(path, []int{2}, []float32{1, 2}))
	err := Write(path, []int{1 << 20}, make([]float32, 1<<20))
	require.ErrorContains(t, err, path)
	got, _, err := Read[float32](path)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, got)
}
