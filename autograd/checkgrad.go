package autograd

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// GradCheck says how CheckGrad compares gradients. The zero value checks at the inputs only.
type GradCheck struct {
	Params     []*Param // parameters that f puts on the tape itself: their gradients are checked too
	Model      any      // its parameters that are not frozen count as such too, by the names that Params gives them
	Step       float64  // largest step along a direction; 0 means 1/16
	Tol        float64  // largest relative error; 0 means 5e-4
	Directions int      // random directions per tensor; 0 means 4
	Seed       uint64
	// Train gives f training tapes, whose Rand is the same every time. Batch normalisation moves its running statistics in each of the
	// many passes, as it does in training.
	Train bool
}

// CheckGrad checks the gradients of f by central differences at x and returns an error that names the worst tensor, or nil.
// The function checked is L(x) = sum of f(x) * c, summed in float64, with fixed random c of the shape of f's result. For each
// tensor and random direction d with elements in [-1, 1] it compares the slope of L along d with <gradient, d>.
//
// All values are float32, so the scheme is made to lose little: the step is large, and the error of second order that this
// brings is removed by Richardson extrapolation, (4 D(h/2) - D(h)) / 3, which leaves h^4; the analytic slope is taken along the
// difference of the two points after rounding, so rounding of the points costs nothing. What is left is the rounding of f's result,
// about 1e-7/h of its size, which is granted. The error is relative to the root mean square of gradient . d over directions,
// |g| |d| / sqrt(n): correct gradients of smooth functions of size 1 reach 1e-5 to 1e-4. The points must keep Step away from kinks.
//
// It is made for operations and layers. Rounding inside f, which nothing measures, may be many times that of its result in a whole
// model, and the slope of a parameter that hardly matters may drown in it however right the gradient is: ask less of models, by a Tol
// of 5e-3 or so and another Step, and look at how far the error is above what it names as the limit.
func CheckGrad(c GradCheck, f func(x []*Value) *Value, x ...*Tensor) error {
	c.Step, c.Tol, c.Directions = cmp.Or(c.Step, 1.0/16), cmp.Or(c.Tol, 5e-4), cmp.Or(c.Directions, 4)
	rng := rand.New(rand.NewPCG(c.Seed, 1))
	tape := &Tape{Train: c.Train}
	run := func(noGrad bool) (*Value, []*Value) {
		tape.Reset()
		tape.NoGrad = noGrad
		tape.Rand = rand.New(rand.NewPCG(c.Seed, 2))
		in := make([]*Value, len(x))
		for i := range x {
			in[i] = tape.Input(x[i])
		}
		return f(in), in
	}
	y, in := run(false)
	weight := make([]float32, y.Len())
	for i := range weight {
		weight[i] = float32(rng.NormFloat64())
	}
	grads := tape.Backward(Seed{y, weight})
	type target struct {
		name string
		at   *Tensor
		grad []float32
	}
	var targets []target
	add := func(name string, at, grad *Tensor) {
		t := target{name, at, make([]float32, at.Len())}
		if grad != nil {
			copy(t.grad, grad.Data)
		}
		targets = append(targets, t)
	}
	for i, v := range in {
		add(fmt.Sprintf("input %d", i), x[i], grads.Wrt(v))
	}
	for i, p := range c.Params {
		add(fmt.Sprintf("parameter %d", i), p.Tensor, grads.Of(p))
	}
	if c.Model != nil {
		for name, p := range Params(c.Model) {
			if !p.Frozen {
				add("parameter "+name, p.Tensor, grads.Of(p))
			}
		}
	}
	loss := func() float64 {
		y, _ := run(true)
		sum := 0.0
		for i, v := range y.Data {
			sum += float64(v) * float64(weight[i])
		}
		return sum
	}
	noise := 0.0
	for i, v := range y.Data {
		noise += float64(v) * float64(v) * float64(weight[i]) * float64(weight[i])
	}
	noise = 1e-7 * math.Sqrt(noise) / c.Step
	var worst error
	most := 0.0
	for _, t := range targets {
		d := c.check(t.at, t.grad, loss, noise, rng)
		if over := d.over(); over > most {
			most = over
			worst = fmt.Errorf("autograd: CheckGrad: %s %v: slope %g along a direction is wrong by %g, more than %g", t.name, t.at.Shape, d.slope, d.err, d.limit)
		}
	}
	return worst
}

// miss is by how much the slope that a gradient gives along a direction is wrong, err, beside what is allowed.
type miss struct{ slope, err, limit float64 }

// over is the error in limits; an error that is no number is beyond all.
func (m miss) over() float64 {
	switch over := m.err / m.limit; {
	case m.err <= m.limit:
		return 0
	case math.IsNaN(over):
		return math.Inf(1)
	default:
		return over
	}
}

// check compares the slopes of loss, known up to noise, with grad along random directions and returns the worst.
func (c GradCheck) check(at *Tensor, grad []float32, loss func() float64, noise float64, rng *rand.Rand) (worst miss) {
	start := slices.Clone(at.Data)
	defer copy(at.Data, start)
	d := make([]float64, len(start))
	for range c.Directions {
		norm := 0.0
		for i := range d {
			d[i] = math.Copysign(0.5+0.5*rng.Float64(), rng.Float64()-0.5)
			norm += float64(grad[i]) * float64(grad[i]) * d[i] * d[i]
		}
		slope, size := 0.0, 0.0
		for i := range d {
			slope += float64(grad[i]) * d[i]
		}
		// excess returns by how much the slope of loss over a step of h exceeds that of the gradient.
		excess := func(h float64) float64 {
			move := func(h float64) {
				for i := range d {
					at.Data[i] = float32(float64(start[i]) + h*d[i])
				}
			}
			move(h)
			up := slices.Clone(at.Data)
			high := loss()
			move(-h)
			low := loss()
			diff := high - low
			size = max(size, math.Abs(diff)/(2*h))
			for i := range d {
				diff -= float64(grad[i]) * (float64(up[i]) - float64(at.Data[i]))
			}
			return diff / (2 * h)
		}
		err := math.Abs(4*excess(c.Step/2)-excess(c.Step)) / 3
		// The slope found counts too, so that a gradient forgotten, which is zero, does not set its own measure.
		if now := (miss{slope, err, c.Tol*max(math.Sqrt(norm), size) + noise}); now.over() > worst.over() {
			worst = now
		}
	}
	return worst
}
