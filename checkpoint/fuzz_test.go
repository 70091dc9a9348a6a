package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRead feeds any bytes. What is accepted must account for every byte of the file and survive being written and read again.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := WriteTo(&b, map[string]Tensor{
		"w": FromFloat32([]float32{1, 2, 3, 4}, 2, 2), "n": FromInt64([]int64{7}), "e": FromFloat64(nil, 0),
		"c": {DType: C64, Shape: []int{1}, Data: make([]byte, 8)}, "u": {DType: U8, Shape: []int{3}, Data: []byte{1, 2, 3}},
	}, map[string]string{"spamoe.model": "fno"}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(raw(`{}`, nil))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BOOL","shape":[],"data_offsets":[4,5]}}`, []byte("12345")))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil))
	f.Add(raw(`{"a":{"dtype":"F32","shape":[0,9223372036854775807,3],"data_offsets":[0,0]}}  `, nil))
	f.Add(bytes.Repeat([]byte{0xff}, 16))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := readBytes(b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "checkpoint: input: ") {
				t.Fatalf("the error does not name the input: %v", err)
			}
			return
		}
		total := 0
		for _, name := range file.Names() {
			x, _ := file.Tensor(name)
			if err := x.check(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n := len(x.Float32()); n != x.numbers() {
				t.Fatalf("%s: %d numbers, want %d", name, n, x.numbers())
			}
			total += len(x.Data)
		}
		if total > len(b)-8 {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(b))
		}
		var out bytes.Buffer
		if err := WriteTo(&out, file.tensors, file.Metadata); err != nil {
			t.Fatal(err)
		}
		again, err := readBytes(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range file.Names() {
			x, _ := file.Tensor(name)
			y, ok := again.Tensor(name)
			if !ok || x.DType != y.DType || !bytes.Equal(x.Data, y.Data) {
				t.Fatalf("%q changed when written and read again", name)
			}
		}
	})
}

// FuzzReadPyTorch feeds any bytes as a file of PyTorch's and as the pickle in an archive. What is accepted must be whole, small, and survive being
// written and read again.
func FuzzReadPyTorch(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.pt")
	if err != nil || len(paths) == 0 {
		f.Fatal("no files to begin with: ", err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	view := tensorOf(storageOf("HalfStorage", "0", 2), 0, tuple(2, 1, 3), tuple(1, 7, 0))
	f.Add([]byte(dictOf(view)))
	f.Add([]byte(dictOf("ctorch._utils\n_rebuild_parameter\n(" + view + hooks + "tR")))
	f.Add([]byte(header + "}(" + text("epoch") + "G@\x04\x00\x00\x00\x00\x00\x00" + text("net") + "}" + text("a") + "]q\x01" + view + "ash\x01Nau."))
	f.Add([]byte("\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94\x8f(K\x01\x90\x91."))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, archived(string(b))} {
			file, err := readBytes(b)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "checkpoint: input: ") || strings.Contains(err.Error(), "\n") {
					t.Fatalf("the error is not one line that names the input: %q", err)
				}
				continue
			}
			var out bytes.Buffer
			if err := writeTorch(&out, newPickler(file.tensors), file.Metadata); err != nil {
				t.Fatal(err)
			}
			again, err := readBytes(out.Bytes())
			if err != nil && len(file.tensors) > 0 {
				t.Fatal(err)
			}
			for _, name := range file.Names() {
				x, y := file.tensors[name], again.tensors[name]
				if err := x.check(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if x.DType != y.DType || !bytes.Equal(x.Data, y.Data) {
					t.Fatalf("%q changed when written and read again", name)
				}
			}
		}
	})
}
