package npy

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// FuzzRead feeds any bytes. What opens must be consistent with its own header and readable from end to end, the same by
// samples and at once, without an allocation that the input does not pay for.
func FuzzRead(f *testing.F) {
	body := []byte("0123456789abcdef0123456789abcdef0123456789abcdef")
	for _, c := range []struct {
		descr, fortran, shape string
		bytes                 int
	}{
		{"<f4", "False", "(2, 3)", 24}, {">f8", "True", "(3, 2)", 48}, {"|b1", "False", "(7,)", 7}, {"<f2", "True", "(2, 2, 2)", 16},
		{"<u8", "False", "()", 8}, {"|O", "False", "(1,)", 8}, {"<i2", "True", "(0, 5)", 0}, {"<i4", "False", "(99999999999,)", 4},
	} {
		for major := byte(1); major <= 3; major++ {
			f.Add(raw(major, dict(c.descr, c.fortran, c.shape), body[:c.bytes]))
		}
	}
	f.Add(raw(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", body[:4]))
	f.Add(raw(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }", body[:12]))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := New(bytes.NewReader(b), int64(len(b)), "fuzz.npy")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "npy: fuzz.npy: ") {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		if a.Count()*a.DType().Size() > len(b) || a.Len()*a.SampleSize() != a.Count() {
			t.Fatalf("%d elements, %d samples of %d, from %d bytes", a.Count(), a.Len(), a.SampleSize(), len(b))
		}
		all := make([]float64, a.Count())
		if err := a.Float64At(all, 0); err != nil {
			t.Fatal(err)
		}
		if a.Count() == 0 {
			return
		}
		mapped, _ := New(bytes.NewReader(b), int64(len(b)), "fuzz.npy")
		mapped.mem = b
		one := make([]float64, a.SampleSize())
		for i := range min(a.Len(), 1000) {
			for _, way := range []*File{a, mapped} {
				if err := way.Float64(one, i); err != nil {
					t.Fatal(err)
				}
				for k := range one {
					if math.Float64bits(one[k]) != math.Float64bits(all[i*len(one)+k]) {
						t.Fatalf("sample %d element %d: %v and %v", i, k, one[k], all[i*len(one)+k])
					}
				}
			}
		}
	})
}
