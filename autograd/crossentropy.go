package autograd

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/internal/kernel"
)

// CrossEntropy returns the mean over samples of -log softmax(logits)[label], a scalar. logits is [sample, class]; a label is the
// number of a class.
func CrossEntropy(logits *Value, labels []int) *Value {
	if logits.Rank() != 2 || len(labels) != logits.Shape[0] || len(labels) == 0 {
		panic(fmt.Sprintf("autograd: CrossEntropy: %d labels for logits %v, want [sample, class]", len(labels), logits.Shape))
	}
	rows, n := logits.Shape[0], logits.Shape[1]
	t := logits.tape
	p := t.Scratch(rows * n)
	kernel.Softmax(p, logits.Data, rows, n)
	loss := 0.0
	for i, label := range labels {
		if label < 0 || label >= n {
			panic(fmt.Sprintf("autograd: CrossEntropy: label %d of sample %d is not one of %d classes", label, i, n))
		}
		row := logits.Data[i*n:][:n]
		top, sum := math.Inf(-1), 0.0
		for _, v := range row {
			top = max(top, float64(v))
		}
		for _, v := range row {
			sum += math.Exp(float64(v) - top)
		}
		loss += top + math.Log(sum) - float64(row[label])
	}
	out := t.Alloc()
	out.Data[0] = float32(loss / float64(rows))
	return Record("CrossEntropy", out, []*Value{logits}, func(g *Grads, gy []float32) {
		gx := g.Zeroed(logits)
		d := gy[0] / float32(rows)
		kernel.Axpy(gx, d, p)
		for i, label := range labels {
			gx[i*n+label] -= d
		}
	})
}
