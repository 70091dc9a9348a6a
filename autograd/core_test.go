package autograd

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"weak"

	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/internal/steady"
	"github.com/stretchr/testify/require"
)

// perceptron is a small model that uses operations of many kinds.
type perceptron struct {
	W1, B1, W2, Gate *Param
}

func newPerceptron(rng *rand.Rand) *perceptron {
	m := &perceptron{NewParam(9, 5), NewParam(9), NewParam(4, 9), NewParam(4)}
	for _, p := range Params(m) {
		copy(p.Data, normal(rng, p.Shape...).Data)
	}
	return m
}

func (m *perceptron) loss(t *Tape, x *Tensor) *Value {
	h := LinearGELU(t.Input(x), t.Param(m.W1), t.Param(m.B1))
	y := MulLast(Linear(Dropout(h, 0.25), t.Param(m.W2), nil), t.Param(m.Gate))
	return Add(Mean(Square(y)), Sum(Softmax(Reshape(Narrow(y, 1, 0, 2), -1))))
}

func trainingTape() *Tape { return &Tape{Train: true, Rand: rand.New(rand.NewPCG(7, 8))} }

func TestTapeReuse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m, x := newPerceptron(rng), normal(rng, 3, 7, 5)
	run := func(tape *Tape) (float32, [][]float32) {
		tape.Rand = rand.New(rand.NewPCG(7, 8))
		loss := m.loss(tape, x)
		g := loss.Backward()
		var grads [][]float32
		for _, p := range Params(m) {
			grads = append(grads, slices.Clone(g.Of(p).Data))
		}
		return loss.Data[0], grads
	}
	loss, grads := run(trainingTape())
	tape := trainingTape()
	for range 4 {
		// Another shape in between leaves other buffers behind.
		other := m.loss(tape, normal(rng, 2, 3, 5))
		other.Backward()
		tape.Reset()
		l, g := run(tape)
		require.Equal(t, loss, l)
		require.Equal(t, grads, g)
		tape.Reset()
	}
}

func TestTwoBackwardPasses(t *testing.T) {
	tape := &Tape{}
	x := tape.Input(FromSlice([]float32{1, 2, 3}, 3))
	a, b := Mul(x, x), Scale(x, 5)
	require.Equal(t, []float32{2, 4, 6}, tape.Backward(Seed{a, []float32{1, 1, 1}}).Wrt(x).Data)
	require.Equal(t, []float32{5, 10, 15}, tape.Backward(Seed{b, []float32{1, 2, 3}}).Wrt(x).Data)
	require.Equal(t, []float32{7, 14, 21}, tape.Backward(Seed{a, []float32{1, 1, 1}}, Seed{b, []float32{1, 2, 3}}).Wrt(x).Data)
}

func TestValueUsedTwice(t *testing.T) {
	tape := &Tape{}
	for _, c := range []struct {
		name string
		f    func(x *Value) *Value
		want []float32
	}{
		{"x*x", func(x *Value) *Value { return Mul(x, x) }, []float32{2, 4, -6}},
		{"x+x", func(x *Value) *Value { return Add(x, x) }, []float32{2, 2, 2}},
		{"x-x", func(x *Value) *Value { return Sub(x, x) }, []float32{0, 0, 0}},
		{"x/x", func(x *Value) *Value { return Div(x, x) }, []float32{0, 0, 0}},
		{"(x+x)-x", func(x *Value) *Value { return Sub(Add(x, x), x) }, []float32{1, 1, 1}},
		{"x-(x+x)", func(x *Value) *Value { return Sub(x, Add(x, x)) }, []float32{-1, -1, -1}},
		{"x, x joined", func(x *Value) *Value { return Concat(0, x, x, x) }, []float32{3, 3, 3}},
		{"views", func(x *Value) *Value { return Add(Reshape(x, 3, 1), Reshape(x, 3, 1)) }, []float32{2, 2, 2}},
		{"rows of one", func(x *Value) *Value { return MulLast(x, x) }, []float32{2, 4, -6}},
	} {
		x := tape.Input(FromSlice([]float32{1, 2, -3}, 3))
		require.Equal(t, c.want, Sum(c.f(x)).Backward().Wrt(x).Data, c.name)
		tape.Reset()
	}
}

// A gradient handed on without a copy must not be changed where two values got it, and seeds are never changed.
func TestGiveAliasing(t *testing.T) {
	tape := &Tape{}
	x, y := tape.Input(New(3)), tape.Input(New(3))
	s := Add(x, y)
	seed := []float32{1, 2, 3}
	g := tape.Backward(Seed{s, seed}, Seed{s, seed}, Seed{x, seed}, Seed{y, []float32{10, 20, 30}})
	require.Equal(t, []float32{1, 2, 3}, seed)
	require.Equal(t, []float32{3, 6, 9}, g.Wrt(x).Data)
	require.Equal(t, []float32{12, 24, 36}, g.Wrt(y).Data)
}

func TestFrozenAndUnused(t *testing.T) {
	tape := &Tape{}
	p, q, unused := NewParam(2), NewParam(2), NewParam(2)
	p.Frozen = true
	copy(p.Data, []float32{2, 3})
	copy(q.Data, []float32{5, 7})
	y := Sum(Mul(tape.Param(p), tape.Param(q)))
	require.Equal(t, float32(31), y.Data[0])
	g := y.Backward()
	require.Nil(t, g.Of(p))
	require.Nil(t, g.Of(unused))
	require.Equal(t, []float32{2, 3}, g.Of(q).Data)
	require.False(t, tape.Param(p).NeedsGrad())
	tape.Reset()
	require.False(t, Sum(tape.Param(p)).NeedsGrad(), "nothing to record")
	require.Empty(t, tape.nodes)
}

func TestNoGrad(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m, x := newPerceptron(rng), normal(rng, 3, 7, 5)
	want := m.loss(&Tape{}, x).Data[0]
	tape := &Tape{NoGrad: true}
	y := m.loss(tape, x)
	require.Equal(t, want, y.Data[0])
	require.False(t, y.NeedsGrad())
	require.Empty(t, tape.nodes)
	require.Nil(t, y.Backward().Of(m.W1))
}

func TestScope(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	x := normal(rng, 64, 64)
	want := func() []float32 {
		tape := &Tape{}
		return slices.Clone(Tanh(GELU(tape.Const(x))).Data)
	}()
	for _, result := range []func(y *Value) *Value{
		func(y *Value) *Value { return y },
		func(y *Value) *Value { return Reshape(y, -1) },
		func(y *Value) *Value { return Narrow(y, 0, 1, 63) }, // a view of a part
	} {
		tape := &Tape{NoGrad: true}
		var kept []*Value
		for range 8 {
			kept = append(kept, tape.Scope(func() *Value {
				v := tape.Const(x)
				for range 10 {
					v = GELU(v)
				}
				return result(Tanh(GELU(tape.Const(x))))
			}))
		}
		require.Len(t, tape.live, 8, "only the results are held")
		require.LessOrEqual(t, tape.memory.total, 2*leastGrow, "what a scope gives back serves the next")
		for _, v := range kept {
			require.Equal(t, want[len(want)-v.Len():], v.Data)
		}
	}
	// A tape that records keeps everything: the backward pass needs it.
	tape := &Tape{}
	in := tape.Input(x)
	y := tape.Scope(func() *Value { return Tanh(GELU(in)) })
	require.Len(t, tape.live, 2)
	require.NotNil(t, Sum(y).Backward().Wrt(in))
}

// A tape that goes backwards once finds the same gradients in the memory of the values that it has passed.
func TestOnce(t *testing.T) {
	x := normal(rand.New(rand.NewPCG(1, 1)), 256, 256)
	tapes := []*Tape{{}, {Once: true}}
	for range 2 {
		var gradients [2][]*Tensor
		for i, tape := range tapes {
			tape.Reset()
			var in []*Value
			y := tape.Const(x)
			for range 20 {
				in = append(in, tape.Input(x))
				y = GELU(Add(Mul(y, in[len(in)-1]), tape.Const(x)))
			}
			y = Mean(y)
			g := y.Backward()
			for _, v := range in {
				gradients[i] = append(gradients[i], g.Wrt(v))
			}
			if tape.Once {
				require.Panics(t, func() { y.Backward() })
			}
		}
		require.Equal(t, gradients[0], gradients[1])
	}
	require.Less(t, tapes[1].memory.total, tapes[0].memory.total)
}

// After the first passes a step allocates nothing.
func TestSteadyState(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m, x := newPerceptron(rng), normal(rng, 300, 7, 5)
	tape := trainingTape()
	objects, _ := steady.Step(t, 20, func() {
		m.loss(tape, x).Backward()
		tape.Reset()
	})
	require.Zero(t, objects)
}

// What a layer is without is nil all the way: as a parameter, as a value, as an input of operations.
func TestNothingStaysNothing(t *testing.T) {
	tape := &Tape{}
	bias := tape.Param(nil)
	require.Nil(t, bias)
	require.False(t, bias.NeedsGrad())
	x, w := tape.Const(New(2, 3)), tape.Const(New(4, 3))
	require.Equal(t, []int{2, 4}, Linear(x, w, bias).Shape)
}

// A tape that waits for its next pass holds on to nothing of the last one.
func TestResetDropsWhatThePassWasGiven(t *testing.T) {
	tape := trainingTape()
	given := map[string]func() bool{} // whether it is there
	pass := func() {
		rng := rand.New(rand.NewPCG(1, 1))
		tensor := func(name string) *Tensor {
			x := normal(rng, 8, 8)
			p := weak.Make(x)
			given[name] = func() bool { return p.Value() != nil }
			return x
		}
		source := rand.New(rand.NewPCG(3, 3))
		p := weak.Make(source)
		given["source"] = func() bool { return p.Value() != nil }
		tape.Rand = source
		x, c, w := tape.Input(tensor("input")), tape.Const(tensor("constant")), tape.Param(&Param{Tensor: tensor("parameter")})
		y := Concat(0, Mul(Add(x, c), w), x)
		inside, captured := tensor("constant inside"), tensor("captured")
		y = Recompute(y, func(y *Value) *Value { return Dropout(Mul(y, Concat(0, tape.Const(inside), c)), 0.5) })
		out := tape.Alloc(y.Shape...)
		copy(out.Data, y.Data)
		z := Record("captures", out, []*Value{y}, BackwardFunc(func(g *Grads, gy []float32) {
			_ = captured
			g.Give(y, gy)
		}))
		Mean(z).Backward()
	}
	pass()
	tape.Reset()
	tape.Rand = nil
	runtime.GC()
	for name, there := range given {
		require.False(t, there(), name)
	}
	runtime.KeepAlive(tape)
}

func TestTapesInGoroutines(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := newPerceptron(rng)
	inputs := make([]*Tensor, 4)
	want := make([][]float32, len(inputs))
	run := func(tape *Tape, x *Tensor) []float32 {
		tape.Rand = rand.New(rand.NewPCG(7, 8))
		defer tape.Reset()
		return slices.Clone(m.loss(tape, x).Backward().Of(m.W1).Data)
	}
	for i := range inputs {
		inputs[i] = normal(rng, 30, 70, 5)
		want[i] = run(trainingTape(), inputs[i])
	}
	var wg sync.WaitGroup
	got := make([][]float32, len(inputs))
	for i := range inputs {
		wg.Go(func() {
			tape := trainingTape()
			for range 5 {
				got[i] = run(tape, inputs[i])
			}
		})
	}
	wg.Wait()
	require.Equal(t, want, got)
}

func TestThreadsDoNotMatter(t *testing.T) {
	defer kernel.SetThreads(0)
	rng := rand.New(rand.NewPCG(1, 1))
	x, w, b := normal(rng, 2, 6, 67, 71), normal(rng, 8, 6, 3, 3), normal(rng, 8)
	scale, shift := normal(rng, 8), normal(rng, 8)
	run := func(threads int) (out [][]float32) {
		kernel.SetThreads(threads)
		tape := &Tape{}
		v := []*Value{tape.Input(x), tape.Input(w), tape.Input(b), tape.Input(scale), tape.Input(shift)}
		h := GELU(GroupNorm(Conv2d(v[0], v[1], v[2], ConvOptions{Padding: [2]int{1, 1}}), 2, v[3], v[4], 1e-5))
		h = Resize(h, []int{35, 90}, Interpolation{Mode: InterpolateCubic})
		h = Mul(LayerNorm(ChannelsLast(h), v[3], v[4], 1e-5), Broadcast(v[3], 2, 35, 90, 8))
		token := MeanAxes(h, false, 2)
		h = Concat(1, Reshape(h, 2, 35*90, 8), Attention(token, Reshape(h, 2, 35*90, 8), Reshape(h, 2, 35*90, 8)))
		loss := Mean(Square(MeanAxes(Pad(h, []int{0, 0, 3, 4}, PadReflect), false, 2)))
		g := loss.Backward()
		out = append(out, loss.Data)
		for _, x := range v {
			out = append(out, g.Wrt(x).Data)
		}
		return out
	}
	one := run(1)
	for _, n := range []int{2, 3, 8} {
		require.Equal(t, one, run(n), "%d threads", n)
	}
}

// A matrix that a batch of none shares gets a gradient of zeros, and the gradient it has stays.
func TestMatMulOfNoBatch(t *testing.T) {
	for _, transposed := range []bool{false, true} {
		tape := &Tape{}
		dirty := tape.Scratch(1 << 12)
		for i := range dirty {
			dirty[i] = 7
		}
		tape.Reset()
		a := tape.Input(New(3, 4))
		product, shape := MatMul, []int{0, 4, 5}
		if transposed {
			product, shape = MatMulT, []int{0, 5, 4}
		}
		y := product(a, tape.Input(New(shape...)))
		require.Equal(t, []int{0, 3, 5}, y.Shape)
		require.Equal(t, make([]float32, 12), tape.Backward(Seed{y, nil}).Wrt(a).Data)
		ones := slices.Repeat([]float32{1}, 12)
		require.Equal(t, ones, tape.Backward(Seed{a, ones}, Seed{y, nil}).Wrt(a).Data)
	}
}

func TestMisuse(t *testing.T) {
	a, b := &Tape{}, &Tape{}
	x, y := a.Input(New(2, 3)), a.Input(New(3, 2))
	other, image := b.Input(New(3, 2)), a.Input(New(1, 1, 2, 3))
	for name, f := range map[string]func(){
		"autograd: Add: shapes [2 3] and [3 2] differ":                             func() { Add(x, y) },
		"autograd: Add: its inputs lie on different tapes":                         func() { Add(x, b.Input(New(2, 3))) },
		"autograd: Backward: shape [2 3] is not a scalar; start from seeds":        func() { x.Backward() },
		"autograd: Backward: a seed of 2 elements for shape [2 3]":                 func() { a.Backward(Seed{x, []float32{1, 2}}) },
		"autograd: Backward: a seed of shape [3 2] lies on another tape":           func() { a.Backward(Seed{other, make([]float32, 6)}) },
		"autograd: Wrt: the value of shape [3 2] lies on another tape":             func() { Sum(y).Backward().Wrt(other) },
		"autograd: Reshape: cannot turn shape [2 3] into [4 -1]":                   func() { Reshape(x, 4, -1) },
		"autograd: Permute: [0 0] is not an order of the axes of shape [2 3]":      func() { Permute(x, 0, 0) },
		"autograd: Narrow: 3 from 1 on along axis 1 of shape [2 3]":                func() { Narrow(x, 1, 1, 3) },
		"autograd: Concat: shapes [2 3] and [3 2] differ beside axis 0":            func() { Concat(0, x, y) },
		"autograd: MatMul: shapes [2 3] and [2 3] do not fit":                      func() { MatMul(x, x) },
		"autograd: Pad: reflect cannot pad axis 1 of shape [2 3] by 3 and 0":       func() { Pad(x, []int{3, 0}, PadReflect) },
		"autograd: Pad: PadMode(7) cannot pad axis 0 of shape [2 3] by 0 and 1":    func() { Pad(x, []int{0, 0, 0, 1}, 7) },
		"autograd: Resize: axis 1 of shape [2 3] to size 0, linear":                func() { Resize(x, []int{0}, Interpolation{Mode: InterpolateLinear}) },
		"autograd: Resize: axis 1 of shape [2 3] to size 5, InterpolationMode(-1)": func() { Resize(x, []int{5}, Interpolation{Mode: -1}) },
		"autograd: Broadcast: shape [2 3] does not stretch to [3 3]":               func() { Broadcast(x, 3, 3) },
		"autograd: Dropout: probability 1 is not in [0, 1)":                        func() { Dropout(x, 1) },
		"autograd: Dropout: the tape trains and has no Rand":                       func() { Dropout((&Tape{Train: true}).Input(New(1)), 0.5) },
		"autograd: SumAxes: no axis 2 in shape [2 3]":                              func() { SumAxes(x, false, 2) },
		"autograd: FromSlice: shape [2 2] has 4 elements, the slice 3":             func() { FromSlice(make([]float32, 3), 2, 2) },
		"autograd: index [2 0] into shape [2 3]":                                   func() { x.At(2, 0) },
		"autograd: Linear: bias [3] does not fit weight [2 3]":                     func() { Linear(x, x, a.Input(New(3))) },
		"autograd: GroupNorm: shape [2 3] does not fall into 2 groups of channels": func() { GroupNorm(x, 2, nil, nil, 0) },
		"autograd: Conv2d: weight [1 1 3 2] with dilation [1 2] does not fit in x [1 1 2 3] with padding [0 1]": func() {
			Conv2d(image, a.Input(New(1, 1, 3, 2)), nil, ConvOptions{Dilation: [2]int{1, 2}, Padding: [2]int{0, 1}})
		},
		"autograd: Conv2d: options {Stride:[-1 1] Padding:[0 0] Dilation:[0 0] Groups:0 OutputPadding:[0 0]}; want none negative": func() {
			Conv2d(image, image, nil, ConvOptions{Stride: [2]int{-1, 1}})
		},
		"autograd: ConvTranspose2d: options {Stride:[0 0] Padding:[0 0] Dilation:[0 -2] Groups:0 OutputPadding:[0 0]}; want none negative": func() {
			ConvTranspose2d(image, image, nil, ConvOptions{Dilation: [2]int{0, -2}})
		},
		"autograd: ConvTranspose2d: weight [1 1 2 3] and x [1 1 2 3] with padding [5 0] give a result of -7 x 5 points; want at least one": func() {
			ConvTranspose2d(image, image, nil, ConvOptions{Padding: [2]int{5, 0}})
		},
		"autograd: MaxPool2d: windows [2 0] that move by [1 1] over shape [1 1 2 3] padded by [0 0]; want sizes and strides of at least 1, " +
			"padding of at most half a window, and one that fits": func() { MaxPool2d(image, [2]int{2, 0}, [2]int{1, 1}, [2]int{}) },
		"autograd: MaxPool2d: windows [2 2] that move by [0 1] over shape [1 1 2 3] padded by [0 0]; want sizes and strides of at least 1, " +
			"padding of at most half a window, and one that fits": func() { MaxPool2d(image, [2]int{2, 2}, [2]int{0, 1}, [2]int{}) },
	} {
		require.PanicsWithValue(t, name, f)
	}
}

func TestUseAfterReset(t *testing.T) {
	tape := &Tape{}
	x, live := Square(tape.Input(New(1, 2, 3, 3))), &Tape{}
	tape.Reset()
	y := live.Input(New(1, 2, 3, 3))
	for name, f := range map[string]func(){
		"Add":            func() { Add(x, x) },
		"Sub":            func() { Sub(y, x) },
		"Scale":          func() { Scale(x, 2) },
		"Reshape":        func() { Reshape(x, -1) },
		"Sum":            func() { Sum(x) },
		"Mean":           func() { Mean(x) },
		"MeanAxes":       func() { MeanAxes(x, false, -1) },
		"Broadcast":      func() { Broadcast(x, 2) },
		"GELU":           func() { GELU(x) },
		"LeakyReLU":      func() { ReLU(x) },
		"Dropout":        func() { Dropout(x, 0.5) },
		"Softmax":        func() { Softmax(x) },
		"Attention":      func() { Attention(y, x, x) },
		"SelfAttention":  func() { SelfAttention(x, 1, nil) },
		"MatMul":         func() { MatMul(y, x) },
		"Linear":         func() { Linear(y, x, nil) },
		"Perceptron":     func() { Perceptron(x, y, nil, y, nil) },
		"LinearBranch":   func() { LinearBranch(x, y, nil, y, y) },
		"Conv1d":         func() { Conv1d(x, y, nil, ConvOptions{}) },
		"Conv2d":         func() { Conv2d(y, y, x, ConvOptions{}) },
		"MaxPool2d":      func() { MaxPool2d(x, [2]int{2, 2}, [2]int{1, 1}, [2]int{}) },
		"GlobalAvgPool":  func() { GlobalAvgPool(x) },
		"InstanceNorm":   func() { InstanceNorm(x, 0) },
		"BatchNorm":      func() { BatchNorm(x, nil, nil, nil, nil, nil, 0.1, 0) },
		"LayerNorm":      func() { LayerNorm(x, nil, nil, 0) },
		"Gather":         func() { Gather(x, []int{0}) },
		"Narrow":         func() { Narrow(x, 0, 0, 1) },
		"Concat":         func() { Concat(0, y, x) },
		"Pad":            func() { Pad(x, []int{1, 1}, PadZeros) },
		"Permute":        func() { Permute(x, 0, 1, 2, 3) },
		"ChannelsLast":   func() { ChannelsLast(x) },
		"Resize":         func() { Resize(x, []int{2}, Interpolation{}) },
		"AddLast":        func() { AddLast(x, y) },
		"Recompute":      func() { Recompute(x, Square) },
		"Backward":       func() { x.Backward() },
		"Wrt":            func() { Sum(y).Backward().Wrt(x) },
		"Tape":           func() { x.Tape() },
		"a record of it": func() { Record("a record of it", New(1), []*Value{x}, giveGrad{x}) },
	} {
		require.PanicsWithValue(t, "autograd: "+name+": a value of a pass that Reset has ended", f)
	}
	require.PanicsWithValue(t, "autograd: Sum: no inputs", func() { Sum(nil) })
}
