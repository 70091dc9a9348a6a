package npy_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/internal/npy"
)

func Example() {
	dir, _ := os.MkdirTemp("", "npy")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "maps.npy")

	if err := npy.Write(path, []int{2, 3}, []float32{1500, 2000, 2500, 3000, 3500, 4000}); err != nil {
		fmt.Println(err)
		return
	}
	f, err := npy.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	sample := make([]float32, f.SampleSize())
	err = f.Float32(sample, 1)
	fmt.Println(npy.FormatShape(f.Shape()), f.DType(), sample, err)
	// Output: 2x3 float32 [3000 3500 4000] <nil>
}

func ExampleCreate() {
	dir, _ := os.MkdirTemp("", "npy")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "squares.npy")

	w, err := npy.Create[float64](path, []int{3, 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort()
	for i := range 3 {
		x := float64(i)
		if err := w.Append([]float64{x, x * x}); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Commit(); err != nil {
		fmt.Println(err)
		return
	}
	data, shape, err := npy.Read[float64](path)
	fmt.Println(npy.FormatShape(shape), data, err)
	// Output: 3x2 [0 0 1 1 2 4] <nil>
}

func ExampleCheckFinite() {
	x := []float32{1, 2, 3, 4}
	zero := float32(0)
	x[2] /= zero
	fmt.Println(npy.CheckFinite("gathers.npy", x, []int{2, 2}))
	// Output: npy: gathers.npy: element [1,0] is +Inf, want finite numbers
}
