package autograd

import (
	"github.com/spamoe/spamoe/internal/kernel"
)

// Perceptron returns y = W2 GELU(W1 x + b1) + b2 over the last axis: Linear(LinearGELU(x, w1, b1), w2, b2) in one pass, which never
// writes the hidden values down. x is [.., in], w1 [hidden, in] and w2 [out, hidden], both possibly followed by axes of size 1; b1 is
// [hidden] or nil, b2 [out] or nil.
func Perceptron(x, w1, b1, w2, b2 *Value) *Value {
	checkLinear("Perceptron", x.Shape, w1, b1)
	p := hiddenLayer{rows: x.Len() / x.Dim(-1), ni: w1.Shape[1], nh: w1.Shape[0], no: w2.Shape[0]}
	checkLinear("Perceptron", []int{p.nh}, w2, b2)
	in := present(x, w1, b1, w2, b2)
	t := x.tape
	out := t.allocWith(x.Shape, x.Rank()-1, p.no)
	if anyGrad(in) {
		p.pre = t.Scratch(p.rows * p.nh)
	}
	p.forward(out.Data, x.Data, w1.Data, dataOf(b1), w2.Data, dataOf(b2))
	return Record("Perceptron", out, in, BackwardFunc(func(g *Grads, gy []float32) { p.backward(g, gy, x, w1, b1, w2, b2) }))
}

// hiddenLayer has the sizes of a Perceptron and pre = W1 x + b1, rows x nh, where a gradient is wanted.
type hiddenLayer struct {
	rows, ni, nh, no int
	pre              []float32
}

// hiddenSize is how many hidden values a chunk of rows has: they stay in the second-level cache.
const hiddenSize = 32 << 10

// groupRows is how many rows a group of a fused gradient has at least: fewer are not worth sums of their own.
const groupRows = 512

// chunk is how many rows are worked on at a time.
func (p *hiddenLayer) chunk() int { return max(1, hiddenSize/p.nh) }

func (p *hiddenLayer) forward(y, x, w1, b1, w2, b2 []float32) {
	first, second := kernel.Pack(true, p.ni, p.nh, w1, p.ni), kernel.Pack(true, p.nh, p.no, w2, p.nh)
	kernel.Parallel(p.rows, p.chunk(), func(lo, hi int) {
		buf := chunks.get(p.chunk() * p.nh)
		defer chunks.put(buf)
		h := *buf
		for ; lo < hi; lo += p.chunk() {
			n := min(p.chunk(), hi-lo)
			ep := kernel.Epilogue[float32]{ColBias: b1, GELU: true}
			if p.pre != nil {
				ep.Pre = p.pre[lo*p.nh:]
			}
			kernel.GemmPanels(n, x[lo*p.ni:], p.ni, first, h, p.nh, false, &ep)
			kernel.GemmPanels(n, h, p.nh, second, y[lo*p.no:], p.no, false, &kernel.Epilogue[float32]{ColBias: b2})
		}
	})
	first.Release()
	second.Release()
}

// backward goes through groups of rows. With z = W1 x + b1 and h = GELU(z),
//
//	gz = (gy W2) GELU'(z),  gW2 = gy' h,  gb2 = sum gy,  gW1 = gz' x,  gb1 = sum gz,  gx = gz W1.
func (p *hiddenLayer) backward(g *Grads, gy []float32, x, w1, b1, w2, b2 *Value) {
	var gx []float32
	var acc bool
	var first *kernel.Panels[float32]
	if x.grad {
		gx, acc = g.Buffer(x)
		first = kernel.Pack(false, p.nh, p.ni, w1.Data, p.ni)
		defer first.Release()
	}
	second := kernel.Pack(false, p.no, p.nh, w2.Data, p.nh)
	defer second.Release()
	g.SumOver(p.rows, groupRows, []*Value{w1, b1, w2, b2}, func(lo, hi int, part [][]float32) {
		buf := chunks.get(2 * p.chunk() * p.nh)
		defer chunks.put(buf)
		gw1, gb1, gw2, gb2 := part[0], part[1], part[2], part[3]
		for ; lo < hi; lo += p.chunk() {
			n := min(p.chunk(), hi-lo)
			h, gz := (*buf)[:n*p.nh], (*buf)[n*p.nh:][:n*p.nh]
			z, gc, xc := p.pre[lo*p.nh:][:n*p.nh], gy[lo*p.no:][:n*p.no], x.Data[lo*p.ni:][:n*p.ni]
			kernel.GemmPanels(n, gc, p.no, second, gz, p.nh, false, &kernel.Epilogue[float32]{GELUGrad: z})
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
			if x.grad {
				kernel.GemmPanels(n, gz, p.nh, first, gx[lo*p.ni:], p.ni, acc, nil)
			}
		}
	})
}
