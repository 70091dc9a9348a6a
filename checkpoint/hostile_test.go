package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// archived puts a pickle and storages of four bytes called 0 and 1 into an archive.
func archived(p string) []byte {
	return zipped(map[string]string{"a/data.pkl": p, "a/data/0": "1234", "a/data/1": "12345678"}, zip.Store)
}

func zipped(entries map[string]string, method uint16) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a/data.pkl", "a/data/0", "a/data/1", "a/byteorder", "a/spamoe.json", "a/constants.pkl", "b/data.pkl"} {
		if text, ok := entries[name]; ok {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			if err != nil {
				panic(err)
			}
			if _, err := w.Write([]byte(text)); err != nil {
				panic(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Pieces of pickles.
const (
	header  = "\x80\x02"
	rebuild = "ctorch._utils\n_rebuild_tensor_v2\n"
	hooks   = "\x89ccollections\nOrderedDict\n)R"
)

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func long(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func tuple(n ...int64) string {
	s := "("
	for _, x := range n {
		s += long(x)
	}
	return s + "t"
}

func storageOf(kind, key string, count int64) string {
	return "(" + text("storage") + "ctorch\n" + kind + "\n" + text(key) + text("cpu") + long(count) + "tQ"
}

func tensorOf(storage string, offset int64, shape, strides string) string {
	return rebuild + "(" + storage + long(offset) + shape + strides + hooks + "tR"
}

// dictOf pickles a dict of one entry.
func dictOf(value string) string { return header + "}" + text("w") + value + "s." }

func TestHostilePyTorchFiles(t *testing.T) {
	good := tensorOf(storageOf("FloatStorage", "0", 1), 0, tuple(1), tuple(1))
	float := storageOf("FloatStorage", "1", 2)
	view := func(offset int64, shape, strides string) []byte {
		return archived(dictOf(tensorOf(float, offset, shape, strides)))
	}
	_, err := readBytes(archived(dictOf(good)))
	require.NoError(t, err)

	laughs := func(n int) string { // each list holds the one before ten times
		s := header + "]q\x00"
		for i := range n {
			s += "]q" + string(rune(i+1)) + "(" + strings.Repeat("h"+string(rune(i)), 10) + "e"
		}
		return s + "."
	}
	nested := strings.Repeat("}"+text("a"), 1000) + good + strings.Repeat("s", 1000)
	whole := archived(dictOf(good))
	huge := bytes.Clone(whole) // an entry that claims four gigabytes
	entry := directory(huge, "a/data/0")
	binary.LittleEndian.PutUint32(entry[20:], 0xfffffff0)
	binary.LittleEndian.PutUint32(entry[24:], 0xfffffff0)
	corrupt := bytes.Clone(whole)
	corrupt[bytes.Index(corrupt, []byte("1234"))]++
	bytesOf := func(key string) string {
		return tensorOf(storageOf("ByteStorage", key, 1<<20), 0, tuple(1<<20), tuple(1))
	}
	overlap := zipped(map[string]string{"a/data.pkl": header + "}(" + text("a") + bytesOf("0") + text("b") + bytesOf("1") + "u.",
		"a/data/0": strings.Repeat("x", 1<<20), "a/data/1": ""}, zip.Store)
	first, second := directory(overlap, "a/data/0"), directory(overlap, "a/data/1")
	copy(second[16:28], first[16:28]) // checksum and sizes
	copy(second[42:46], first[42:46]) // place
	var many bytes.Buffer             // an archive of nothing but entries
	z := zip.NewWriter(&many)
	for i := range 150_000 {
		_, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("a/data/%d", i)})
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	legacy, err := os.ReadFile("testdata/legacy.pt")
	require.NoError(t, err)
	content := bytes.Index(legacy, []byte(header+"ccollections"))
	legacyCount := bytes.Clone(legacy)
	keys := bytes.LastIndex(legacyCount, []byte("]q\x00("))
	binary.LittleEndian.PutUint64(legacyCount[keys+bytes.Index(legacyCount[keys:], []byte("e."))+2:], 1<<40)
	legacyBig := bytes.Clone(legacy)
	legacyBig[bytes.Index(legacyBig, []byte("little_endian"))+len("little_endianq.")] = '\x89' // False

	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"os.system", archived(header + "cposix\nsystem\n(" + text("touch /tmp/x") + "tR."), `it names "posix.system", which no state_dict needs: refused`},
		{"os.system in protocol 4", archived("\x80\x04" + text("os") + text("system") + "\x93" + text("ls") + "\x85R."), `"os.system"`},
		{"os.system, stream", append(bytes.Clone(legacy[:content]), header+"cos\nsystem\n("+text("ls")+"tR."...), `part 4 of 5: pickle, byte 2: it names "os.system"`},
		{"eval", archived(header + "c__builtin__\neval\n" + text("1") + "\x85R."), `"__builtin__.eval"`},
		{"getattr", archived(header + "cbuiltins\ngetattr\n."), `"builtins.getattr"`},
		{"a model", archived(header + "c__main__\nNet\n)\x81}b."), `"__main__.Net"`},
		{"inert names cannot be called", archived(header + "ctorch.nn.functional\ngelu\n)R."), "it calls torch.nn.functional.gelu: refused"},
		{"neither can inert classes", archived(header + "cneuralop.x\nY\n)\x81."), "it calls neuralop.x.Y: refused"},
		{"nor module look-alikes", archived(header + "cneuraloperation\nY\n."), `"neuraloperation.Y"`},
		{"nor numbers", archived(header + "K\x01)R."), "it calls int"},
		{"state of a tensor's storage", archived(header + storageOf("FloatStorage", "0", 1) + "}b."), "it sets the state of a storage"},
		{"old opcodes", archived(header + "(S'ls'\nios\nsystem\n."), `opcode 'S' is of protocol 0 or 1`},
		{"extension", archived(header + "\x82\x01."), "opcode 0x82 is not supported"},
		{"whole module", archived(header + "(" + text("module") + "NNNtQ."), "save model.state_dict()"},

		{"2^40 elements", archived(dictOf(tensorOf(storageOf("FloatStorage", "0", 1<<40), 0, tuple(1<<40), tuple(1)))), `storage "0" of 1099511627776 elements of F32 does not fit`},
		{"2^40 elements by view", view(0, tuple(1<<40), tuple(1)), "reaches beyond its storage of 2 elements"},
		{"2^40 elements by stride 0", view(0, tuple(1<<20, 1<<20), tuple(0, 0)), "is expanded from a storage of 8 bytes"},
		{"more expanded than allowed together", archived(header + "}(" + text("a") + tensorOf(float, 0, tuple(1<<21), tuple(0)) + text("b") + tensorOf(float, 0, tuple(1<<21), tuple(0)) +
			text("c") + tensorOf(float, 0, tuple(1<<20), tuple(0)) + "u."), `tensor "c": shape 1048576 of F32 is expanded`},
		{"overflowing shape", view(0, tuple(1<<62, 1<<62), tuple(0, 0)), "overflows"},
		{"overflowing stride", view(0, tuple(3, 3), tuple(math.MaxInt64, math.MaxInt64)), "reaches beyond"},
		{"overflowing offset", view(math.MaxInt64, tuple(2), tuple(1)), "reaches beyond"},
		{"offset", view(1, tuple(2), tuple(1)), "reaches beyond"},
		{"negative stride", view(1, tuple(2), tuple(-1)), "all from 0 on"},
		{"negative offset", view(-1, tuple(2), tuple(1)), "all from 0 on"},
		{"negative shape", view(0, tuple(-1), tuple(1)), "all from 0 on"},
		{"65 dimensions", view(0, tuple(make([]int64, 65)...), tuple(make([]int64, 65)...)), "up to 64 dimensions"},
		{"shape and strides", view(0, tuple(1, 1), tuple(1)), "up to 64 dimensions"},
		{"negative count", archived(dictOf(tensorOf(storageOf("FloatStorage", "0", -1), 0, tuple(0), tuple(1)))), "does not fit"},
		{"fewer elements than the entry", archived(dictOf(tensorOf(storageOf("HalfStorage", "0", 1), 0, tuple(1), tuple(1)))), "needs 2 bytes, but its entry has 4"},
		{"no entry", archived(dictOf(tensorOf(storageOf("FloatStorage", "7", 1), 0, tuple(1), tuple(1)))), `storage "7" has no entry`},
		{"two types", archived(header + "(" + storageOf("FloatStorage", "0", 1) + storageOf("IntStorage", "0", 1) + "t."), "1 elements of F32 and also 1 of I32"},
		{"unknown type", archived(header + storageOf("ComplexDoubleStorage", "0", 1) + "."), `storages of type "torch.ComplexDoubleStorage" are not supported`},
		{"conjugated", archived(dictOf(rebuild + "(" + float + "K\x00" + tuple(2) + tuple(1) + hooks + "}" + text("conj") + "\x88stR")), "resolve_conj"},

		{"truncated zip", whole[:len(whole)-1], "truncated or not a zip archive"},
		{"half a zip", whole[:len(whole)/2], "truncated or not a zip archive"},
		{"entry of 4 GB", huge, `storage "0" of 1 elements of F32 needs 4 bytes, but its entry has 4294967280`},
		{"checksum", corrupt, "checksum error"},
		{"entries that overlap", overlap, "larger than the file: they overlap"},
		{"compressed", zipped(map[string]string{"a/data.pkl": header + "}."}, zip.Deflate), `entry "a/data.pkl" is compressed`},
		{"150,000 entries", many.Bytes(), "the archive's directory takes more than 8 MB"},
		{"no pickle", zipped(map[string]string{"a/data/0": "1234"}, zip.Store), "the archive has 0 entries FOLDER/data.pkl"},
		{"two pickles", zipped(map[string]string{"a/data.pkl": header + "}.", "b/data.pkl": header + "}."}, zip.Store), "the archive has 2 entries"},
		{"big endian", zipped(map[string]string{"a/data.pkl": header + "}.", "a/byteorder": "big"}, zip.Store), `byte order is "big"`},
		{"bad metadata", zipped(map[string]string{"a/data.pkl": header + "}.", "a/spamoe.json": "[1]"}, zip.Store), "entry spamoe.json"},
		{"large metadata", zipped(map[string]string{"a/data.pkl": header + "}.", "a/spamoe.json": strings.Repeat(" ", maxMetadata+1)}, zip.Store), "entry spamoe.json has 1048577 bytes"},
		{"TorchScript", zipped(map[string]string{"a/data.pkl": header + "}.", "a/constants.pkl": ""}, zip.Store), "TorchScript"},
		{"long pickle", zipped(map[string]string{"a/data.pkl": strings.Repeat("0", maxPickle+1)}, zip.Store), "entry data.pkl has 16777217 bytes"},

		{"a frame of 2^62 bytes", archived("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x40}."), "a frame of 4611686018427387904 bytes"},
		{"a text of 4 GB", archived(header + "X\xff\xff\xff\xffab."), "4294967295 bytes are wanted"},
		{"a text of 2^63 bytes", archived(header + "\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab."), "9223372036854775807 bytes are wanted"},
		{"an integer of 1000 bytes", archived(header + "\x8b\xe8\x03\x00\x00" + strings.Repeat("a", 1000) + "."), "an integer of 1000 bytes"},
		{"ten million lists", archived(header + "(" + strings.Repeat("]", 10_000_000) + "t."), "more than 40 MB"},
		{"ten million dicts", archived(header + "(" + strings.Repeat("}", 10_000_000) + "t."), "more than 40 MB"},
		{"ten million marks", archived(header + strings.Repeat("(", 10_000_000)), "more than 40 MB"},
		{"one text many times", archived(header + text(strings.Repeat("a", 1<<20)) + "q\x00}(" + strings.Repeat("h\x00N", 4_000_000) + "u."), "more than 40 MB"},
		{"one tuple many times", archived(header + "(" + strings.Repeat("N", 100_000) + "tq\x00]" + strings.Repeat("h\x00ccollections\nOrderedDict\n]h\x00a\x85R", 100_000) + "."), "a list of something else than pairs"},
		{"a memo of two million", archived(header + "N" + manyPuts(2_000_000) + "."), "more than 40 MB"},
		{"a thousand dicts deep", archived(header + nested + "."), "nested more than 32 deep"},
		{"10^60 lists", archived(laughs(60)), "nested more than 32 deep"},
		{"10^20 lists", archived(laughs(20)), "more than 40 MB"},
		{"a dict in itself", archived(header + "}q\x00" + text("model") + "h\x00s" + "."), "nested more than 32 deep"},
		{"a long name", archived(header + "}" + text(strings.Repeat("a", 2000)) + good + "s."), "the name of a tensor has 2000 bytes"},
		{"a name that is no text", archived(header + "}" + text("\xff") + good + "s."), `"\xff" is no name for a tensor`},
		{"our own name", archived(header + "}" + text("__metadata__") + good + "s."), `"__metadata__" is no name for a tensor`},
		{"one name twice", archived(header + "}(" + text("a.b") + good + text("a") + "}" + text("b") + good + "su."), `two tensors of the name "a.b"`},
		{"a single tensor", archived(header + good + "."), "a single tensor, want a state_dict"},
		{"no tensors", archived(header + "}" + text("epoch") + "K\x01s."), `it holds no tensors, but a dict of 1 entries: "epoch"`},
		{"None", archived(header + "N."), "it holds no tensors, but a value of type None"},
		{"an empty pickle", archived(""), "truncated"},
		{"an empty stack", archived(header + "."), "the stack is empty"},
		{"no mark", archived(header + "t."), "there is no mark"},
		{"below the mark", archived(header + "N(0."), "the stack is empty"},
		{"nothing stored", archived(header + "h\x07."), "nothing was stored under 7"},
		{"a list as a dict", archived(header + "]NNs."), "items are set in list"},
		{"a dict as a list", archived(header + "}Na."), "items are added to dict"},
		{"odd items", archived(header + "}(Nu."), "a key without a value"},
		{"protocol 9", archived("\x80\x09."), "protocol 9"},

		{"stream, truncated", legacy[:len(legacy)-1], "truncated"},
		{"stream, half", legacy[:len(legacy)/2], "truncated"},
		{"stream, other counts", legacyCount, "1099511627776 elements, but tensors want"},
		{"stream, big endian", legacyBig, "byte order is big"},
		{"stream, other version", bytes.Replace(legacy, []byte("M\xe9\x03"), []byte("M\xea\x03"), 1), "version of the format is 1002"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := readBytes(c.file)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
			require.Less(t, len(err.Error()), 400)
			require.Less(t, took, time.Second)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20))
		})
	}
}

// directory returns what follows the head of an entry in an archive's directory.
func directory(b []byte, name string) []byte {
	for at := 0; ; at++ {
		n := bytes.Index(b[at:], []byte("PK\x01\x02"))
		if n < 0 {
			panic(name + " is not in the archive")
		}
		if at += n; bytes.HasPrefix(b[at+46:], []byte(name)) {
			return b[at:]
		}
	}
}

func manyPuts(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("r" + string(binary.LittleEndian.AppendUint32(nil, uint32(i)*2654435761)))
	}
	return b.String()
}

// Every beginning of a file is refused, and so is what a reader does not give in full.
func TestEveryTruncationOfPyTorchFiles(t *testing.T) {
	for _, name := range []string{"kinds.pt", "legacy.pt", "legacyframes.pt"} {
		b, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		for n := range b {
			_, err := readBytes(b[:n])
			require.Error(t, err, "%s: %d bytes", name, n)
		}
		_, err = ReadFrom(bytes.NewReader(b[:len(b)-40]), int64(len(b)))
		require.Error(t, err)
	}
}
