package optim

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// Gradients gives the gradient of a parameter, or nil where it has none. *autograd.Grads and *Sum are such.
type Gradients interface {
	Of(p *autograd.Param) *autograd.Tensor
}

// Config sets AdamW. The zero Config is Adam with the usual constants and no decay.
type Config struct {
	// Beta1 and Beta2 are the decay rates of the moments; 0 means 0.9 and 0.999.
	Beta1 float64 `json:"beta1,omitempty"`
	Beta2 float64 `json:"beta2,omitempty"`
	// Eps is added to the root of the second moment; 0 means 1e-8.
	Eps float64 `json:"eps,omitempty"`
	// Decay is the weight decay, decoupled from the gradient and multiplied by the rate.
	Decay float64 `json:"decay,omitempty"`
	// Scale, where given, returns factors of the rate and of the decay for a parameter: another rate for a pretrained encoder,
	// no decay for biases.
	Scale func(name string, p *autograd.Param) (rate, decay float64) `json:"-"`
}

// Validate names the first setting that makes no sense.
func (c Config) Validate() error {
	switch {
	case !(c.Beta1 >= 0 && c.Beta1 < 1):
		return fmt.Errorf("optim: beta1 is %v; want 0 <= beta1 < 1", c.Beta1)
	case !(c.Beta2 >= 0 && c.Beta2 < 1):
		return fmt.Errorf("optim: beta2 is %v; want 0 <= beta2 < 1", c.Beta2)
	case !(c.Eps >= 0):
		return fmt.Errorf("optim: eps is %v; want 0 (for 1e-8) or more", c.Eps)
	case !(c.Decay >= 0):
		return fmt.Errorf("optim: a weight decay of %v; want 0 or more", c.Decay)
	}
	return nil
}

// AdamW is the optimiser of one model. Its exported field is its whole state; Step may not run while the model is in use.
type AdamW struct {
	State  map[string]*Moments `param:"state"` // by name of the parameter
	config Config
	params []*slot
	known  map[*autograd.Param]bool // those of params
}

// Moments is what AdamW remembers of one parameter: the running means of its gradient and of the gradient's square, as long as
// the parameter, and how many steps it has made.
type Moments struct {
	First  *autograd.Buffer `param:"exp_avg"`
	Second *autograd.Buffer `param:"exp_avg_sq"`
	Step   *autograd.Buffer `param:"step"`
}

// slot is a parameter with its moments and its factors of rate and decay.
type slot struct {
	*Moments
	param       *autograd.Param
	rate, decay float64
}

// NewAdamW returns an optimiser of the parameters of model that are not frozen; ones that thaw later come in by Add. It panics
// where the config does not validate, and as Add does.
func NewAdamW(model any, c Config) *AdamW {
	if err := c.Validate(); err != nil {
		panic(err.Error())
	}
	if c.Beta1 == 0 {
		c.Beta1 = 0.9
	}
	if c.Beta2 == 0 {
		c.Beta2 = 0.999
	}
	if c.Eps == 0 {
		c.Eps = 1e-8
	}
	o := &AdamW{State: map[string]*Moments{}, config: c, known: map[*autograd.Param]bool{}}
	o.Add(model)
	return o
}

// Add takes in those parameters of model that are neither frozen nor known. It panics where model has no parameters at all, since
// nothing would be trained: autograd.State finds those behind exported fields only. It panics also where a name is that of another
// parameter: what belongs to one optimiser belongs into one struct, whose fields tell the names apart.
func (o *AdamW) Add(model any) {
	found := false
	for name, p := range autograd.Params(model) {
		found = true
		if p.Frozen || o.known[p] {
			continue
		}
		if o.State[name] != nil {
			panic(fmt.Sprintf("optim: AdamW: two parameters are called %q; want models in one struct, which names them apart", name))
		}
		o.known[p] = true
		m := &Moments{
			First:  autograd.NewBuffer(0, p.Shape...),
			Second: autograd.NewBuffer(0, p.Shape...),
			Step:   autograd.NewCounter(),
		}
		o.State[name] = m
		s := &slot{Moments: m, param: p, rate: 1, decay: 1}
		if o.config.Scale != nil {
			s.rate, s.decay = o.config.Scale(name, p)
		}
		o.params = append(o.params, s)
	}
	if !found {
		panic(fmt.Sprintf("optim: AdamW: a %T has no parameters behind exported fields; want at least one, see autograd.State", model))
	}
}

// Step makes one step with the given learning rate. A parameter that is frozen or has no gradient is not touched, not even by
// the decay, and its own step does not count. It panics where the rate is negative or not finite.
func (o *AdamW) Step(rate float64, grads Gradients) { o.step(rate, grads, 1, nil) }

// StepOptions are what one call of StepWith may add.
type StepOptions struct {
	// Clip is the largest norm of all gradients together; longer ones are scaled to it. 0 means no limit; a negative one panics.
	Clip float64
	// Average takes in the parameters that the step makes, as its Update would.
	Average *EMA
}

// StepWith is Step with what else is done in the same pass over memory; it leaves the gradients as they are. It returns their norm.
// Where that is not finite nothing is done: NotFinite names the culprits.
func (o *AdamW) StepWith(rate float64, grads Gradients, s StepOptions) (norm float64) {
	if !(s.Clip >= 0) {
		panic(fmt.Sprintf("optim: StepWith: gradients clipped to a norm of %v; want 0 (for no limit) or more", s.Clip))
	}
	sum := 0.0
	for _, p := range o.params {
		if g := o.gradient(p, grads); g != nil {
			sum += kernel.SumSquares(g.Data)
		}
	}
	norm = math.Sqrt(sum)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm
	}
	scale := 1.0
	if s.Clip > 0 && norm > s.Clip {
		scale = s.Clip / norm
	}
	o.step(rate, grads, scale, s.Average)
	return norm
}

// gradient returns what a step follows for s: nil where it leaves s alone.
func (o *AdamW) gradient(s *slot, grads Gradients) *autograd.Tensor {
	if s.param.Frozen {
		return nil
	}
	return grads.Of(s.param)
}

func (o *AdamW) step(rate float64, grads Gradients, scale float64, average *EMA) {
	if !(rate >= 0 && rate <= math.MaxFloat64) {
		panic(fmt.Sprintf("optim: AdamW: a step with a learning rate of %v; want a finite one, 0 or more", rate))
	}
	c := o.config
	k := kernel.AdamStep{Beta1: c.Beta1, Beta2: c.Beta2, Eps: c.Eps, Scale: scale}
	if average != nil {
		k.Blend = average.begin()
	}
	for _, s := range o.params {
		g := o.gradient(s, grads)
		if g == nil {
			continue
		}
		s.Moments.Step.Ints[0]++
		t := float64(s.Moments.Step.Ints[0])
		k.Rate, k.Decay, k.Bias1, k.Bias2 = rate*s.rate, c.Decay*s.decay, 1-math.Pow(c.Beta1, t), 1-math.Pow(c.Beta2, t)
		var a []float32
		if average != nil {
			a = average.take(s.param)
		}
		kernel.AdamW(s.param.Data, s.First.Data, s.Second.Data, g.Data, a, k)
	}
	if average != nil {
		average.finish(k.Blend)
	}
}
