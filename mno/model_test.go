package mno_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/loss"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/autograd/optim"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/mno"
)

// operator is what both models are.
type operator interface {
	Forward(x *autograd.Value) *autograd.Value
}

func newModel(t testing.TB, c mno.Config) *mno.Model {
	m, err := mno.New(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	return m
}

func newMultiscale(t testing.TB, c mno.MultiscaleConfig) *mno.Multiscale {
	m, err := mno.NewMultiscale(c, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	return m
}

func random(seed uint64, shape ...int) *autograd.Tensor {
	x := autograd.New(shape...)
	nn.Normal(x, 0, 1, rand.New(rand.NewPCG(seed, 3)))
	return x
}

func run(m operator, x *autograd.Tensor) *autograd.Tensor {
	tape := &autograd.Tape{NoGrad: true}
	return m.Forward(tape.Const(x)).Clone()
}

// variants are the models whose parameters are frozen in testdata/params.txt.
func variants(t testing.TB) map[string]operator {
	return map[string]operator{
		"1d":                  newModel(t, mno.Config{In: 2, Out: 1, Dim: 1, K: 3, Channels: 2, Modes: 4, Blocks: 2}),
		"2d":                  newModel(t, mno.Config{In: 2, Out: 3, K: 2, Channels: 2, Modes: 4, Blocks: 2, Basis: mno.Chebyshev}),
		"2d reference":        newModel(t, mno.Reference(2, 3, 2, 2, 4)),
		"multiscale":          newMultiscale(t, mno.MultiscaleConfig{In: 2, Out: 1, Hidden: 4, Layers: 2, Scales: []float64{1, 0.5}}),
		"multiscale 1d":       newMultiscale(t, mno.MultiscaleConfig{In: 2, Out: 1, Hidden: 4, Layers: 1, Dim: 1, NoGrid: true}),
		"multiscale adaptive": newMultiscale(t, mno.MultiscaleConfig{In: 2, Out: 1, Hidden: 4, Layers: 1, Fusion: mno.FuseAdaptive}),
	}
}

// The names and shapes of parameters and buffers are the file format: testdata/params.txt freezes them.
func TestParameterNames(t *testing.T) {
	var b strings.Builder
	models := variants(t)
	for _, name := range []string{"1d", "2d", "2d reference", "multiscale", "multiscale 1d", "multiscale adaptive"} {
		fmt.Fprintln(&b, "#", name)
		for _, e := range autograd.State(models[name]) {
			if e.Param != nil {
				fmt.Fprintln(&b, e.Name, e.Param.Shape)
			} else {
				fmt.Fprintln(&b, e.Name, e.Buffer.Shape)
			}
		}
	}
	want, err := os.ReadFile("testdata/params.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

// Any grid and any batch, of which every sample has its own result.
func TestGridsAndBatches(t *testing.T) {
	for name, m := range variants(t) {
		t.Run(name, func(t *testing.T) {
			for _, n := range [][]int{{16, 16}, {21, 12}, {70, 9}} {
				in := 2
				if name == "2d reference" {
					in = 3
				}
				if strings.Contains(name, "1d") {
					n = n[:1]
				}
				x := random(4, append([]int{3, in}, n...)...)
				y := run(m, x)
				require.Equal(t, n, y.Shape[2:])
				require.Equal(t, 3, y.Shape[0])
				size := x.Len() / 3
				one := run(m, autograd.FromSlice(x.Data[size:2*size], append([]int{1, in}, n...)...))
				for i, v := range one.Data {
					require.InDelta(t, v, y.Data[len(one.Data)+i], 1e-5)
				}
			}
		})
	}
}

// A batch of none goes through, and leaves parameters gradients of zeros.
func TestNoBatch(t *testing.T) {
	for name, m := range variants(t) {
		t.Run(name, func(t *testing.T) {
			shape := []int{0, 2, 16, 16}
			if name == "2d reference" {
				shape[1] = 3
			}
			if strings.Contains(name, "1d") {
				shape = shape[:3]
			}
			tape := &autograd.Tape{}
			y := m.Forward(tape.Input(autograd.New(shape...)))
			require.Equal(t, shape[2:], y.Shape[2:])
			g := tape.Backward(autograd.Seed{Value: y})
			for name, p := range autograd.Params(m) {
				if d := g.Of(p); d != nil {
					require.Equal(t, make([]float32, p.Len()), d.Data, name)
				}
			}
		})
	}
}

// Every parameter learns.
func TestEveryParameterHasAGradient(t *testing.T) {
	for name, m := range variants(t) {
		t.Run(name, func(t *testing.T) {
			in, n := 2, []int{16, 16}
			if name == "2d reference" {
				in = 3
			}
			if strings.Contains(name, "1d") {
				n = n[:1]
			}
			tape := &autograd.Tape{Train: true}
			grads := autograd.Sum(m.Forward(tape.Const(random(5, append([]int{2, in}, n...)...)))).Backward()
			for name, p := range autograd.Params(m) {
				g := grads.Of(p)
				require.NotNil(t, g, name)
				require.True(t, kernel.AllFinite(g.Data), name)
				require.NotZero(t, kernel.MaxAbs(g.Data), name)
			}
		})
	}
}

// SPAMoE's multiscale operator has parameters that never learn; the golden cases list them.
func TestReferenceMultiscaleHasDeadParameters(t *testing.T) {
	c := mno.ReferenceMultiscale(2, 1, 4)
	c.Fusion = mno.FuseAdaptive
	m := newMultiscale(t, c)
	tape := &autograd.Tape{}
	grads := autograd.Sum(m.Forward(tape.Const(random(6, 1, 2, 16, 16)))).Backward()
	for name, p := range autograd.Params(m) {
		dead := name == "scale_weights"
		for _, part := range []string{".convs.", ".fno_skips.", ".channel_mlp.", ".channel_mlp_skips."} {
			dead = dead || strings.Contains(name, part+"1.") || strings.Contains(name, part+"2.")
		}
		require.Equal(t, dead, grads.Of(p) == nil, name)
	}
}

// What a caller does to the lists of a configuration later does not reach the model.
func TestMultiscaleOwnsItsConfig(t *testing.T) {
	c := mno.MultiscaleConfig{In: 1, Out: 1, Hidden: 4, Scales: []float64{1, 0.5}, Modes: [][]int{{6, 6}, {4, 4}}}
	m, x := newMultiscale(t, c), random(1, 1, 1, 12, 12)
	want := run(newMultiscale(t, c.Clone()), x)
	c.Scales[1], c.Modes[0][0], c.Modes[1] = 0.75, 2, []int{2, 2}
	require.Equal(t, want, run(m, x))
}

// The function that a finer grid samples gives nearly the same result.
func TestMultiscaleResolution(t *testing.T) {
	m := newMultiscale(t, mno.MultiscaleConfig{In: 1, Out: 1, Hidden: 8, NoGrid: true, Scales: []float64{1}, Modes: [][]int{{6, 6}}})
	wave := func(n int) *autograd.Tensor {
		x := autograd.New(1, 1, n, n)
		for i := range n {
			for j := range n {
				x.Set(float32(math.Sin(2*math.Pi*float64(i)/float64(n))*math.Cos(4*math.Pi*float64(j)/float64(n))), 0, 0, i, j)
			}
		}
		return x
	}
	coarse, fine := run(m, wave(32)), run(m, wave(64))
	largest := float64(kernel.MaxAbs(fine.Data))
	for i := range 32 {
		for j := range 32 {
			require.InDelta(t, fine.At(0, 0, 2*i, 2*j), coarse.At(0, 0, i, j), 1e-3*largest)
		}
	}
}

func TestRefusesShapes(t *testing.T) {
	tape := &autograd.Tape{}
	m := newModel(t, mno.Config{In: 2, Out: 1})
	require.PanicsWithValue(t, "mno: Forward: shape [1 3 8 8]; want [batch, 2, 2 axes]", func() { m.Forward(tape.Const(autograd.New(1, 3, 8, 8))) })
	require.Panics(t, func() { m.Forward(tape.Const(autograd.New(1, 2, 8))) })
	require.Panics(t, func() { m.Blocks[0].Forward(tape.Const(autograd.New(1, 8, 8, 3))) })
	s := newMultiscale(t, mno.MultiscaleConfig{In: 2, Out: 1, Hidden: 4})
	require.Panics(t, func() { s.Forward(tape.Const(autograd.New(1, 3, 8, 8))) })
	require.PanicsWithValue(t, "mno: scale 0.25 leaves no points of the grid [8 3]", func() { s.Forward(tape.Const(autograd.New(1, 2, 8, 3))) })
}

// A grid that CheckGrid does not report works, down to one point at the coarsest scale.
func TestMultiscaleCheckGrid(t *testing.T) {
	for _, fusion := range []mno.Fusion{mno.FuseHierarchical, mno.FuseAdaptive} {
		for d := 1; d <= 3; d++ {
			m := newMultiscale(t, mno.MultiscaleConfig{In: 1, Out: 1, Hidden: 2, Layers: 1, Dim: d, Fusion: fusion})
			n := slices.Repeat([]int{4}, d)
			require.NoError(t, m.CheckGrid(n...))
			run(m, random(1, append([]int{1, 1}, n...)...))
			n[d-1] = 3
			require.EqualError(t, m.CheckGrid(n...), fmt.Sprintf("mno: scale 0.25 leaves no points of the grid %v", n))
			n[0] = 0
			require.EqualError(t, m.CheckGrid(n...), fmt.Sprintf("mno: grid %v; want %d positive sizes", n, d))
			require.EqualError(t, m.CheckGrid(4, 4, 4, 4), fmt.Sprintf("mno: grid [4 4 4 4]; want %d positive sizes", d))
			require.Error(t, m.CheckGrid())
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	for name, m := range variants(t) {
		if strings.Contains(name, "1d") || name == "2d reference" {
			continue
		}
		x := random(7, 1, 2, 12, 12)
		want := run(m, x)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 2 {
					if got := run(m, x); !slices.Equal(got.Data, want.Data) {
						t.Error("another result in another goroutine")
					}
				}
			})
		}
		wg.Wait()
	}
}

// curve trains for ten steps on one batch and returns the losses.
func curve(m operator, threads int) []float32 {
	defer kernel.SetThreads(0)
	kernel.SetThreads(threads)
	const n = 18
	x := random(8, 2, 1, n, n)
	y := autograd.New(x.Shape...)
	for i := range y.Data { // something to learn: the square of the neighbour
		v := x.Data[i/n*n+(i+1)%n]
		y.Data[i] = v * v
	}
	opt := optim.NewAdamW(m, optim.Config{})
	tape := &autograd.Tape{Train: true}
	var losses []float32
	for range 10 {
		l := loss.MSE(m.Forward(tape.Const(x)), tape.Const(y))
		losses = append(losses, l.Data[0])
		opt.Step(5e-3, l.Backward())
		tape.Reset()
	}
	return losses
}

func TestTrainingCurve(t *testing.T) {
	for name, make := range map[string]func() operator{
		"multiwavelet": func() operator { return newModel(t, mno.Config{In: 1, Out: 1, K: 2, Channels: 4, Modes: 4, Blocks: 2}) },
		"multiscale":   func() operator { return newMultiscale(t, mno.MultiscaleConfig{In: 1, Out: 1, Hidden: 12, Layers: 2}) },
	} {
		one, two := curve(make(), 1), curve(make(), 2)
		require.Equal(t, one, two, "%s: the losses depend on the number of threads", name)
		require.Less(t, one[9], 0.9*one[0], name)
		t.Log(name, one)
	}
}
