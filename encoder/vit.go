package encoder

import (
	"math"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
	"github.com/spamoe/spamoe/internal/memo"
)

// ViT is DINOv3's vision transformer under timm's names.
type ViT struct {
	ClsToken   *autograd.Param `param:"cls_token"` // 1 x 1 x width
	RegToken   *autograd.Param `param:"reg_token"` // 1 x registers x width, or nil
	PatchEmbed *nn.Conv2d      `param:"patch_embed.proj"`
	Blocks     []*Block        `param:"blocks"`
	Norm       *nn.LayerNorm   `param:"norm"`

	config ViTConfig
	ropes  memo.Map[[2]int, *autograd.Rotation] // by rows and columns of patches
}

// Block is one block of a ViT.
type Block struct {
	Gamma1 *autograd.Param `param:"gamma_1"` // width
	Gamma2 *autograd.Param `param:"gamma_2"` // width
	Norm1  *nn.LayerNorm   `param:"norm1"`
	Attn   *Attention      `param:"attn"`
	Norm2  *nn.LayerNorm   `param:"norm2"`
	FC1    *nn.Linear      `param:"mlp.fc1"`
	FC2    *nn.Linear      `param:"mlp.fc2"`
}

// Attention is self-attention with several heads.
type Attention struct {
	QBias *autograd.Param `param:"q_bias"` // width, or nil
	VBias *autograd.Param `param:"v_bias"` // width, or nil
	QKV   *nn.Linear      `param:"qkv"`
	Proj  *nn.Linear      `param:"proj"`

	heads int
}

// vitEps is what the transformer's layer normalisations add to variances.
const vitEps = 1e-5

// newViT draws weights as timm does: normal with a standard deviation of 0.02, those that end a branch of block l divided by
// sqrt(2 l) so that the sum over blocks stays in bounds; biases are zero.
func newViT(in int, c ViTConfig, rng *rand.Rand) *ViT {
	w := c.Width
	v := &ViT{ClsToken: autograd.NewParam(1, 1, w), config: c, Norm: nn.NewLayerNorm(w, vitEps)}
	v.PatchEmbed = nn.NewConv2d(nn.ConvConfig{In: in, Out: w, Kernel: [2]int{c.Patch, c.Patch},
		ConvOptions: autograd.ConvOptions{Stride: [2]int{c.Patch, c.Patch}}}, rng)
	if r := c.registers(); r > 0 {
		v.RegToken = autograd.NewParam(1, r, w)
	}
	for range c.Depth {
		b := &Block{Gamma1: constant(c.LayerScale, w), Gamma2: constant(c.LayerScale, w), Norm1: nn.NewLayerNorm(w, vitEps), Norm2: nn.NewLayerNorm(w, vitEps),
			Attn: &Attention{QKV: nn.NewLinear(w, 3*w, false, nil), Proj: nn.NewLinear(w, w, true, nil), heads: c.Heads},
			FC1:  nn.NewLinear(w, c.MLPRatio*w, true, nil), FC2: nn.NewLinear(c.MLPRatio*w, w, true, nil)}
		if c.QKVBias {
			b.Attn.QBias, b.Attn.VBias = autograd.NewParam(w), autograd.NewParam(w)
		}
		v.Blocks = append(v.Blocks, b)
	}
	if rng == nil {
		return v
	}
	draw(v.ClsToken, 1, rng)
	if v.RegToken != nil {
		draw(v.RegToken, 1, rng)
	}
	for i, b := range v.Blocks {
		end := 1 / math.Sqrt(2*float64(i+1))
		draw(b.Attn.QKV.Weight, 1, rng)
		draw(b.Attn.Proj.Weight, end, rng)
		draw(b.FC1.Weight, 1, rng)
		draw(b.FC2.Weight, end, rng)
	}
	return v
}

// draw fills p with normal numbers of standard deviation 0.02 times scale, cut off at 2.
func draw(p *autograd.Param, scale float64, rng *rand.Rand) {
	nn.TruncatedNormal(p.Tensor, 0.02*scale, 2, rng)
}

// constant returns a parameter of n numbers x.
func constant(x float64, n int) *autograd.Param {
	p := autograd.NewParam(n)
	for i := range p.Data {
		p.Data[i] = float32(x)
	}
	return p
}

// tokens maps x, nb x in x h x w, to the normalised tokens, nb x (1 + registers + ny nx) x width: class token, registers, and patches
// row by row.
func (v *ViT) tokens(x *autograd.Value, recompute bool) (tokens *autograd.Value, ny, nx int) {
	t := x.Tape()
	c := v.config
	h, w := x.Shape[2], x.Shape[3]
	ny, nx = (h+c.Patch-1)/c.Patch, (w+c.Patch-1)/c.Patch
	y := t.Scope(func() *autograd.Value { return v.embed(x, ny*c.Patch-h, nx*c.Patch-w) })
	rope, _ := v.ropes.Get([2]int{ny, nx}, func() (*autograd.Rotation, error) {
		return newRope(ny, nx, 1+c.registers(), c.Width/c.Heads, c.Temperature), nil
	})
	for _, b := range v.Blocks {
		if recompute {
			y = autograd.Recompute(y, func(y *autograd.Value) *autograd.Value { return b.forward(y, rope) })
		} else {
			y = t.Scope(func() *autograd.Value { return b.forward(y, rope) })
		}
	}
	return v.Norm.Forward(y), ny, nx
}

// embed continues x by reflection at the bottom and the right, cuts it into patches and puts the other tokens ahead of theirs.
func (v *ViT) embed(x *autograd.Value, down, right int) *autograd.Value {
	t := x.Tape()
	nb, w := x.Shape[0], v.config.Width
	if down > 0 || right > 0 {
		x = autograd.Pad(x, []int{0, right, 0, down}, autograd.PadReflect)
	}
	patches := autograd.Reshape(autograd.ChannelsLast(v.PatchEmbed.Forward(x)), nb, -1, w)
	class := autograd.Broadcast(t.Param(v.ClsToken), nb, 1, w)
	if v.RegToken == nil {
		return autograd.Concat(1, class, patches)
	}
	return autograd.Concat(1, class, autograd.Broadcast(t.Param(v.RegToken), nb, v.config.registers(), w), patches)
}

// forward maps tokens, nb x nt x width.
func (b *Block) forward(x *autograd.Value, r *autograd.Rotation) *autograd.Value {
	t := x.Tape()
	y := t.Scope(func() *autograd.Value {
		return b.Attn.Proj.ForwardBranch(b.Attn.attend(b.Norm1.Forward(x), r), b.Gamma1, x)
	})
	return t.Scope(func() *autograd.Value {
		return nn.PerceptronBranch(b.FC1, b.FC2, b.Norm2.Forward(y), b.Gamma2, y)
	})
}

// attend returns what the heads find, side by side.
func (a *Attention) attend(x *autograd.Value, r *autograd.Rotation) *autograd.Value {
	t := x.Tape()
	qkv := a.QKV.Forward(x)
	if a.QBias != nil {
		none := t.Alloc(x.Shape[2])
		clear(none.Data)
		qkv = autograd.AddLast(qkv, autograd.Concat(0, t.Param(a.QBias), t.Const(none), t.Param(a.VBias)))
	}
	return autograd.SelfAttention(qkv, a.heads, r)
}
