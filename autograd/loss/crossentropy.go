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
	v, grad := crossEntropy(logits.Data, labels, smoothing)
	out := logits.Tape().Alloc()
	out.Data[0] = float32(v)
	return autograd.Record("CrossEntropy", out, []*autograd.Value{logits}, autograd.BackwardFunc(func(g *autograd.Grads, gout []float32) {
		grad(g.Zeroed(logits), gout[0])
	}))
}

// crossEntropy computes the loss and a function that adds g times its gradient to gx.
func crossEntropy[T kernel.Float](x []T, labels []int, smoothing float64) (float64, func(gx []T, g T)) {
	classes := len(x) / len(labels)
	lse := make([]float64, len(labels)) // log of the sum of exponentials
	v := 0.0
	for i, label := range labels {
		row := x[i*classes : (i+1)*classes]
		top, mean, s := math.Inf(-1), 0.0, 0.0
		for _, t := range row {
			top = max(top, float64(t))
			mean += float64(t) / float64(classes)
		}
		for _, t := range row {
			s += math.Exp(float64(t) - top)
		}
		lse[i] = top + math.Log(s)
		v += lse[i] - (1-smoothing)*float64(row[label]) - smoothing*mean
	}
	n := float64(len(labels))
	return v / n, func(gx []T, g T) {
		c := float64(g) / n
		for i, label := range labels {
			for k := range classes {
				d := math.Exp(float64(x[i*classes+k])-lse[i]) - smoothing/float64(classes)
				if k == label {
					d -= 1 - smoothing
				}
				gx[i*classes+k] += T(c * d)
			}
		}
	}
}
