package npy

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The gathers of OpenFWI, read in turn from a file of ten.
func BenchmarkGather(b *testing.B) {
	const n, each = 10, 5 * 1000 * 70
	x := make([]float64, n*each)
	for i := range x {
		x[i] = float64(i%251) - 125
	}
	for _, descr := range []string{"<f4", ">f4", "<f8", "<f2", "<i2"} {
		order := binary.AppendByteOrder(binary.LittleEndian)
		if descr[0] == '>' {
			order = binary.BigEndian
		}
		path := filepath.Join(b.TempDir(), "a.npy")
		if err := os.WriteFile(path, raw(1, dict(descr, "False", fmt.Sprintf("(%d, 5, 1000, 70)", n)), encode(descr[1:], order, x)), 0o666); err != nil {
			b.Fatal(err)
		}
		for _, way := range []string{"mapped", "read"} {
			b.Run(descr+" "+way, func(b *testing.B) {
				f, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				if way == "read" {
					r, err := os.Open(path)
					if err != nil {
						b.Fatal(err)
					}
					defer r.Close()
					info, err := r.Stat()
					if err != nil {
						b.Fatal(err)
					}
					if f, err = New(r, info.Size(), path); err != nil {
						b.Fatal(err)
					}
				}
				dst := make([]float32, each)
				b.SetBytes(4 * each)
				i := 0
				for b.Loop() {
					if err := f.Float32(dst, i%n); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

func BenchmarkFirstNonFinite(b *testing.B) {
	x := make([]float32, 5*1000*70)
	for i := range x {
		x[i] = float32(i%251) - 125
	}
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		if FirstNonFinite(x) >= 0 {
			b.Fatal("finite numbers are found not to be")
		}
	}
}
