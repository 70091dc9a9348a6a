package lno_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/internal/golden"
	"github.com/spamoe/spamoe/internal/reference"
	"github.com/spamoe/spamoe/lno"
)

// check runs a layer on a case, channels first, and compares output and all gradients.
func check(t *testing.T, c *golden.Case, model any, channelsFirst bool, forward func(x *autograd.Value) *autograd.Value) {
	weights := c.Weights()
	tape := &autograd.Tape{}
	got := map[string][]float32{}
	for _, e := range autograd.State(model) {
		require.Equal(t, weights[e.Name].Shape, e.Param.Shape, e.Name)
		copy(e.Param.Data, weights[e.Name].Data)
		delete(weights, e.Name)
	}
	require.Empty(t, weights)
	in := c.Input("x")
	x := tape.Input(autograd.FromSlice(in.Data, in.Shape...))
	var y *autograd.Value
	if channelsFirst {
		y = forward(x)
	} else {
		y = autograd.ChannelsFirst(forward(autograd.ChannelsLast(x)))
	}
	c.CheckOutput("output", y.Shape, y.Data)
	grads := tape.Backward(autograd.Seed{Value: y, Grad: c.Cotangent("output").Data})
	got["grad_input"] = grads.Wrt(x).Data
	for _, e := range autograd.State(model) {
		got[e.Name] = grads.Of(e.Param).Data
	}
	c.CheckGrads(got)
}

// psi returns the samples of basis functions that the reference used.
func psi(c *golden.Case) (table [][][]float32) {
	p := c.Read("psi_local_filter_matrix.npy")
	n, h, w := p.Shape[0], p.Shape[1], p.Shape[2]
	for k := range n {
		var f [][]float32
		for i := range h {
			f = append(f, p.Data[(k*h+i)*w:][:w])
		}
		table = append(table, f)
	}
	return table
}

func TestGoldenDifferential(t *testing.T) {
	for _, name := range []string{"findiff1d", "findiff2d", "findiff2d_groups_k5"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			var set struct {
				In      int         `json:"in_channels"`
				Out     int         `json:"out_channels"`
				Dim     int         `json:"n_dim"`
				Kernel  int         `json:"kernel_size"`
				Groups  int         `json:"groups"`
				Padding lno.Padding `json:"padding"`
				Width   float64     `json:"grid_width"`
			}
			c.Config(&set)
			l, err := lno.NewDifferential(lno.DifferentialConfig{In: set.In, Out: set.Out, Dim: set.Dim, Kernel: set.Kernel, Groups: set.Groups, Padding: set.Padding}, nil)
			require.NoError(t, err)
			check(t, c, l, false, func(x *autograd.Value) *autograd.Value { return l.Forward(x, set.Width) })
		})
	}
}

func TestGoldenIntegral(t *testing.T) {
	for _, name := range []string{"disco2d", "disco2d_70", "disco2d_radius_groups", "disco2d_stride_iso"} {
		for _, given := range []bool{true, false} {
			if !given && (name == "disco2d" || name == "disco2d_70") {
				continue // their samples are rounding noise of the reference
			}
			t.Run(fmt.Sprint(name, given), func(t *testing.T) {
				c := golden.Load(t, name)
				var set reference.Integral
				c.Config(&set)
				var table [][][]float32
				if given {
					table = psi(c)
				}
				config, err := set.Config(table)
				require.NoError(t, err)
				l, err := lno.NewIntegral(config, nil)
				require.NoError(t, err)
				check(t, c, l, false, l.Forward)
			})
		}
	}
}

func TestGoldenModel(t *testing.T) {
	for _, name := range []string{"localno2d", "localno2d_70", "localno2d_othergrid"} {
		t.Run(name, func(t *testing.T) {
			c := golden.Load(t, name)
			var raw json.RawMessage
			c.Config(&raw)
			config, err := reference.LocalNO(raw, psi(c))
			require.NoError(t, err)
			m, err := lno.New(config, nil)
			require.NoError(t, err)
			check(t, c, m, true, m.Forward)
		})
	}
}

func TestGoldenTable(t *testing.T) {
	c := golden.Load(t, "disco_psi_table")
	var sizes map[string]struct {
		H, W int
		Q    float64
	}
	c.Config(&sizes)
	require.NotEmpty(t, sizes)
	file, err := checkpoint.Read(c.Path("psi64.safetensors"))
	require.NoError(t, err)
	for name, size := range sizes {
		m := regexp.MustCompile(`^n(\d+)_k(\d)x(\d)$`).FindStringSubmatch(name)
		require.NotNil(t, m, name)
		var v [3]int
		for i := range v {
			v[i], _ = strconv.Atoi(m[i+1])
		}
		l, err := lno.NewIntegral(lno.IntegralConfig{In: 1, Out: 1, Grid: [2]int{v[0], v[0]}, Basis: lno.Basis{Shape: v[1:]},
			Defects: lno.ReferenceIntegralDefects()}, nil)
		require.NoError(t, err)
		want, ok := file.Tensor("psi64_" + name)
		require.True(t, ok, name)
		got, err := l.Samples(v[0], v[0])
		require.NoError(t, err)
		require.Equal(t, []int{want.Shape[0], size.W, size.H}, got.Shape, name)
		require.Equal(t, []int{want.Shape[0], size.H, size.W}, want.Shape, name)
		largest := 0.0
		for _, x := range want.Float64() {
			largest = max(largest, math.Abs(x))
		}
		counts := func(x float64) float64 {
			if math.Abs(x) < 1e-6*largest {
				return 0
			}
			return x
		}
		for i, x := range want.Float64() {
			// The kernel has the functions turned over.
			k, a, b := i/(size.H*size.W), i/size.W%size.H, i%size.W
			ours := float64(got.At(k, size.W-1-b, size.H-1-a)) / size.Q
			require.InDelta(t, counts(x), counts(ours), 1e-6*largest, "%s[%d]", name, i)
		}
	}
}
