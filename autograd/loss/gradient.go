package loss

import (
	"cmp"
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
	"github.com/spamoe/spamoe/internal/memo"
)

// Stencil is a 3 x 3 derivative: a difference along one axis, smoothed along the other.
type Stencil int

const (
	// Sobel smooths by 1, 2, 1.
	Sobel Stencil = iota
	// Scharr smooths by 3, 10, 3, which is closer to rotational symmetry.
	Scharr
)

// Padding says what lies around an image, one pixel wide.
type Padding int

const (
	// Replicate repeats the edge.
	Replicate Padding = iota
	// Reflect mirrors at the edge, which is not repeated.
	Reflect
	// Zeros is nothing.
	Zeros
)

var (
	stencilNames = []string{Sobel: "sobel", Scharr: "scharr"}
	paddingNames = []string{Replicate: "replicate", Reflect: "reflect", Zeros: "zeros"}
)

// String returns "sobel" or "scharr".
func (s Stencil) String() string { return nameOf("Stencil", int(s), stencilNames) }

// MarshalText writes "sobel" or "scharr".
func (s Stencil) MarshalText() ([]byte, error) {
	return []byte(s.String()), known("stencil", int(s), stencilNames)
}

// UnmarshalText reads "sobel" or "scharr".
func (s *Stencil) UnmarshalText(text []byte) error {
	i, err := parse("stencil", string(text), stencilNames)
	*s = Stencil(i)
	return err
}

// String returns "replicate", "reflect" or "zeros".
func (p Padding) String() string { return nameOf("Padding", int(p), paddingNames) }

// MarshalText writes "replicate", "reflect" or "zeros".
func (p Padding) MarshalText() ([]byte, error) {
	return []byte(p.String()), known("padding", int(p), paddingNames)
}

// UnmarshalText reads "replicate", "reflect" or "zeros".
func (p *Padding) UnmarshalText(text []byte) error {
	i, err := parse("padding", string(text), paddingNames)
	*p = Padding(i)
	return err
}

// GradientL1Config sets GradientL1. The zero config is Sobel, edges replicated, the mean over all pixels.
type GradientL1Config struct {
	Stencil   Stencil   `json:"stencil,omitzero"`
	Padding   Padding   `json:"padding,omitzero"`
	Reduction Reduction `json:"reduction,omitzero"`
	// Dy and Dx are the distances of pixels, by which the derivatives are divided; 0 means 1.
	Dy float64 `json:"dy,omitempty"`
	Dx float64 `json:"dx,omitempty"`
}

// GradientL1 returns the mean (or sum) over all pixels of | m(x) - m(y) |, where m(u) = sqrt(u_x^2 + u_y^2 + 1e-12) is the length of
// the gradient: the loss asks for edges of the right strength in the right places. The derivatives are cross-correlations with
// (1, 0, -1) along their axis and the stencil's smoothing across it, normalised to a sum of absolute values of one. Tensors are
// nb x nc x ny x nx.
func GradientL1(pred, target *autograd.Value, c GradientL1Config) *autograd.Value {
	same("GradientL1", pred, target, 2)
	if err := cmp.Or(known("stencil", int(c.Stencil), stencilNames), known("padding", int(c.Padding), paddingNames)); err != nil {
		panic(err.Error())
	}
	rows, size := split(pred.Shape, 2)
	if c.Padding == Reflect && (size[0] < 2 || size[1] < 2) {
		panic(fmt.Sprintf("loss: GradientL1: shape %v: reflection needs at least 2 x 2 pixels", pred.Shape))
	}
	l := gradientL1[float32]{edgesOf(c, size[0], size[1]), c.Reduction.weight(pred.Len()), pred.Data, target.Data, rows, pred.Tape().Scratch(pred.Len())}
	return scalar("GradientL1", pred, target, l.value(), l)
}

// gradientL1 is weight times the sum over all pixels of | m(x) - m(y) |.
type gradientL1[T kernel.Float] struct {
	edges
	weight float64
	x, y   []T
	rows   int // images
	side   []T // the sign of m(x) - m(y), which value fills in
}

func (l *gradientL1[T]) value() float64 {
	parts := scratch.Get(l.rows)
	defer scratch.Put(parts)
	kernel.ParallelWith(l.rows, 1, gradientL1Sums[T]{*l, parts})
	return l.weight * total(parts)
}

// gradientL1Sums computes the sum over every image.
type gradientL1Sums[T kernel.Float] struct {
	gradientL1[T]
	parts []float64
}

func (l *gradientL1Sums[T]) Chunk(lo, hi int) {
	n := l.ny * l.nx
	a, b := l.field(), l.field()
	for i := lo; i < hi; i++ {
		forward(&a, l.x[i*n:(i+1)*n])
		forward(&b, l.y[i*n:(i+1)*n])
		sum := 0.0
		for j, m := range a.m {
			d := m - b.m[j]
			sum += math.Abs(d)
			l.side[i*n+j] = T(sign(d))
		}
		l.parts[i] = sum
	}
	a.free()
	b.free()
}

func (l *gradientL1[T]) add(gx, gy, g []T) {
	c := l.weight * float64(g[0])
	if gx != nil {
		kernel.ParallelWith(l.rows, 1, gradientL1Grad[T]{*l, gx, l.x, c})
	}
	if gy != nil {
		kernel.ParallelWith(l.rows, 1, gradientL1Grad[T]{*l, gy, l.y, -c})
	}
}

// gradientL1Grad adds to g the gradient with respect to the images u.
type gradientL1Grad[T kernel.Float] struct {
	gradientL1[T]
	g, u []T
	c    float64
}

func (l *gradientL1Grad[T]) Chunk(lo, hi int) {
	n := l.ny * l.nx
	f := l.field()
	for i := lo; i < hi; i++ {
		forward(&f, l.u[i*n:(i+1)*n])
		backward(l.g[i*n:(i+1)*n], &f, l.side[i*n:(i+1)*n], l.c)
	}
	f.free()
}

// edges knows the stencil and the padding for images of one size.
type edges struct {
	ny, nx       int
	side, centre float64 // the smoothing
	ry, rx       []int   // which row and column lies at each row and column of the padded image; -1 is zeros
	dy, dx       float64
}

type edgesKey struct {
	GradientL1Config
	ny, nx int
}

var allEdges memo.Map[edgesKey, edges]

func edgesOf(c GradientL1Config, ny, nx int) edges {
	e, _ := allEdges.Get(edgesKey{c, ny, nx}, func() (edges, error) { return newEdges(c, ny, nx), nil })
	return e
}

func newEdges(c GradientL1Config, ny, nx int) edges {
	e := edges{ny: ny, nx: nx, side: 1. / 8, centre: 2. / 8}
	if c.Stencil == Scharr {
		e.side, e.centre = 3./32, 10./32
	}
	e.dy, e.dx = cmp.Or(c.Dy, 1), cmp.Or(c.Dx, 1)
	e.ry, e.rx = border(ny, c.Padding), border(nx, c.Padding)
	return e
}

func border(n int, p Padding) []int {
	at := make([]int, n+2)
	for i := range n {
		at[i+1] = i
	}
	switch p {
	case Replicate:
		at[0], at[n+1] = 0, n-1
	case Reflect:
		at[0], at[n+1] = 1, n-2
	case Zeros:
		at[0], at[n+1] = -1, -1
	}
	return at
}

// field is one image: padded, with its derivatives and the length m of its gradient; dpad is the gradient of the loss with
// respect to the padded image.
type field struct {
	edges
	buf       []float64
	pad, dpad []float64
	ux, uy, m []float64
}

func (e edges) field() field {
	n, np := e.ny*e.nx, (e.ny+2)*(e.nx+2)
	buf := scratch.Get(3*n + 2*np)
	return field{e, buf, buf[:np], buf[np : 2*np], buf[2*np : 2*np+n], buf[2*np+n : 2*np+2*n], buf[2*np+2*n:]}
}

func (f *field) free() { scratch.Put(f.buf) }

// forward fills the field of image u.
func forward[T kernel.Float](f *field, u []T) {
	w := f.nx + 2
	for i, y := range f.ry {
		row := f.pad[i*w : (i+1)*w]
		if y < 0 {
			clear(row)
			continue
		}
		line := u[y*f.nx : (y+1)*f.nx]
		for j, v := range line {
			row[j+1] = float64(v)
		}
		for _, j := range [2]int{0, w - 1} {
			row[j] = 0
			if x := f.rx[j]; x >= 0 {
				row[j] = float64(line[x])
			}
		}
	}
	sx, cx, sy, cy := f.side/f.dx, f.centre/f.dx, f.side/f.dy, f.centre/f.dy
	for i := range f.ny {
		p0, p1, p2 := f.pad[i*w:(i+1)*w], f.pad[(i+1)*w:(i+2)*w], f.pad[(i+2)*w:(i+3)*w]
		vx, vy, vm := f.ux[i*f.nx:(i+1)*f.nx], f.uy[i*f.nx:(i+1)*f.nx], f.m[i*f.nx:(i+1)*f.nx]
		for j := range vx {
			ux := sx*(p0[j]-p0[j+2]+p2[j]-p2[j+2]) + cx*(p1[j]-p1[j+2])
			uy := sy*(p0[j]-p2[j]+p0[j+2]-p2[j+2]) + cy*(p0[j+1]-p2[j+1])
			vx[j], vy[j], vm[j] = ux, uy, math.Sqrt(ux*ux+uy*uy+1e-12)
		}
	}
}

// backward adds to g the gradient with respect to the image of c times the sum of side m.
func backward[T kernel.Float](g []T, f *field, side []T, c float64) {
	w := f.nx + 2
	clear(f.dpad)
	for i := range f.ny {
		p0, p1, p2 := f.dpad[i*w:(i+1)*w], f.dpad[(i+1)*w:(i+2)*w], f.dpad[(i+2)*w:(i+3)*w]
		for j := range f.nx {
			k := i*f.nx + j
			q := c * float64(side[k]) / f.m[k]
			gx, gy := q*f.ux[k]/f.dx, q*f.uy[k]/f.dy
			sx, sy, cx, cy := f.side*gx, f.side*gy, f.centre*gx, f.centre*gy
			p0[j] += sx + sy
			p0[j+1] += cy
			p0[j+2] += sy - sx
			p1[j] += cx
			p1[j+2] -= cx
			p2[j] += sx - sy
			p2[j+1] -= cy
			p2[j+2] -= sx + sy
		}
	}
	for i, y := range f.ry {
		if y < 0 {
			continue
		}
		row, line := f.dpad[i*w:(i+1)*w], g[y*f.nx:(y+1)*f.nx]
		for j := range line {
			line[j] += T(row[j+1])
		}
		for _, j := range [2]int{0, w - 1} {
			if x := f.rx[j]; x >= 0 {
				line[x] += T(row[j])
			}
		}
	}
}
