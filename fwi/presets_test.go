package fwi

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/encoder"
	"github.com/spamoe/spamoe/fwi/inversionnet"
	"github.com/spamoe/spamoe/internal/testdata"
)

// roundTrip returns what a config is after it was written as JSON and read.
func roundTrip(t *testing.T, c Config) Config {
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var again Config
	require.NoError(t, json.Unmarshal(text, &again))
	return again
}

func TestPresets(t *testing.T) {
	require.Equal(t, []string{"paper", "small", "tiny"}, Presets())
	for name, want := range map[string]struct {
		input         []int
		width         int
		floats, above int // parameters, at least and at most
	}{
		"tiny": {[]int{5, 70, 70}, 16, 3e5, 2e6}, "small": {[]int{5, 140, 70}, 48, 3e6, 2e7}, "paper": {[]int{1, 1000, 350}, 128, 3e7, 1.2e8},
	} {
		c, err := Preset(name)
		require.NoError(t, err)
		require.Equal(t, c, roundTrip(t, c))
		m, err := New(c, nil)
		require.NoError(t, err)
		require.Equal(t, want.input, m.InputShape())
		require.Equal(t, want.width, m.Net.(*SPAMoE).Encoder.Config.Out)
		n := autograd.CountParams(m.Net)
		require.True(t, want.floats <= n && n <= want.above, "%s has %d parameters", name, n)
		require.Equal(t, encoder.Defects{}, c.SPAMoE.Encoder.Defects)
		require.Positive(t, c.SPAMoE.Encoder.Floor.Bound())
	}
	_, err := Preset("huge")
	require.ErrorContains(t, err, `preset "huge" is unknown; wanted one of paper, small, tiny`)
}

// The names and shapes of parameters and buffers are the file format: testdata/params.txt freezes those of the preset "tiny".
func TestParams(t *testing.T) {
	c, err := Preset("tiny")
	require.NoError(t, err)
	m, err := New(c, nil)
	require.NoError(t, err)
	var b strings.Builder
	for _, e := range autograd.State(m.Net) {
		fmt.Fprintln(&b, e.Name, shapeOf(e))
	}
	want, err := os.ReadFile("testdata/params.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

func shapeOf(e autograd.Entry) []int {
	if e.Param != nil {
		return e.Param.Shape
	}
	return e.Buffer.Shape
}

// entry is one line of a list of a reference's state_dict; complex tensors have no axis for their two parts there.
type entry struct {
	Name  string
	Shape []int
	DType string
}

func readList(t *testing.T, file string, dst any) {
	b, err := os.ReadFile(filepath.Join(testdata.Shared(t, "golden"), "state_dict_lists", file))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, dst))
}

// listed turns a list into shapes by name, with prefix ahead of the names.
func listed(list []entry, prefix string) map[string]string {
	out := map[string]string{}
	for _, e := range list {
		if e.DType == "complex64" {
			e.Shape = append(e.Shape, 2)
		}
		out[prefix+e.Name] = fmt.Sprint(e.DType == "int64", append([]int{}, e.Shape...))
	}
	return out
}

// shapes lists a model in the same way.
func shapes(model any) map[string]string {
	out := map[string]string{}
	for _, e := range autograd.State(model) {
		out[e.Name] = fmt.Sprint(e.Buffer != nil && e.Buffer.Ints != nil, append([]int{}, shapeOf(e)...))
	}
	return out
}

// ReferenceConfig, with either encoder, and InversionNet have the names and shapes of the reference implementations' files.
func TestReferenceNames(t *testing.T) {
	var whole []entry
	readList(t, "emo_default.json", &whole)
	c := ReferenceConfig()
	require.Equal(t, c, roundTrip(t, c))
	m, err := New(c, nil)
	require.NoError(t, err)
	want := listed(whole, "")
	require.Len(t, want, 337)
	require.Equal(t, want, shapes(m.Net))

	var parts map[string]struct {
		State []entry `json:"state_dict"`
	}
	readList(t, "timm_state_dicts.json", &parts)
	for name := range want {
		if strings.HasPrefix(name, "encoder.") {
			delete(want, name)
		}
	}
	for name, shape := range listed(parts["Encoder_ConvNeXt_default_128_10"].State, "encoder.") {
		want[name] = shape
	}
	c.SPAMoE.Encoder = encoder.Reference(encoder.KindConvNeXt, 128)
	m, err = New(c, nil)
	require.NoError(t, err)
	require.Equal(t, want, shapes(m.Net))

	var convolutions []entry
	readList(t, "inversionnet.json", &convolutions)
	net, err := inversionnet.New(inversionnet.Config{}, nil)
	require.NoError(t, err)
	require.Equal(t, listed(convolutions, ""), shapes(net))
}
