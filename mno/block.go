package mno

import (
	"fmt"
	"math/rand/v2"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/autograd/nn"
)

// Block is a multiwavelet block (Gupta et al., arXiv 2109.13459, section 3): an operator in its non-standard wavelet form. From the finest level
// to the coarsest, the coefficients s of each level are split into coarser ones and details d, and
//
//	Us = C d,   Ud = A d + B s
//
// is what the level contributes to the result. The coarsest coefficients go through a matrix T0; back up, Us is added to the coefficients and
// both, with Ud, make the next finer ones. All levels share A, B, C and the filters, so a block serves every grid.
//
// A, B and C are Fourier kernels on a line; in the plane A is one, and B and C are local kernels.
type Block struct {
	Config Config `param:"-"`

	EcS *autograd.Buffer `param:"ec_s"` // see Bank: S
	EcD *autograd.Buffer `param:"ec_d"` // D
	// Synthesis filters of the cells: e and o for even and odd ones on a line, ee, eo, oe and oo in the plane; (1 + Kinds) P x P.
	RcE  *autograd.Buffer `param:"rc_e"`
	RcO  *autograd.Buffer `param:"rc_o"`
	RcEE *autograd.Buffer `param:"rc_ee"`
	RcEO *autograd.Buffer `param:"rc_eo"`
	RcOE *autograd.Buffer `param:"rc_oe"`
	RcOO *autograd.Buffer `param:"rc_oo"`

	A  layer      `param:"A"`
	B  layer      `param:"B"`
	C  layer      `param:"C"`
	T0 *nn.Linear `param:"T0"` // K x K on a line, Channels P x Channels P in the plane

	bank *Bank[float32] // on the buffers
}

// NewBlock returns a block with weights drawn from rng; a nil rng leaves zeros. Of the configuration, In, Out, Blocks, NoGrid and ProjectionHidden
// play no part.
func NewBlock(c Config, rng *rand.Rand) (*Block, error) {
	c.In, c.Out = max(c.In, 1), max(c.Out, 1)
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.defaults()
	f, err := NewFilters(c.Basis, c.K)
	if err != nil {
		return nil, err
	}
	if !c.Defects.DiagonalDetails {
		f = f.Balanced()
	}
	b := &Block{Config: c, bank: NewBank[float32](f, c.Dim, c.Defects.DiagonalDetails)}
	p, w, details := power(c.K, c.Dim), c.width(), b.bank.Kinds*c.width()
	b.EcS, b.EcD = buffer(b.bank.S, p), buffer(b.bank.D, b.bank.Kinds*p)
	if c.Dim == 1 {
		b.RcE, b.RcO = buffer(b.bank.R[0], p), buffer(b.bank.R[1], p)
		b.T0 = nn.NewLinear(c.K, c.K, true, rng)
		for _, k := range []*layer{&b.A, &b.B, &b.C} {
			if *k, err = newFourierKernel1d(w, w, c.Modes, rng); err != nil {
				return nil, fmt.Errorf("mno: %w", err)
			}
		}
		return b, nil
	}
	b.RcEE, b.RcEO, b.RcOE, b.RcOO = buffer(b.bank.R[0], p), buffer(b.bank.R[1], p), buffer(b.bank.R[2], p), buffer(b.bank.R[3], p)
	b.T0 = nn.NewLinear(w, w, true, rng)
	if b.A, err = newFourierKernel2d(details, w, details, c.Modes, c.Defects.OverlapModes, rng); err != nil {
		return nil, fmt.Errorf("mno: %w", err)
	}
	b.B, b.C = newLocalKernel2d(w, w, details, rng), newLocalKernel2d(details, w, w, rng)
	return b, nil
}

// buffer holds a matrix of the given number of columns, without a copy.
func buffer(data []float32, cols int) *autograd.Buffer {
	return &autograd.Buffer{Shape: []int{len(data) / cols, cols}, Data: data}
}

// Forward maps coefficients x, nb x n1 .. nd x Channels P, to as many.
func (b *Block) Forward(x *autograd.Value) *autograd.Value {
	c := &b.Config
	if x.Rank() != c.Dim+2 || x.Dim(-1) != c.width() {
		panic(fmt.Sprintf("mno: Block: shape %v; want batch, %d axes and %d coefficients", x.Shape, c.Dim, c.width()))
	}
	return b.down(x, c.depth(x.Shape[1:1+c.Dim]))
}

// down applies the block to the coefficients of a level that lies the given number of levels above the coarsest.
func (b *Block) down(x *autograd.Value, levels int) *autograd.Value {
	if levels == 0 {
		return b.coarsest(x)
	}
	t := x.Tape()
	s, d := Decompose(b.bank, x)
	us := t.Scope(func() *autograd.Value { return b.C.Forward(d) })
	ud := t.Scope(func() *autograd.Value { return autograd.Add(b.A.Forward(d), b.B.Forward(s)) })
	return Reconstruct(b.bank, autograd.Add(b.down(s, levels-1), us), ud)
}

// coarsest applies T0, on a line to each function on its own.
func (b *Block) coarsest(x *autograd.Value) *autograd.Value {
	if b.Config.Dim == 2 {
		return b.T0.Forward(x)
	}
	y := autograd.Reshape(x, x.Shape[0], x.Shape[1], b.Config.Channels, b.Config.K)
	return autograd.Reshape(b.T0.Forward(y), x.Shape...)
}
