package autograd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type inner struct {
	Weight *Param
	Bias   *Param
	hidden *Param
}

type base struct {
	Shift *Param `param:"shift"`
}

type outer struct {
	base
	Base           // embedded, without a tag: adds no name
	Tagged   inner `param:"deep.name"`
	Layers   []*inner
	Any      []any
	ByName   map[string]*inner
	Fixed    [2]*Param `param:"fixed"`
	Mean     *Buffer   `param:"running_mean"`
	Count    *Buffer
	Skipped  *inner `param:"-"`
	Missing  *inner
	Up       *outer // a cycle
	Size     int
	Data     []float32
	Callback func()
	NormW    *Param
}

type Base struct {
	Gain *Param
}

func TestState(t *testing.T) {
	p := func() *Param { return NewParam(2) }
	shared := &inner{Weight: p()}
	m := &outer{
		base:   base{Shift: p()},
		Base:   Base{Gain: p()},
		Tagged: inner{Weight: p(), Bias: p(), hidden: p()},
		Layers: []*inner{shared, nil, {Bias: p()}},
		Any:    []any{&inner{Weight: p()}, 3, nil, "text"},
		ByName: map[string]*inner{"b": {Weight: p()}, "a": shared},
		Mean:   NewBuffer(1, 3),
		Count:  NewCounter(),
	}
	m.Fixed[1] = p()
	m.NormW = m.Tagged.Weight
	m.Skipped = &inner{Weight: p()}
	m.Up = m
	var names, tied []string
	for _, e := range State(m) {
		names = append(names, e.Name)
		if e.Tied != "" {
			tied = append(tied, e.Name+" is "+e.Tied)
		}
		require.NotEqual(t, e.Param == nil, e.Buffer == nil, e.Name)
	}
	require.Equal(t, []string{"shift", "gain", "deep.name.weight", "deep.name.bias", "layers.0.weight", "layers.2.bias", "any.0.weight",
		"by_name.a.weight", "by_name.b.weight", "fixed.1", "running_mean", "count", "norm_w"}, names)
	require.Equal(t, []string{"by_name.a.weight is layers.0.weight", "norm_w is deep.name.weight"}, tied)

	params := map[string]*Param{}
	for name, p := range Params(m) {
		params[name] = p
	}
	require.Len(t, params, 9, "each once")
	require.Same(t, shared.Weight, params["layers.0.weight"])
	var buffers []string
	for name := range Buffers(m) {
		buffers = append(buffers, name)
	}
	require.Equal(t, []string{"running_mean", "count"}, buffers)
	require.Equal(t, 18, CountParams(m))
	for range Params(m) {
		break // stopping early is allowed
	}
}

func TestStateOfOddValues(t *testing.T) {
	type tree []tree
	require.Empty(t, State(nil))
	require.Empty(t, State(struct {
		T tree
		N map[int]*Param
	}{T: tree{{}, {}}, N: map[int]*Param{1: NewParam(1)}}))
	require.Equal(t, "0", State([]*Param{NewParam(1)})[0].Name)
	require.PanicsWithValue(t, "autograd: State: w is a Param itself; models hold pointers to them", func() {
		State(struct{ W Param }{})
	})
	require.Equal(t, 12, NewComplexParam(2, 3).Len())
	require.Equal(t, []int{2, 3, 2}, NewComplexParam(2, 3).Shape)
}
