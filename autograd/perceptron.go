package autograd

import (
	"slices"

	"github.com/spamoe/spamoe/internal/kernel"
)

// Perceptron returns y = W2 GELU(W1 x + b1) + b2 over the last axis: Linear(LinearGELU(x, w1, b1), w2, b2) in one pass, which never
// writes the hidden values down. x is [.., in], w1 [hidden, in] and w2 [out, hidden], both possibly followed by axes of size 1; b1 is
// [hidden] or nil, b2 [out] or nil.
func Perceptron(x, w1, b1, w2, b2 *Value) *Value {
	in := [...]*Value{x, w1, b1, w2, b2}
	t := on("Perceptron", in[:]...)
	checkLinear("Perceptron", x.Shape, w1, b1)
	p := perceptronGrad{x: x, w1: w1, b1: b1, w2: w2, b2: b2, ni: w1.Shape[1], nh: w1.Shape[0], no: w2.Shape[0]}
	checkLinear("Perceptron", []int{p.nh}, w2, b2)
	rows := x.Len() / x.Dim(-1)
	out := t.allocWith(x.Shape, x.Rank()-1, p.no)
	if slices.ContainsFunc(in[:], (*Value).NeedsGrad) {
		p.pre = t.Scratch(rows * p.nh)
	}
	f := perceptronForward{p, out.Data, kernel.Pack(true, p.ni, p.nh, w1.Data, p.ni), kernel.Pack(true, p.nh, p.no, w2.Data, p.nh)}
	kernel.ParallelWith(rows, p.chunk(), f)
	f.first.Release()
	f.second.Release()
	return Record("Perceptron", out, in[:], p)
}

// perceptronGrad has the operands and sizes of a Perceptron and pre = W1 x + b1, rows x nh, where a gradient is wanted.
type perceptronGrad struct {
	x, w1, b1, w2, b2 *Value
	ni, nh, no        int
	pre               []float32
}

// hiddenSize is how many hidden values a chunk of rows has: they stay in the second-level cache.
const hiddenSize = 32 << 10

// groupRows is how many rows a group of a fused gradient has at least: fewer are not worth sums of their own.
const groupRows = 512

// chunk is how many rows are worked on at a time.
func (p *perceptronGrad) chunk() int { return max(1, hiddenSize/p.nh) }

// chunks keeps the hidden values of chunks.
var chunks kernel.Scratch[float32]

// perceptronForward writes y.
type perceptronForward struct {
	perceptronGrad
	y             []float32
	first, second *kernel.Panels[float32]
}

func (p *perceptronForward) Chunk(lo, hi int) {
	h := chunks.Get(p.chunk() * p.nh)
	defer chunks.Put(h)
	for ; lo < hi; lo += p.chunk() {
		n := min(p.chunk(), hi-lo)
		ep := kernel.Epilogue[float32]{ColBias: dataOf(p.b1), GELU: true}
		if p.pre != nil {
			ep.Pre = p.pre[lo*p.nh:]
		}
		kernel.GemmPanels(n, p.x.Data[lo*p.ni:], p.ni, p.first, h, p.nh, false, &ep)
		kernel.GemmPanels(n, h, p.nh, p.second, p.y[lo*p.no:], p.no, false, &kernel.Epilogue[float32]{ColBias: dataOf(p.b2)})
	}
}

// Backward goes through groups of rows. With z = W1 x + b1 and h = GELU(z),
//
//	gz = (gy W2) GELU'(z),  gW2 = gy' h,  gb2 = sum gy,  gW1 = gz' x,  gb1 = sum gz,  gx = gz W1.
func (p *perceptronGrad) Backward(g *Grads, gy []float32) {
	b := perceptronRows{perceptronGrad: *p, gy: gy}
	if p.x.grad {
		b.gx, b.acc = g.Buffer(p.x)
		b.first = kernel.Pack(false, p.nh, p.ni, p.w1.Data, p.ni)
		defer b.first.Release()
	}
	b.second = kernel.Pack(false, p.no, p.nh, p.w2.Data, p.nh)
	defer b.second.Release()
	SumOver(g, len(gy)/p.no, groupRows, []*Value{p.w1, p.b1, p.w2, p.b2}, b)
}

// perceptronRows is the way back through rows.
type perceptronRows struct {
	perceptronGrad
	gy, gx        []float32
	acc           bool // add to gx
	first, second *kernel.Panels[float32]
}

func (p *perceptronRows) Rows(lo, hi int, parts [][]float32) {
	buf := chunks.Get(2 * p.chunk() * p.nh)
	defer chunks.Put(buf)
	gw1, gb1, gw2, gb2 := parts[0], parts[1], parts[2], parts[3]
	for ; lo < hi; lo += p.chunk() {
		n := min(p.chunk(), hi-lo)
		h, gz := buf[:n*p.nh], buf[n*p.nh:][:n*p.nh]
		z, gc, xc := p.pre[lo*p.nh:][:n*p.nh], p.gy[lo*p.no:][:n*p.no], p.x.Data[lo*p.ni:][:n*p.ni]
		kernel.GemmPanels(n, gc, p.no, p.second, gz, p.nh, false, &kernel.Epilogue[float32]{GELUGrad: z})
		if gw2 != nil {
			kernel.GELU(h, z)
			kernel.GemmSerial(true, false, p.no, p.nh, n, gc, p.no, h, p.nh, gw2, p.nh, true, nil)
		}
		if gb2 != nil {
			kernel.AddColSum(gb2, gc, n, p.no)
		}
		if gw1 != nil {
			kernel.GemmSerial(true, false, p.nh, p.ni, n, gz, p.nh, xc, p.ni, gw1, p.ni, true, nil)
		}
		if gb1 != nil {
			kernel.AddColSum(gb1, gz, n, p.nh)
		}
		if p.gx != nil {
			kernel.GemmPanels(n, gz, p.nh, p.first, p.gx[lo*p.ni:], p.ni, p.acc, nil)
		}
	}
}
