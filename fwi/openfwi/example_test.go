package openfwi_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
)

// Writes a small family in OpenFWI's layout and opens it.
func Example() {
	root, _ := os.MkdirTemp("", "openfwi")
	defer os.RemoveAll(root)

	shards, err := openfwi.Plan(root, velocity.FlatFaultA, 3, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	gather, velocities := make([]float32, 5*1000*70), make([]float32, 70*70)
	for _, s := range shards {
		w, err := s.Create()
		if err != nil {
			fmt.Println(err)
			return
		}
		for range s.N {
			for i := range velocities {
				velocities[i] = 1500 + 1000*float32(s.Layers-2) // a generator and a solver go here
			}
			if err := w.Add(gather, velocities); err != nil {
				fmt.Println(err)
			}
		}
		if err := w.Commit(); err != nil {
			fmt.Println(err)
		}
		fmt.Println(filepath.Base(s.Gathers), filepath.Base(s.Maps))
	}

	d, err := openfwi.Open(root, openfwi.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	for i := range d.Len() {
		if err := d.Read(i, gather, velocities); err != nil {
			fmt.Println(err)
		}
		fmt.Println(d.Family(i), velocities[0])
	}
	// Output:
	// seis_2_1_0.npy vel_2_1_0.npy
	// seis_3_1_0.npy vel_3_1_0.npy
	// seis_4_1_0.npy vel_4_1_0.npy
	// FlatFault_A 1500
	// FlatFault_A 2500
	// FlatFault_A 3500
}

func ExampleOpenPair() {
	dir, _ := os.MkdirTemp("", "openfwi")
	defer os.RemoveAll(dir)
	gathers, maps := filepath.Join(dir, "gathers.npy"), filepath.Join(dir, "maps.npy")
	if err := npy.Write(gathers, []int{5, 1000, 70}, make([]float32, 350000)); err != nil {
		fmt.Println(err)
	}
	if err := npy.Write(maps, []int{70, 70}, make([]float32, 4900)); err != nil {
		fmt.Println(err)
	}

	d, err := openfwi.OpenPair(gathers, maps)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	x, y := d.Shapes()
	fmt.Println(d.Len(), x, y)
	// Output: 1 [5 1000 70] [1 70 70]
}

func ExampleOpenArrays() {
	dir, _ := os.MkdirTemp("", "openfwi")
	defer os.RemoveAll(dir)
	x, y := filepath.Join(dir, "x.npy"), filepath.Join(dir, "y.npy")
	if err := npy.Write(x, []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}); err != nil {
		fmt.Println(err)
	}
	if err := npy.Write(y, []int{4, 1}, []float32{1, 2, 3, 4}); err != nil {
		fmt.Println(err)
	}
	_, err := openfwi.OpenArrays(x, y)
	fmt.Println(err != nil)

	if err := npy.Write(y, []int{2, 1}, []float32{10, 20}); err != nil {
		fmt.Println(err)
	}
	d, err := openfwi.OpenArrays(x, y)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	a, b := make([]float32, 3), make([]float32, 1)
	err = d.Read(1, a, b)
	fmt.Println(a, b, err)
	// Output:
	// true
	// [4 5 6] [20] <nil>
}

func ExampleOpenGathers() {
	dir, _ := os.MkdirTemp("", "openfwi")
	defer os.RemoveAll(dir)
	for _, name := range []string{"0a1b.npy", "2c3d.npy"} {
		if err := npy.Write(filepath.Join(dir, name), []int{5, 4, 3}, make([]float32, 60)); err != nil {
			fmt.Println(err)
		}
	}
	g, err := openfwi.OpenGathers(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()
	fmt.Println(g.Len(), g.Shape(), g.Name(1))
	// Output: 2 [5 4 3] 2c3d
}

func ExampleGatherRange() {
	fmt.Println(openfwi.GatherRange(velocity.FlatVelA))
	fmt.Println(openfwi.GatherRange())
	// Output:
	// -26.95 52.77
	// -29.0326 57.0202
}

func ExamplePartOf() {
	fmt.Println(openfwi.PartOf(velocity.FlatVelA, 48), openfwi.PartOf(velocity.FlatVelA, 49))
	// Output: training validation
}
