package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spamoe/spamoe/internal/npy"
	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

// raw makes a file with this header, as it stands, and body.
func raw(header string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), body...)
}

func readBytes(b []byte) (*File, error) { return ReadFrom(bytes.NewReader(b), int64(len(b))) }

func TestWriteAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	tensors := map[string]Tensor{
		"weight.tensor": FromFloat32([]float32{1, -2, float32(math.Inf(1)), 1e-45, 0, 3}, 2, 3),
		"scalar":        FromFloat64([]float64{math.Pi}),
		"count":         FromInt64([]int64{math.MinInt64, math.MaxInt64}, 2),
		"empty":         FromFloat32(nil, 0, 5),
		"half":          {DType: F16, Shape: []int{3}, Data: []byte{0, 0x3c, 0, 0xc0, 1, 0}},
		"brain":         {DType: BF16, Shape: []int{1}, Data: []byte{0x80, 0x3f}},
		"complex":       {DType: C64, Shape: []int{1}, Data: FromFloat32([]float32{1, 2}, 2).Data},
		"bytes":         {DType: U8, Shape: []int{3}, Data: []byte{0, 1, 255}},
		"signed":        {DType: I8, Shape: []int{1}, Data: []byte{255}},
		"short":         {DType: I16, Shape: []int{1}, Data: []byte{0xfe, 0xff}},
		"int":           {DType: I32, Shape: []int{1}, Data: []byte{0xfd, 0xff, 0xff, 0xff}},
		"truth":         {DType: Bool, Shape: []int{2}, Data: []byte{0, 1}},
		`"quoted" <ü>`:  FromFloat32([]float32{4}, 1),
	}
	meta := map[string]string{"b": "2 < 3 & \"x\"\n", "a": "ünï"}
	require.NoError(t, Write(path, tensors, meta))
	f, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, path, f.Name())
	require.Equal(t, meta, f.Metadata)
	require.Len(t, f.Names(), len(tensors))
	require.True(t, slices.IsSorted(f.Names()))
	for name, want := range tensors {
		got, ok := f.Tensor(name)
		require.True(t, ok, name)
		require.Equal(t, want.DType, got.DType)
		require.Equal(t, append([]int{}, want.Shape...), got.Shape, name)
		require.True(t, bytes.Equal(want.Data, got.Data), name)
	}
	_, ok := f.Tensor("absent")
	require.False(t, ok)

	for name, want := range map[string][]float64{
		"half": {1, -2, 0x1p-24}, "brain": {1}, "complex": {1, 2}, "bytes": {0, 1, 255}, "signed": {-1}, "short": {-2}, "int": {-3},
		"truth": {0, 1}, "scalar": {math.Pi}, "weight.tensor": {1, -2, math.Inf(1), float64(float32(1e-45)), 0, 3},
	} {
		got, _ := f.Tensor(name)
		require.Equal(t, want, got.Float64(), name)
		for i, x := range got.Float32() {
			require.Equal(t, float32(want[i]), x, name)
		}
		ints, err := got.Int64()
		if !got.DType.IsInteger() {
			require.ErrorContains(t, err, "want integers")
			continue
		}
		for i, x := range ints {
			require.Equal(t, int64(want[i]), x, name)
		}
	}
	counts, _ := f.Tensor("count")
	ints, err := counts.Int64()
	require.NoError(t, err)
	require.Equal(t, []int64{math.MinInt64, math.MaxInt64}, ints)
	require.Equal(t, 2, counts.Count())
}

func TestFilesAreDeterministicAndAligned(t *testing.T) {
	tensors := map[string]Tensor{}
	meta := map[string]string{}
	for i := range 20 {
		tensors[fmt.Sprint("f", i)] = FromFloat32(make([]float32, i), i)
		tensors[fmt.Sprint("d", i)] = FromFloat64(make([]float64, i), i)
		tensors[fmt.Sprint("u", i)] = Tensor{DType: U8, Shape: []int{i}, Data: make([]byte, i)}
		meta[fmt.Sprint(i)] = "x"
	}
	var first []byte
	for range 5 {
		var b bytes.Buffer
		require.NoError(t, WriteTo(&b, tensors, meta))
		if first == nil {
			first = b.Bytes()
		}
		require.Equal(t, first, b.Bytes())
	}
	n := binary.LittleEndian.Uint64(first)
	require.Zero(t, n%8)
	var f File
	f.Metadata = map[string]string{}
	entries, err := f.parse(first[8 : 8+n])
	require.NoError(t, err)
	for _, e := range entries {
		require.Zero(t, e.begin%int64(e.dtype.Size()), e.name)
	}
}

// The bytes of a small file, so that the format cannot drift.
func TestBytesOfASmallFile(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteTo(&b, map[string]Tensor{"a": FromFloat32([]float32{1}, 1, 1)}, map[string]string{"k": "v"}))
	header := `{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`
	header += strings.Repeat(" ", 88-len(header))
	require.Equal(t, raw(header, []byte{0, 0, 0x80, 0x3f}), b.Bytes())
	b.Reset()
	require.NoError(t, WriteTo(&b, nil, nil))
	require.Equal(t, raw("{}      ", nil), b.Bytes())
}

func TestBadFiles(t *testing.T) {
	four := make([]byte, 4)
	entry := `{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	for _, c := range []struct {
		name, header string
		body         []byte
		want         string
	}{
		{"no object", `[]`, nil, `header begins with "[]"`},
		{"leading space", ` {}`, nil, `want {`},
		{"empty header", ``, nil, `want {`},
		{"not JSON", `{"a":}`, nil, "not valid JSON"},
		{"two values", `{}{}`, nil, "not valid JSON"},
		{"zero padding", "{}\x00\x00", nil, "not valid JSON"},
		{"not UTF-8", "{\"\xff\":" + entry + "}", four, "not valid JSON"},
		{"name twice", `{"a":` + entry + `,"a":` + entry + `}`, four, `names "a" twice`},
		{"name twice, escaped", `{"a":` + entry + `,"\u0061":` + entry + `}`, four, `names "a" twice`},
		{"member twice", `{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, four, `tensor "a" names "dtype" twice`},
		{"metadata twice", `{"__metadata__":{},"__metadata__":{}}`, nil, `names "__metadata__" twice`},
		{"metadata key twice", `{"__metadata__":{"k":"1","k":"2"}}`, nil, `__metadata__ names "k" twice`},
		{"metadata number", `{"__metadata__":{"k":1}}`, nil, "__metadata__.k is no string"},
		{"metadata list", `{"__metadata__":[]}`, nil, "__metadata__ is no JSON object"},
		{"tensor list", `{"a":[]}`, nil, `tensor "a" is no JSON object`},
		{"member missing", `{"a":{"dtype":"F32","shape":[1]}}`, four, `2 of the members`},
		{"member unknown", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, four, `unknown member "x"`},
		{"dtype number", `{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}`, four, `dtype of tensor "a" is no string`},
		{"dtype unknown", `{"a":{"dtype":"F8_E5M2","shape":[4],"data_offsets":[0,4]}}`, four, `tensor "a": dtype "F8_E5M2" is unknown`},
		{"dtype case", `{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}`, four, `dtype "f32" is unknown`},
		{"shape text", `{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}`, four, `shape of tensor "a" is no list`},
		{"shape negative", `{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, four, "has -1, want whole numbers"},
		{"shape fraction", `{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, four, "has 1.0, want whole numbers"},
		{"shape beyond int64", `{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}`, four, "want whole numbers"},
		{"shape nested", `{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}`, four, "want whole numbers"},
		{"shape overflow", `{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil, "shape 4294967296x4294967296 of F32 overflows"},
		{"shape overflow to 4", `{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, four, "overflows"},
		{"three offsets", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, four, "has 3 numbers, want 2"},
		{"too few bytes", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, four, `tensor "a": shape 2 of F32 needs 8 bytes, but its offsets are 0 and 4`},
		{"backwards", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, four, "its offsets are 4 and 0"},
		{"beyond the end", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, four, "truncated"},
		{"gap", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8), `bytes 0 to 4, before tensor "a"`},
		{"overlap", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, make([]byte, 12), `tensor "b" begins at byte 4, inside another`},
		{"twice the same place", `{"a":` + entry + `,"b":` + entry + `}`, four, `tensor "b" begins at byte 0, inside another`},
		{"trailing bytes", `{"a":` + entry + `}`, make([]byte, 5), "1 bytes after the last tensor"},
		{"only trailing bytes", `{}`, four, "4 bytes after the last tensor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			require.NoError(t, os.WriteFile(path, raw(c.header, c.body), 0o666))
			_, err := Read(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
		})
	}
	for want, b := range map[string][]byte{
		"truncated: the file has 3 bytes":                              {1, 2, 3},
		"header of 18446744073709551615 bytes, want at most 104857600": bytes.Repeat([]byte{0xff}, 20),
		"header of 104857600 bytes, but only 4 follow":                 append(binary.LittleEndian.AppendUint64(nil, maxHeader), four...),
	} {
		_, err := readBytes(b)
		require.ErrorContains(t, err, want)
	}
	_, err := Read(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Read(t.TempDir())
	require.ErrorContains(t, err, "not a regular file")
}

func TestEveryTruncation(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteTo(&b, map[string]Tensor{"a": FromFloat32([]float32{1, 2}, 2), "b": FromInt64([]int64{3})}, map[string]string{"k": "v"}))
	for n := range b.Len() {
		_, err := readBytes(b.Bytes()[:n])
		require.Error(t, err, "%d bytes", n)
	}
	_, err := readBytes(b.Bytes())
	require.NoError(t, err)
	// A reader that has less than it promised.
	_, err = ReadFrom(bytes.NewReader(b.Bytes()[:b.Len()-1]), int64(b.Len()))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestWhatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	for want, tensors := range map[string]map[string]Tensor{
		`dtype "F4" is unknown`:                           {"a": {DType: "F4", Shape: []int{1}, Data: []byte{1}}},
		`tensor "a": shape 2 of U8 needs 2 bytes`:         {"a": {DType: U8, Shape: []int{2}, Data: []byte{1}}},
		`shape -1 has a negative size`:                    {"a": {DType: U8, Shape: []int{-1}}},
		`"__metadata__" is no name`:                       {"__metadata__": FromFloat32(nil, 0)},
		`"\xff" is no name`:                               {"\xff": FromFloat32(nil, 0)},
		`shape 9223372036854775807x3 of F32 overflows`:    {"a": {DType: F32, Shape: []int{math.MaxInt, 3}}},
		`cannot write ` + path + `: tensor "a": dtype ""`: {"a": {}},
	} {
		require.ErrorContains(t, Write(path, tensors, nil), want)
	}
	require.ErrorContains(t, WriteTo(io.Discard, nil, map[string]string{"k": "\xff"}), "not valid UTF-8")
	require.NoFileExists(t, path)
	require.Panics(t, func() { FromFloat32([]float32{1}, 2) })
	require.Panics(t, func() { FromFloat64([]float64{1}, 2) })
	require.Panics(t, func() { FromInt64([]int64{1}, 2) })
}

type fullWriter struct{ room int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, io.ErrShortWrite
	}
	w.room -= len(p)
	return len(p), nil
}

func TestFailingWriter(t *testing.T) {
	tensors := map[string]Tensor{"a": FromFloat32(make([]float32, 8), 8)}
	var b bytes.Buffer
	require.NoError(t, WriteTo(&b, tensors, nil))
	for room := range b.Len() {
		require.ErrorIs(t, WriteTo(&fullWriter{room}, tensors, nil), io.ErrShortWrite)
	}
	require.NoError(t, WriteTo(&fullWriter{b.Len()}, tensors, nil))
}

func TestFullDisk(t *testing.T) {
	dir := testdata.SmallDisk(t, 1<<20)
	path := filepath.Join(dir, "a.safetensors")
	small := map[string]Tensor{"a": FromFloat32([]float32{1}, 1)}
	require.NoError(t, Write(path, small, nil))
	err := Write(path, map[string]Tensor{"a": FromFloat32(make([]float32, 1<<20), 1<<20)}, nil)
	require.ErrorContains(t, err, "no space left on device")
	f, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, f.Names())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// Every file that PyTorch's safetensors wrote for the golden cases is read; written again it keeps every bit.
func TestReferenceFiles(t *testing.T) {
	testdata.Shared(t, "golden")
	paths, err := filepath.Glob(filepath.Join(testdata.Root(), "golden", "*", "*.safetensors"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	kinds := map[DType]int{}
	for _, path := range paths {
		f, err := Read(path)
		require.NoError(t, err)
		for _, name := range f.Names() {
			x, _ := f.Tensor(name)
			kinds[x.DType]++
			if x.DType.IsFloat() {
				if i := npy.FirstNonFinite(x.Float32()); i >= 0 {
					t.Errorf("%s: %s has element %d not finite", path, name, i)
				}
			}
		}
		for _, name := range strings.Split(f.Metadata["complex_as_trailing_2"], ",") {
			if x, ok := f.Tensor(name); ok {
				require.Equal(t, 2, x.Shape[len(x.Shape)-1], name)
			}
		}
		var b bytes.Buffer
		require.NoError(t, WriteTo(&b, f.tensors, f.Metadata))
		again, err := readBytes(b.Bytes())
		require.NoError(t, err)
		require.Equal(t, f.Metadata, again.Metadata)
		require.Equal(t, f.Names(), again.Names())
		for _, name := range f.Names() {
			require.True(t, bytes.Equal(f.tensors[name].Data, again.tensors[name].Data), name)
			require.Equal(t, f.tensors[name].Shape, again.tensors[name].Shape, name)
		}
	}
	require.Greater(t, kinds[F32], 1000)
	require.Positive(t, kinds[F64])
	require.Positive(t, kinds[I64])
}
