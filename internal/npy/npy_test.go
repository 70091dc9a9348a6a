package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

// raw makes a file of format version major with this header text.
func raw(major byte, text string, body []byte) []byte {
	b := append([]byte(magic), major, 0)
	if major == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	}
	return append(append(b, text...), body...)
}

func dict(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
}

// everyWay opens the array mapped from a file and read through ReadAt, and calls check with both.
func everyWay(t *testing.T, content []byte, check func(t *testing.T, f *File)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.npy")
	require.NoError(t, os.WriteFile(path, content, 0o666))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	check(t, f)
	f, err = New(bytes.NewReader(content), int64(len(content)), "reader")
	require.NoError(t, err)
	check(t, f)
	require.NoError(t, f.Close())
}

// encode writes the numbers as dtype code in this byte order.
func encode(code string, order binary.AppendByteOrder, x []float64) []byte {
	var b []byte
	for _, v := range x {
		switch code {
		case "f4":
			b = order.AppendUint32(b, math.Float32bits(float32(v)))
		case "f8":
			b = order.AppendUint64(b, math.Float64bits(v))
		case "f2":
			b = order.AppendUint16(b, uint16(halfOf[v]))
		case "i1", "u1", "b1":
			b = append(b, byte(int64(v)))
		case "i2", "u2":
			b = order.AppendUint16(b, uint16(int64(v)))
		case "i4", "u4":
			b = order.AppendUint32(b, uint32(int64(v)))
		case "i8", "u8":
			b = order.AppendUint64(b, uint64(int64(v)))
		}
	}
	return b
}

// halfOf holds the binary16 patterns of the numbers that the tests use.
var halfOf = map[float64]int{0: 0, 1: 0x3c00, 2: 0x4000, 3: 0x4200, 100: 0x5640, 120: 0x5780, -2: 0xc000, -100: 0xd640}

func TestEveryTypeOrderAndVersion(t *testing.T) {
	signed := []float64{0, 1, -2, 3, 100, -100}
	unsigned := []float64{0, 1, 2, 3, 100, 120}
	for _, code := range []string{"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"} {
		for _, mark := range []string{"<", ">", "|", "=", ""} {
			for major := byte(1); major <= 3; major++ {
				x, order := signed, binary.AppendByteOrder(binary.LittleEndian)
				if code[0] == 'u' {
					x = unsigned
				}
				if code == "b1" {
					x = []float64{0, 1, 1, 0, 0, 1}
				}
				if mark == ">" {
					order = binary.BigEndian
				}
				content := raw(major, dict(mark+code, "False", "(3, 2)"), encode(code, order, x))
				everyWay(t, content, func(t *testing.T, f *File) {
					require.Equal(t, []int{3, 2}, f.Shape())
					require.Equal(t, 3, f.Len())
					require.Equal(t, 2, f.SampleSize())
					for i := range 3 {
						got32, got64, ints := make([]float32, 2), make([]float64, 2), make([]int64, 2)
						require.NoError(t, f.Float32(got32, i))
						require.NoError(t, f.Float64(got64, i))
						err := f.Int64(ints, i)
						require.Equal(t, f.DType().IsFloat(), err != nil)
						for k := range 2 {
							require.Equal(t, float32(x[2*i+k]), got32[k], "%s%s", mark, code)
							require.Equal(t, x[2*i+k], got64[k], "%s%s", mark, code)
							if err == nil {
								require.Equal(t, int64(x[2*i+k]), ints[k], "%s%s", mark, code)
							}
						}
					}
				})
			}
		}
	}
}

func TestFortranOrder(t *testing.T) {
	n0, n1, n2 := 3, 4, 5
	body := make([]float64, n0*n1*n2)
	for i := range n0 {
		for j := range n1 {
			for k := range n2 {
				body[i+n0*(j+n1*k)] = float64((i*n1+j)*n2 + k)
			}
		}
	}
	content := raw(1, dict("<f4", "True", "(3, 4, 5)"), encode("f4", binary.LittleEndian, body))
	everyWay(t, content, func(t *testing.T, f *File) {
		for start := range len(body) + 1 {
			for end := start; end <= len(body); end++ {
				got := make([]float32, end-start)
				require.NoError(t, f.Float32At(got, start))
				for i, v := range got {
					require.Equal(t, float32(start+i), v)
				}
			}
		}
	})
}

// Elements farther apart than the buffer of the unmapped reader.
func TestFortranOrderFarApart(t *testing.T) {
	rows := bufferSize/8 + 3
	body := make([]byte, rows*3)
	for i := range rows {
		for j := range 3 {
			body[i+rows*j] = byte(3*i + j)
		}
	}
	everyWay(t, raw(1, dict("|u1", "True", fmt.Sprintf("(%d, 3)", rows)), body), func(t *testing.T, f *File) {
		got := make([]int64, 3)
		for _, i := range []int{0, 1, rows / 2, rows - 1} {
			require.NoError(t, f.Int64(got, i))
			require.Equal(t, []int64{int64(byte(3 * i)), int64(byte(3*i + 1)), int64(byte(3*i + 2))}, got)
		}
	})
}

// Arrays larger than the buffer of the unmapped reader, with and without conversion.
func TestLargeSamples(t *testing.T) {
	n := bufferSize + 5
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i % 1021)
	}
	for _, descr := range []string{"<f4", ">f4", "<i2"} {
		order := binary.AppendByteOrder(binary.LittleEndian)
		if descr[0] == '>' {
			order = binary.BigEndian
		}
		everyWay(t, raw(1, dict(descr, "False", fmt.Sprintf("(1, %d)", n)), encode(descr[1:], order, x)), func(t *testing.T, f *File) {
			got := make([]float32, n)
			require.NoError(t, f.Float32(got, 0))
			for i := range got {
				if float64(got[i]) != x[i] {
					t.Fatalf("%s: element %d is %v, want %v", descr, i, got[i], x[i])
				}
			}
		})
	}
}

func TestHeadersInTheWild(t *testing.T) {
	body := encode("f4", binary.LittleEndian, []float64{1, 2})
	for _, text := range []string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
		`{"shape":(2,),"fortran_order":False,"descr":"<f4"}`,
		"{'descr': u'<f4', u'fortran_order': False, 'shape': (2L,), }\n", // Python 2
		"{ 'descr' : b'<f4' ,\t'fortran_order' :True, 'shape' : ( 2 , ) , }\n\n",
	} {
		everyWay(t, raw(1, text, body), func(t *testing.T, f *File) {
			require.Equal(t, []int{2}, f.Shape())
			got := make([]float32, 2)
			require.NoError(t, f.Float32At(got, 0))
			require.Equal(t, []float32{1, 2}, got)
		})
	}
}

func TestSingleNumberAndEmptyArrays(t *testing.T) {
	everyWay(t, raw(1, dict("<f8", "False", "()"), encode("f8", binary.LittleEndian, []float64{2.5})), func(t *testing.T, f *File) {
		got := make([]float64, 1)
		require.Equal(t, 1, f.Len())
		require.Equal(t, 1, f.SampleSize())
		require.NoError(t, f.Float64(got, 0))
		require.Equal(t, 2.5, got[0])
	})
	for _, order := range []string{"False", "True"} {
		everyWay(t, raw(1, dict("<f8", order, "(0, 3, 4)"), nil), func(t *testing.T, f *File) {
			require.Equal(t, 0, f.Len())
			require.Equal(t, 12, f.SampleSize())
			require.NoError(t, f.Float32At(nil, 0))
			require.Error(t, f.Float32(make([]float32, 12), 0))
		})
		everyWay(t, raw(1, dict("<f8", order, "(3, 0)"), nil), func(t *testing.T, f *File) {
			require.NoError(t, f.Float32(nil, 2))
		})
	}
}

func TestBadFiles(t *testing.T) {
	ok := encode("f4", binary.LittleEndian, []float64{1, 2})
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "the file is empty"},
		{"text", []byte("hello, world"), `it starts with "hello,"`},
		{"zip", []byte("PK\x03\x04aaaaaaaaaaaa"), "not a .npy file"},
		{"version", raw(4, dict("<f4", "False", "(2,)"), ok), "format version 4.0"},
		{"objects", raw(1, dict("|O", "False", "(2,)"), ok), `dtype "|O" (Python objects), want float16`},
		{"complex", raw(1, dict("<c8", "False", "(1,)"), ok), "(complex numbers)"},
		{"text elements", raw(1, dict("<U2", "False", "(1,)"), ok), "(text)"},
		{"dates", raw(1, dict("<M8[ns]", "False", "(1,)"), ok), "(dates or times)"},
		{"raw", raw(1, dict("|V8", "False", "(1,)"), ok), "(raw bytes)"},
		{"long double", raw(1, dict("<f16", "False", "(1,)"), ok), `dtype "<f16"`},
		{"no dtype", raw(1, dict("", "False", "(1,)"), ok), `dtype ""`},
		{"structured", raw(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", ok), "structured dtype"},
		{"sub-array", raw(1, "{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (2,), }", ok), "sub-array dtype"},
		{"too short", raw(1, dict("<f4", "False", "(3,)"), ok), "truncated"},
		{"too long", raw(1, dict("<f4", "False", "(1,)"), ok), "but the file has"},
		{"negative", raw(1, dict("<f4", "False", "(-2,)"), ok), "a size of at least 0"},
		{"not a tuple", raw(1, dict("<f4", "False", "(2)"), ok), "(n,) a shape"},
		{"list", raw(1, dict("<f4", "False", "[2]"), ok), "want '('"},
		{"fraction", raw(1, dict("<f4", "False", "(2.0,)"), ok), "a comma or )"},
		{"word", raw(1, dict("<f4", "False", "(two,)"), ok), "a size of at least 0"},
		{"overflow", raw(1, dict("<f4", "False", "(4294967296, 4294967296, 4)"), ok), "overflows"},
		{"overflow beside 0", raw(1, dict("<f4", "False", "(0, 4294967296, 4294967296, 4)"), nil), "overflows"},
		{"huge", raw(1, dict("<f4", "False", "(2305843009213693951,)"), ok), "overflow"},
		{"beyond int64", raw(1, dict("<f4", "False", "(99999999999999999999,)"), ok), "more than this machine can address"},
		{"rank", raw(1, dict("<f4", "False", "("+strings.Repeat("1,", 65)+")"), ok), "more than 64 axes"},
		{"order", raw(1, dict("<f4", "Maybe", "(2,)"), ok), "True or False"},
		{"key twice", raw(1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", ok), `"descr" twice`},
		{"key missing", raw(1, "{'descr': '<f4', 'shape': (2,), }", ok), "want descr, fortran_order and shape"},
		{"key unknown", raw(1, "{'descr': '<f4', 'x': 1, }", ok), `unknown key "x"`},
		{"no colon", raw(1, "{'descr' '<f4'}", ok), "want ':'"},
		{"no comma", raw(1, "{'descr': '<f4' 'shape': (2,)}", ok), "a comma or }"},
		{"after it", raw(1, dict("<f4", "False", "(2,)")+"x", ok), "the end of the header"},
		{"no dictionary", raw(1, "hello", ok), "want '{'"},
		{"open string", raw(1, "{'descr", ok), "a string that ends"},
		{"escape", raw(1, "{'de\\scr'", ok), "a plain string"},
		{"no string", raw(1, "{descr: 2}", ok), "want a string"},
		{"header length", append([]byte(magic+"\x02\x00"), 0xff, 0xff, 0xff, 0xff), "header of 4294967295 bytes, want at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.npy")
			require.NoError(t, os.WriteFile(path, c.content, 0o666))
			_, err := Open(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
		})
	}
	_, err := Open(filepath.Join(t.TempDir(), "absent.npy"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(t.TempDir())
	require.ErrorContains(t, err, "not a regular file")
}

func TestEveryTruncation(t *testing.T) {
	for major := byte(1); major <= 2; major++ {
		content := raw(major, dict("<f4", "False", "(2, 2)"), encode("f4", binary.LittleEndian, []float64{1, 2, 3, 4}))
		path := filepath.Join(t.TempDir(), "a.npy")
		for n := range content {
			require.NoError(t, os.WriteFile(path, content[:n], 0o666))
			_, err := Open(path)
			require.ErrorContains(t, err, path, "%d bytes", n)
			_, _, err = Read[float32](path)
			require.Error(t, err)
		}
		require.NoError(t, os.WriteFile(path, content, 0o666))
		got, shape, err := Read[float32](path)
		require.NoError(t, err)
		require.Equal(t, []float32{1, 2, 3, 4}, got)
		require.Equal(t, []int{2, 2}, shape)
	}
}

// A file that shrinks while it is open must not end the process.
func TestFileCutShortWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	n := 1 << 16
	require.NoError(t, Write(path, []int{2, n}, make([]float32, 2*n)))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	if f.mem == nil {
		t.Skip("files are not mapped here")
	}
	require.NoError(t, os.Truncate(path, 4096))
	err = f.Float32(make([]float32, n), 1)
	require.ErrorContains(t, err, "cut short")
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, f.Float64(make([]float64, n), 1), "cut short")

	r := &shrinking{content: raw(1, dict("<f4", "False", "(2,)"), make([]byte, 8))}
	f, err = New(r, int64(len(r.content)), "shrinking")
	require.NoError(t, err)
	r.content = r.content[:len(r.content)-4]
	require.ErrorIs(t, f.Float32At(make([]float32, 2), 0), io.ErrUnexpectedEOF)
}

type shrinking struct{ content []byte }

func (s *shrinking) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(s.content).ReadAt(p, off)
}

func TestWrongRequests(t *testing.T) {
	everyWay(t, raw(1, dict("<u8", "False", "(2, 2)"), encode("u8", binary.LittleEndian, []float64{1, 2, 3, -1})), func(t *testing.T, f *File) {
		two := make([]float32, 2)
		require.ErrorContains(t, f.Float32(two, 2), "sample 2, but it has 2")
		require.ErrorContains(t, f.Float32(two, -1), "sample -1")
		require.ErrorContains(t, f.Float32(two[:1], 0), "room for 1 elements, but a sample has 2")
		require.ErrorContains(t, f.Float32At(two, 3), "elements 3 to 5, but it has 4")
		require.ErrorContains(t, f.Float32At(two, -1), "elements -1")
		require.ErrorContains(t, f.Float32At(two, math.MaxInt), "but it has 4")
		require.ErrorContains(t, f.Int64(make([]int64, 2), 1), "element 3 is 18446744073709551615, too large")
		require.NoError(t, f.CheckShape(-1, 2))
		require.EqualError(t, f.CheckShape(-1, 5, 1000, 70), "npy: "+f.Name()+": shape 2x2, want Nx5x1000x70")
		require.Error(t, f.CheckShape(2, 3))
		require.NoError(t, f.Close())
		require.ErrorIs(t, f.Float32(two, 0), os.ErrClosed)
		require.NoError(t, f.Close())
	})
}

func TestManyReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	x := make([]float32, 64*1000)
	for i := range x {
		x[i] = float32(i)
	}
	require.NoError(t, Write(path, []int{64, 1000}, x))
	f, err := Open(path)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			got := make([]float32, 1000)
			for i := range 64 {
				k := (i*7 + g) % 64
				if err := f.Float32(got, k); err != nil {
					t.Error(err)
				} else if got[0] != x[k*1000] || got[999] != x[k*1000+999] {
					t.Errorf("sample %d is wrong", k)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, f.Close())
}

func TestReadingAllocatesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	require.NoError(t, Write(path, []int{4, 1000}, make([]float32, 4000)))
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	dst := make([]float32, 1000)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := f.Float32(dst, 2); err != nil {
			t.Fatal(err)
		}
	}), 1.0) // the closure that guards against faults
}

func TestFinite(t *testing.T) {
	x := make([]float32, 24)
	require.Equal(t, -1, FirstNonFinite(x))
	require.NoError(t, CheckFinite("x.npy", x, []int{2, 3, 4}))
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x[17], x[20] = float32(bad), float32(bad)
		require.Equal(t, 17, FirstNonFinite(x))
		require.EqualError(t, CheckFinite("x.npy", x, []int{2, 3, 4}), fmt.Sprintf("npy: x.npy: element [1,1,1] is %v, want finite numbers", bad))
	}
	require.Equal(t, -1, FirstNonFinite([]float32{math.MaxFloat32, -math.MaxFloat32, 1e-45}))
}

// Every array of the reference material is read, the same mapped and through ReadAt.
func TestReferenceArrays(t *testing.T) {
	for _, pattern := range []string{"golden/*/*.npy", "data/pde/*.npy", "data/openfwi/*/*.npy"} {
		testdata.Shared(t, strings.Split(pattern, "/")[0])
		paths, err := filepath.Glob(filepath.Join(testdata.Root(), filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, paths)
		for _, path := range paths {
			a, _, err := Read[float64](path)
			require.NoError(t, err)
			r, err := os.Open(path)
			require.NoError(t, err)
			info, err := r.Stat()
			require.NoError(t, err)
			f, err := New(r, info.Size(), path)
			require.NoError(t, err)
			b := make([]float64, f.Count())
			require.NoError(t, f.Float64At(b, 0))
			require.NoError(t, r.Close())
			for i := range a {
				if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
					t.Fatalf("%s: element %d is %v mapped and %v read", path, i, a[i], b[i])
				}
			}
		}
	}
}
