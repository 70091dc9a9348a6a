package wave_test

import (
	"context"
	"fmt"

	"github.com/spamoe/spamoe/fwi/wave"
)

// A wave reaches a receiver 200 m away after 0.1 s at 2000 m/s; the wavelet peaks 73 samples later.
func ExampleSolver_Forward() {
	s, err := wave.New[float32](wave.Config{
		Samples:   300,
		Pad:       60,
		Sources:   []wave.Point{{Row: 20, Col: 5}},
		Receivers: []wave.Point{{Row: 20, Col: 25}},
	}, 40, 40)
	if err != nil {
		fmt.Println(err)
		return
	}
	vel := make([]float32, 40*40)
	for i := range vel {
		vel[i] = 2000
	}
	trace := make([]float32, 300)
	if err := s.Forward(context.Background(), trace, vel); err != nil {
		fmt.Println(err)
		return
	}
	peak := 0
	for i, p := range trace {
		if p > trace[peak] {
			peak = i
		}
	}
	fmt.Println("peak after 173 ms:", peak >= 170 && peak <= 182)
	// Output: peak after 173 ms: true
}

// One step downhill from a model that is too fast brings the simulated gathers closer to the recorded ones.
func ExampleSolver_Gradient() {
	const nz, nx = 20, 20
	s, err := wave.New[float32](wave.Config{Samples: 200, Pad: 40, Shots: 3}, nz, nx)
	if err != nil {
		fmt.Println(err)
		return
	}
	shots, samples, receivers := s.Shape()
	vel := make([]float32, nz*nx)
	for i := range vel {
		vel[i] = 2000
	}
	recorded := make([]float32, shots*samples*receivers)
	if err := s.Forward(context.Background(), recorded, vel); err != nil {
		fmt.Println(err)
		return
	}
	squares := func(shot int, adjoint, gather []float32) float64 {
		sum := 0.0
		for i, p := range gather {
			d := p - recorded[shot*len(gather)+i]
			adjoint[i] = d
			sum += float64(d*d) / 2
		}
		return sum
	}
	for i := range vel {
		vel[i] = 2010
	}
	var g wave.Gradient[float32]
	before, err := s.Gradient(context.Background(), &g, vel, squares)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, d := range g.Vel {
		vel[i] -= 0.2 * d
	}
	after, err := s.Gradient(context.Background(), &g, vel, squares)
	fmt.Println(after < before, err)
	// Output: true <nil>
}

func ExampleSolver_Snapshots() {
	s, err := wave.New[float32](wave.Config{Samples: 120, Sources: []wave.Point{{Row: 20, Col: 20}}}, 41, 41)
	if err != nil {
		fmt.Println(err)
		return
	}
	vel := make([]float32, 41*41)
	for i := range vel {
		vel[i] = 2000
	}
	err = s.Snapshots(context.Background(), vel, 0, 40, func(step int, field []float32) error {
		fmt.Println(step, field[20*41+35] != 0)
		return nil
	})
	fmt.Println(err)
	// Output:
	// 39 true
	// 79 true
	// 119 true
	// <nil>
}

func ExampleNew() {
	_, err := wave.New[float32](wave.Config{Sources: []wave.Point{{Row: 70, Col: 0}}}, 70, 70)
	fmt.Println(err)
	// Output: wave: Sources[0] lies at row 70, column 0, want a cell of the 70 x 70 model
}

func ExampleSolver_Shape() {
	s, _ := wave.New[float32](wave.Config{}, 70, 70)
	fmt.Println(s.Shape())
	// Output: 5 1000 70
}

func ExampleSolver_Config() {
	s, _ := wave.New[float32](wave.Config{Dx: 5}, 70, 70)
	cfg := s.Config()
	fmt.Println(cfg.Dx, cfg.Dt, cfg.Freq, cfg.Pad, len(cfg.Sources), len(cfg.Receivers))
	// Output: 5 0.001 15 120 5 70
}

func ExampleLine() {
	fmt.Println(wave.Line(1, 5, 70))
	// Output: [{1 0} {1 17} {1 34} {1 52} {1 69}]
}

func ExampleRicker() {
	w := wave.Ricker(15, 0.001)
	fmt.Println(len(w), w[73])
	fmt.Printf("%.4f\n", w[60])
	// Output:
	// 147 1
	// 0.1714
}
