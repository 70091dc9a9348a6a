package velocity_test

import (
	"encoding/json"
	"fmt"

	"github.com/spamoe/spamoe/fwi/velocity"
)

func ExampleGenerator_Map() {
	g, err := velocity.New(velocity.Config{Family: velocity.FlatVelA, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := make([]float32, 70*70)
	g.Map(m, 0)
	top, bottom := m[0], m[69*70]
	fmt.Println("grows with depth:", bottom > top)
	// Output: grows with depth: true
}

func ExampleNew() {
	_, err := velocity.New(velocity.Config{Family: velocity.StyleA, Layers: 3})
	fmt.Println(err)
	// Output: velocity: Layers is 3, but maps of Style_A have no layers, want 0
}

func ExampleGenerator_Config() {
	g, _ := velocity.New(velocity.Config{Family: velocity.StyleB})
	cfg := g.Config()
	fmt.Println(cfg.Family, cfg.NZ, cfg.NX)
	// Output: Style_B 70 70
}

func ExampleGenerator_Layers() {
	g, _ := velocity.New(velocity.Config{Family: velocity.CurveFaultB, Layers: 7})
	fmt.Println(g.Layers(0), g.Layers(1))
	// Output: 7 7
}

func ExampleParse() {
	for _, text := range []string{"FlatVel_A", "curvefault-b", "SA"} {
		f, _ := velocity.Parse(text)
		fmt.Println(f)
	}
	// Output:
	// FlatVel_A
	// CurveFault_B
	// Style_A
}

func ExampleFamilies() {
	for _, f := range velocity.Families() {
		fmt.Print(f.Short(), " ")
	}
	fmt.Println()
	// Output: FVA FVB CVA CVB FFA FFB CFA CFB SA SB
}

func ExampleFamily_Layers() {
	fmt.Println(velocity.FlatFaultA.Layers(), velocity.FlatFaultB.Layers(), velocity.StyleA.Layers())
	// Output: [2 3 4] [6 7 8] []
}

func ExampleFamily_Faulted() {
	fmt.Println(velocity.FlatVelA.Faulted(), velocity.FlatFaultA.Faulted())
	// Output: false true
}

func ExampleFamily_UnmarshalText() {
	var cfg velocity.Config
	err := json.Unmarshal([]byte(`{"family": "flatvel-b", "seed": 7}`), &cfg)
	fmt.Println(cfg.Family, err)
	// Output: FlatVel_B <nil>
}
