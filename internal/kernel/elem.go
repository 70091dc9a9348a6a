package kernel

import "fmt"

// elemGrain is the number of elements below which an element-wise kernel runs on the calling goroutine: 32768 float32 of
// three operands fit the second-level cache, and handing them to another core costs as much as the work.
const elemGrain = 1 << 15

// RowGrain returns how many rows of n elements make a chunk worth another core, when an element costs cost times an addition.
func RowGrain(n, cost int) int { return max(1, elemGrain/(max(n, 1)*cost)) }

// elemFunc is the body of an element-wise kernel over one span: dst[i] = f(x[i], y[i], a, b), or dst[i] += f(...) if acc.
// All slices have the length of dst; y is nil for functions of one operand. dst may be x or y itself, and overlaps them in no
// other way.
type elemFunc[T Float] func(dst, x, y []T, a, b T, acc bool)

// elem is an element-wise kernel: its name in panics and the bodies in use. The float32 body is the generic one unless start-up
// found a faster one for this CPU.
type elem struct {
	name string
	f32  elemFunc[float32]
	f64  elemFunc[float64]
}

// each runs op over dst, in parallel where it is long.
func each[T Float](op *elem, dst, x, y []T, a, b T, acc bool) {
	n := len(dst)
	if len(x) != n || (y != nil && len(y) != n) {
		panic(fmt.Sprintf("kernel: %s: lengths differ: dst %d, operands %d and %d", op.name, n, len(x), len(y)))
	}
	if n == 0 {
		return
	}
	f := pick[elemFunc[T]](op.f32, op.f64)
	if n <= elemGrain || Threads() == 1 {
		f(dst, x, y, a, b, acc)
		return
	}
	ParallelWith(n, elemGrain, elemCall[T]{f, dst, x, y, a, b, acc})
}

type elemCall[T Float] struct {
	f         elemFunc[T]
	dst, x, y []T
	a, b      T
	acc       bool
}

func (c *elemCall[T]) Chunk(lo, hi int) {
	var y []T
	if c.y != nil {
		y = c.y[lo:hi]
	}
	c.f(c.dst[lo:hi], c.x[lo:hi], y, c.a, c.b, c.acc)
}

// each2 is each for functions of two operands: a nil y is a mistake, not an absence.
func each2[T Float](op *elem, dst, x, y []T, a, b T, acc bool) {
	if len(y) != len(dst) {
		panic(fmt.Sprintf("kernel: %s: lengths differ: dst %d, operands %d and %d", op.name, len(dst), len(x), len(y)))
	}
	each(op, dst, x, y, a, b, acc)
}

// pick returns that of the two bodies whose type is F, so that a generic function calls the one of its own element type.
func pick[F, F32, F64 any](f32 F32, f64 F64) F {
	if f, ok := any(f32).(F); ok {
		return f
	}
	return any(f64).(F)
}

// put stores v in *d, or adds it there.
func put[T Float](d *T, v T, acc bool) {
	if acc {
		v += *d
	}
	*d = v
}
