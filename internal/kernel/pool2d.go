package kernel

import "fmt"

// MaxPool describes a maximum over windows of KY x KX points that move by SY x SX, on planes of NY x NX points with PY x PX
// points of -Inf around them.
type MaxPool struct{ NY, NX, KY, KX, SY, SX, PY, PX int }

// Out returns the size of the pooled plane, floor((n + 2p - k)/s) + 1 on each axis.
func (p MaxPool) Out() (ny, nx int) {
	return (p.NY+2*p.PY-p.KY)/p.SY + 1, (p.NX+2*p.PX-p.KX)/p.SX + 1
}

// Fits reports whether there are windows, and none in the padding alone.
func (p MaxPool) Fits() bool {
	return p.KY > 0 && p.KX > 0 && p.SY > 0 && p.SX > 0 && p.PY >= 0 && p.PX >= 0 && 2*p.PY <= p.KY && 2*p.PX <= p.KX &&
		p.KY <= p.NY+2*p.PY && p.KX <= p.NX+2*p.PX
}

func (p MaxPool) check(name string, planes, in, out, arg int) {
	if !p.Fits() {
		panic(fmt.Sprintf("kernel: %s: impossible windows %+v", name, p))
	}
	oy, ox := p.Out()
	if in != planes*p.NY*p.NX || out != planes*oy*ox || arg != out {
		panic(fmt.Sprintf("kernel: %s: %d, %d and %d elements for %d planes of %d x %d and %d x %d",
			name, in, out, arg, planes, p.NY, p.NX, oy, ox))
	}
}

// MaxPool2d computes dst[k,i,j], the maximum of plane k of x over window (i,j), and arg[k,i,j], where in that plane it is:
// y NX + x, the first of equal ones. NaN counts as larger than all. x is planes x NY x NX, dst and arg are planes x Out.
func MaxPool2d[T Float](dst []T, arg []int32, x []T, planes int, p MaxPool) {
	p.check("MaxPool2d", planes, len(x), len(dst), len(arg))
	ParallelWith(planes, RowGrain(p.NY*p.NX, 4), maxPool[T]{p, dst, x, arg})
}

type maxPool[T Float] struct {
	MaxPool
	dst, x []T
	arg    []int32
}

func (p *maxPool[T]) Chunk(lo, hi int) {
	oy, ox := p.Out()
	for k := lo; k < hi; k++ {
		src := p.x[k*p.NY*p.NX : (k+1)*p.NY*p.NX]
		for i := range oy {
			y0, y1 := max(0, i*p.SY-p.PY), min(p.NY, i*p.SY-p.PY+p.KY)
			for j := range ox {
				x0, x1 := max(0, j*p.SX-p.PX), min(p.NX, j*p.SX-p.PX+p.KX)
				at := y0*p.NX + x0
				best := src[at]
				for y := y0; y < y1; y++ {
					for q := y*p.NX + x0; q < y*p.NX+x1; q++ {
						if v := src[q]; v > best || (v != v && best == best) {
							best, at = v, q
						}
					}
				}
				o := (k*oy+i)*ox + j
				p.dst[o], p.arg[o] = best, int32(at)
			}
		}
	}
}

// MaxPool2dGrad adds every gy[k,i,j] to gx at the point that arg names, after clearing gx unless acc. gx is planes x NY x NX, gy
// and arg are planes x Out.
func MaxPool2dGrad[T Float](gx, gy []T, arg []int32, planes int, p MaxPool, acc bool) {
	p.check("MaxPool2dGrad", planes, len(gx), len(gy), len(arg))
	oy, ox := p.Out()
	in := p.NY * p.NX
	ParallelWith(planes, RowGrain(in, 2), maxPoolGrad[T]{gx, gy, arg, in, oy * ox, acc})
}

type maxPoolGrad[T Float] struct {
	gx, gy  []T
	arg     []int32
	in, out int // points of a plane
	acc     bool
}

func (p *maxPoolGrad[T]) Chunk(lo, hi int) {
	for k := lo; k < hi; k++ {
		d := p.gx[k*p.in : (k+1)*p.in]
		if !p.acc {
			clear(d)
		}
		for o := k * p.out; o < (k+1)*p.out; o++ {
			d[p.arg[o]] += p.gy[o]
		}
	}
}
