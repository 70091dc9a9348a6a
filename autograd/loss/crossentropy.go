package loss

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
)

// CrossEntropy returns the mean over samples of - sum over classes k of q[k] log softmax(x)[k], where q gives the labelled class
// 1 - smoothing and every class, this one too, smoothing / K (Szegedy et al., arXiv 1512.00567, section 7). Without smoothing it is
// -log softmax(x)[label]. logits is [sample, class]; a label is the number of a class.
func CrossEntropy(logits *autograd.Value, labels []int, smoothing float64) *autograd.Value {
	if logits.Rank() != 2 || logits.Len() == 0 || len(labels) != logits.Shape[0] {
		panic(fmt.Sprintf("loss: CrossEntropy: %d labels for logits %v; want [sample, class]", len(labels), logits.Shape))
	}
	if !(smoothing >= 0 && smoothing < 1) {
		panic(fmt.Sprintf("loss: CrossEntropy: smoothing %v; want 0 <= smoothing < 1", smoothing))
	}
	classes := logits.Shape[1]
	for i, k := range labels {
		if k < 0 || k >= classes {
			panic(fmt.Sprintf("loss: CrossEntropy: label %d of sample %d for %d classes", k, i, classes))
		}
	}
	t := logits.Tape()
	l := crossEntropy[float32]{logits.Data, t.KeepInts(labels), smoothing, t.Scratch64(len(labels))}
	out := t.Alloc()
	out.Data[0] = float32(l.value())
	return autograd.Record("CrossEntropy", out, []*autograd.Value{logits}, crossEntropyGrad{l, logits})
}

type crossEntropyGrad struct {
	crossEntropy[float32]
	logits *autograd.Value
}

func (o *crossEntropyGrad) Backward(g *autograd.Grads, gout []float32) {
	o.add(g.Zeroed(o.logits), gout[0])
}

// crossEntropy is the loss of logits x.
type crossEntropy[T kernel.Float] struct {
	x         []T
	labels    []int
	smoothing float64
	lse       []float64 // log of the sum of exponentials of every sample, which value fills in
}

func (l *crossEntropy[T]) value() float64 {
	classes := len(l.x) / len(l.labels)
	v := 0.0
	for i, label := range l.labels {
		row := l.x[i*classes : (i+1)*classes]
		top, mean, s := math.Inf(-1), 0.0, 0.0
		for _, t := range row {
			top = max(top, float64(t))
			mean += float64(t) / float64(classes)
		}
		for _, t := range row {
			s += math.Exp(float64(t) - top)
		}
		l.lse[i] = top + math.Log(s)
		v += l.lse[i] - (1-l.smoothing)*float64(row[label]) - l.smoothing*mean
	}
	return v / float64(len(l.labels))
}

// add adds g times the gradient to gx.
func (l *crossEntropy[T]) add(gx []T, g T) {
	classes := len(l.x) / len(l.labels)
	c := float64(g) / float64(len(l.labels))
	for i, label := range l.labels {
		for k := range classes {
			d := math.Exp(float64(l.x[i*classes+k])-l.lse[i]) - l.smoothing/float64(classes)
			if k == label {
				d -= 1 - l.smoothing
			}
			gx[i*classes+k] += T(c * d)
		}
	}
}
