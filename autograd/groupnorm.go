package autograd

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
)

// InstanceNorm normalises every channel of every sample of x, [batch, channel, spatial...], to mean 0 and variance 1, without
// weights (Ulyanov, Vedaldi and Lempitsky, arXiv 1607.08022).
func InstanceNorm(x *Value, eps float32) *Value {
	on("InstanceNorm", x)
	if x.Rank() < 3 {
		panic(fmt.Sprintf("autograd: InstanceNorm: shape %v is not [batch, channel, spatial...]", x.Shape))
	}
	return GroupNorm(x, x.Shape[1], nil, nil, eps)
}

// GroupNorm cuts the channels of x, [batch, channel, spatial...], into groups, normalises every group of every sample to mean 0
// and variance 1, then scales channel c by w[c] and shifts it by b[c] (Wu and He, arXiv 1803.08494). The variance is the biased
// one. w and b may both be nil.
func GroupNorm(x *Value, groups int, w, b *Value, eps float32) *Value {
	t := on("GroupNorm", x, w, b)
	if x.Rank() < 2 || groups < 1 || x.Shape[1]%groups != 0 {
		panic(fmt.Sprintf("autograd: GroupNorm: shape %v does not fall into %d groups of channels", x.Shape, groups))
	}
	nb, nc, size := x.Shape[0], x.Shape[1], sizeOf(x.Shape[2:])
	mean, rstd := t.Scratch(nb*groups), t.Scratch(nb*groups)
	kernel.Moments(mean, rstd, x.Data, nb*groups, nc/groups*size)
	deviation(rstd, eps)
	return channelNorm("GroupNorm", x, w, b, mean, rstd, groups, false)
}

// BatchNorm normalises every channel of x, [batch, channel, spatial...], then scales it by w and shifts it by b (Ioffe and
// Szegedy, arXiv 1502.03167); both may be nil. On a training tape it takes the mean and the biased variance of the batch and
// moves the running statistics towards them,
//
//	mean += momentum (mean of batch - mean), variance += momentum (unbiased variance of batch - variance),
//
// and adds one to counter; each of the three may be nil. On other tapes it takes the running statistics, or those of the batch
// where they are nil. Training tapes of several goroutines must not share the buffers.
func BatchNorm(x, w, b *Value, mean, variance, counter *Buffer, momentum, eps float32) *Value {
	t := on("BatchNorm", x, w, b)
	if x.Rank() < 2 {
		panic(fmt.Sprintf("autograd: BatchNorm: shape %v has no channels", x.Shape))
	}
	nb, nc, size := x.Shape[0], x.Shape[1], sizeOf(x.Shape[2:])
	for _, s := range []*Buffer{mean, variance} {
		if s != nil && len(s.Data) != nc {
			panic(fmt.Sprintf("autograd: BatchNorm: running statistics %v do not fit x %v", s.Shape, x.Shape))
		}
	}
	if (mean == nil) != (variance == nil) {
		panic("autograd: BatchNorm: one of the running mean and variance is nil")
	}
	m, s := t.Scratch(nc), t.Scratch(nc)
	if !t.Train && mean != nil {
		copy(m, mean.Data)
		copy(s, variance.Data)
		deviation(s, eps)
		return fixedNorm(x, w, b, m, s)
	}
	kernel.ChannelMoments(m, s, x.Data, nb, nc, size)
	if t.Train && mean != nil {
		n := float32(nb * size)
		if n < 2 {
			panic(fmt.Sprintf("autograd: BatchNorm: one value per channel in shape %v has no variance", x.Shape))
		}
		for c := range nc {
			mean.Data[c] += momentum * (m[c] - mean.Data[c])
			variance.Data[c] += momentum * (s[c]*n/(n-1) - variance.Data[c])
		}
		if counter != nil {
			counter.Ints[0]++
		}
	}
	deviation(s, eps)
	return channelNorm("BatchNorm", x, w, b, m, s, 1, true)
}

// channelNorm records (x - mean) rstd w + b, where mean and rstd are those of x itself, by channel if batch is true and by group
// otherwise.
func channelNorm(name string, x, w, b *Value, mean, rstd []float32, groups int, batch bool) *Value {
	t := on(name, x, w, b)
	nb, nc, size := x.Shape[0], x.Shape[1], sizeOf(x.Shape[2:])
	wd, bd := affine(name, x, w, b, nc)
	out := t.Alloc(x.Shape...)
	kernel.ChannelNorm(out.Data, x.Data, mean, rstd, wd, bd, nb, nc, size, groups, batch)
	return Record(name, out, []*Value{x, w, b}, channelNormGrad{x, w, b, mean, rstd, groups, batch})
}

type channelNormGrad struct {
	x, w, b    *Value
	mean, rstd []float32
	groups     int
	batch      bool
}

func (o *channelNormGrad) Backward(g *Grads, gy []float32) {
	nb, nc, size := o.x.Shape[0], o.x.Shape[1], sizeOf(o.x.Shape[2:])
	gw, gb := g.affine(o.w, o.b)
	var gx []float32
	acc := false
	if o.x.grad {
		gx, acc = g.Buffer(o.x)
	}
	kernel.ChannelNormGrad(gx, gw, gb, gy, o.x.Data, o.mean, o.rstd, dataOf(o.w), nb, nc, size, o.groups, o.batch, acc, true)
}

// fixedNorm records (x - mean) rstd w + b by channel, where mean and rstd are constants.
func fixedNorm(x, w, b *Value, mean, rstd []float32) *Value {
	t := on("BatchNorm", x, w, b)
	nb, nc, size := x.Shape[0], x.Shape[1], sizeOf(x.Shape[2:])
	wd, bd := affine("BatchNorm", x, w, b, nc)
	out := t.Alloc(x.Shape...)
	kernel.ChannelNorm(out.Data, x.Data, mean, rstd, wd, bd, nb, nc, size, 1, true)
	return Record("BatchNorm", out, []*Value{x, w, b}, fixedNormGrad{x, w, b, mean, rstd})
}

type fixedNormGrad struct {
	x, w, b    *Value
	mean, rstd []float32
}

func (o *fixedNormGrad) Backward(g *Grads, gy []float32) {
	nb, nc, size := o.x.Shape[0], o.x.Shape[1], sizeOf(o.x.Shape[2:])
	if gw, gb := g.affine(o.w, o.b); gw != nil || gb != nil {
		kernel.ChannelNormGrad(nil, gw, gb, gy, o.x.Data, o.mean, o.rstd, dataOf(o.w), nb, nc, size, 1, true, false, true)
	}
	if !o.x.grad {
		return
	}
	scale := g.Scratch(nc)
	copy(scale, o.rstd)
	if o.w != nil {
		kernel.Mul(scale, scale, o.w.Data)
	}
	gx, acc := g.Buffer(o.x)
	if acc {
		d := g.Scratch(len(gx))
		kernel.ChannelAffine(d, gy, scale, nil, nb, nc, size)
		kernel.Add(gx, gx, d)
		g.Free(d)
	} else {
		kernel.ChannelAffine(gx, gy, scale, nil, nb, nc, size)
	}
	g.Free(scale)
}

// deviation turns variances into 1 / sqrt(variance + eps).
func deviation(v []float32, eps float32) {
	for i := range v {
		v[i] = float32(1 / math.Sqrt(float64(v[i])+float64(eps)))
	}
}
