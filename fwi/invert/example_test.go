package invert_test

import (
	"context"
	"fmt"

	"github.com/spamoe/spamoe/fwi/invert"
	"github.com/spamoe/spamoe/fwi/wave"
)

// A slow lens in a uniform rock, found from four shots of a small survey.
func ExampleRun() {
	const nz, nx = 12, 16
	truth := make([]float32, nz*nx)
	for i := range truth {
		truth[i] = 2500
		if z, x := i/nx, i%nx; z > 4 && z < 8 && x > 5 && x < 11 {
			truth[i] = 2200
		}
	}
	survey := wave.Config{Dx: 20, Dt: 0.002, Samples: 120, Pad: 15, Shots: 4}
	solver, err := wave.New[float32](survey, nz, nx)
	if err != nil {
		fmt.Println(err)
		return
	}
	data := make([]float32, 4*120*nx)
	if err := solver.Forward(context.Background(), data, truth); err != nil {
		fmt.Println(err)
		return
	}
	start := make([]float32, nz*nx)
	for i := range start {
		start[i] = 2500
	}
	result, err := invert.Run(context.Background(), invert.Problem{Survey: survey, NZ: nz, NX: nx, Data: data, Start: start},
		invert.Config{Stages: []invert.Stage{{Iterations: 30, Gain: 0.5, Smooth: 1}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	end := result.History[0]
	fmt.Println("misfit at least 5 times smaller:", end.After < end.Before/5)
	fmt.Println("lens is slow:", result.Vel[6*nx+8] < 2300, "rock is not:", result.Vel[3*nx+2] > 2400)
	// Output:
	// misfit at least 5 times smaller: true
	// lens is slow: true rock is not: true
}

func ExampleStages() {
	for _, s := range invert.Stages(wave.Config{}, 1500) {
		fmt.Println(s.LowPass, "Hz,", s.Rounds, "rounds of", s.Iterations, s.Prior)
	}
	// Output:
	// 1.5 Hz, 3 rounds of 30 cells
	// 2.25 Hz, 3 rounds of 30 cells
	// 3 Hz, 3 rounds of 30 cells
	// 4.5 Hz, 3 rounds of 30 cells
	// 4.5 Hz, 0 rounds of 40 strata
	// 6.45 Hz, 2 rounds of 30 cells
	// 9 Hz, 2 rounds of 30 cells
	// 13.05 Hz, 2 rounds of 30 cells
	// 0 Hz, 2 rounds of 30 cells
	// 0 Hz, 0 rounds of 20 regions
	// 0 Hz, 2 rounds of 30 blocks
	// 0 Hz, 0 rounds of 20 regions
	// 0 Hz, 2 rounds of 30 blocks
	// 0 Hz, 0 rounds of 20 regions
}

func ExampleParseMisfit() {
	m, err := invert.ParseMisfit("envelope")
	fmt.Println(m, err)
	// Output: envelope <nil>
}
