package nn

import (
	"fmt"

	"github.com/spamoe/spamoe/autograd"
)

// normEps is what PyTorch's normalisations add to a variance.
const normEps = 1e-5

// LayerNorm normalises the last axis: y = (x - mean) / sqrt(var + eps) * w + b.
type LayerNorm struct {
	Weight *autograd.Param // nc, ones at first
	Bias   *autograd.Param // nc
	Eps    float32         `param:"-"`
}

// NewLayerNorm returns a LayerNorm of an axis of n channels; an eps of 0 means 1e-5.
func NewLayerNorm(n int, eps float32) *LayerNorm {
	positive("LayerNorm", "the number of channels", n)
	w, b := newAffine(n)
	return &LayerNorm{Weight: w, Bias: b, Eps: orEps(eps)}
}

// Forward normalises x, .. x nc.
func (l *LayerNorm) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.LayerNorm(x, t.Param(l.Weight), t.Param(l.Bias), l.Eps)
}

// GroupNorm normalises groups of channels over the grid, sample by sample, then scales and shifts every channel. One group is a
// layer norm over channels and grid together; as many groups as channels are an instance norm.
type GroupNorm struct {
	Weight *autograd.Param // nc, ones at first
	Bias   *autograd.Param // nc
	Groups int             `param:"-"`
	Eps    float32         `param:"-"`
}

// NewGroupNorm returns a GroupNorm of channels in groups; an eps of 0 means 1e-5.
func NewGroupNorm(groups, channels int, eps float32) *GroupNorm {
	positive("GroupNorm", "the number of groups", groups)
	positive("GroupNorm", "the number of channels", channels)
	if channels%groups != 0 {
		panic(fmt.Sprintf("nn: GroupNorm: %d channels do not fall into %d groups", channels, groups))
	}
	w, b := newAffine(channels)
	return &GroupNorm{Weight: w, Bias: b, Groups: groups, Eps: orEps(eps)}
}

// Forward normalises x, nb x nc x n1 .. nd.
func (l *GroupNorm) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.GroupNorm(x, l.Groups, t.Param(l.Weight), t.Param(l.Bias), l.Eps)
}

// InstanceNorm normalises every channel of every sample over the grid. It has no parameters; the zero InstanceNorm is ready.
type InstanceNorm struct {
	Eps float32 `param:"-"` // 0 means 1e-5
}

// Forward normalises x, nb x nc x n1 .. nd.
func (l *InstanceNorm) Forward(x *autograd.Value) *autograd.Value {
	return autograd.InstanceNorm(x, orEps(l.Eps))
}

// BatchNorm2d normalises every channel over batch and grid on a training tape, and by running statistics, which training
// updates, on others. The grid may have any number of axes. Tapes that train must not share it between goroutines.
type BatchNorm2d struct {
	Weight      *autograd.Param  // nc, ones at first
	Bias        *autograd.Param  // nc
	RunningMean *autograd.Buffer // nc
	RunningVar  *autograd.Buffer // nc, ones at first
	Batches     *autograd.Buffer `param:"num_batches_tracked"`
	Momentum    float32          `param:"-"`
	Eps         float32          `param:"-"`
}

// NewBatchNorm2d returns a BatchNorm2d with PyTorch's momentum, 0.1, and eps, 1e-5.
func NewBatchNorm2d(channels int) *BatchNorm2d {
	positive("BatchNorm2d", "the number of channels", channels)
	w, b := newAffine(channels)
	return &BatchNorm2d{Weight: w, Bias: b, RunningMean: autograd.NewBuffer(0, channels), RunningVar: autograd.NewBuffer(1, channels),
		Batches: autograd.NewCounter(), Momentum: 0.1, Eps: normEps}
}

// Forward normalises x, nb x nc x n1 .. nd.
func (l *BatchNorm2d) Forward(x *autograd.Value) *autograd.Value {
	t := x.Tape()
	return autograd.BatchNorm(x, t.Param(l.Weight), t.Param(l.Bias), l.RunningMean, l.RunningVar, l.Batches, l.Momentum, l.Eps)
}

func orEps(eps float32) float32 {
	if eps == 0 {
		return normEps
	}
	return eps
}
