package loss

import (
	"fmt"
	"math"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/internal/kernel"
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
func (s Stencil) String() string { return stencilNames[s] }

// MarshalText writes "sobel" or "scharr".
func (s Stencil) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "sobel" or "scharr".
func (s *Stencil) UnmarshalText(text []byte) error {
	i, err := parse("stencil", string(text), stencilNames)
	*s = Stencil(i)
	return err
}

// String returns "replicate", "reflect" or "zeros".
func (p Padding) String() string { return paddingNames[p] }

// MarshalText writes "replicate", "reflect" or "zeros".
func (p Padding) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

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
	rows, size := split(pred.Shape, 2)
	if c.Padding == Reflect && (size[0] < 2 || size[1] < 2) {
		panic(fmt.Sprintf("loss: GradientL1: shape %v: reflection needs at least 2 x 2 pixels", pred.Shape))
	}
	e := newEdges(c, size[0], size[1])
	v, grad := gradientL1(e, c.Reduction.weight(pred.Len()), pred.Data, target.Data, rows)
	return scalar("GradientL1", pred, target, v, grad)
}

// gradientL1 computes weight times the sum over all pixels of | m(x) - m(y) |.
func gradientL1[T kernel.Float](e edges, weight float64, x, y []T, rows int) (float64, gradient[T]) {
	n := e.ny * e.nx
	part := make([]float64, rows)
	kernel.Parallel(rows, 1, func(lo, hi int) {
		a, b := e.field(), e.field()
		for i := lo; i < hi; i++ {
			forward(a, x[i*n:(i+1)*n])
			forward(b, y[i*n:(i+1)*n])
			for j, m := range a.m {
				part[i] += math.Abs(m - b.m[j])
			}
		}
	})
	return weight * total(part), func(gx, gy, g []T) {
		c := weight * float64(g[0])
		kernel.Parallel(rows, 1, func(lo, hi int) {
			a, b := e.field(), e.field()
			for i := lo; i < hi; i++ {
				forward(a, x[i*n:(i+1)*n])
				forward(b, y[i*n:(i+1)*n])
				for j, m := range a.m {
					s := c * sign(m-b.m[j])
					a.dm[j], b.dm[j] = s, -s
				}
				if gx != nil {
					backward(gx[i*n:(i+1)*n], a)
				}
				if gy != nil {
					backward(gy[i*n:(i+1)*n], b)
				}
			}
		})
	}
}

// edges knows the stencil and the padding for images of one size.
type edges struct {
	ny, nx       int
	side, centre float64 // the smoothing
	ry, rx       []int   // which row and column lies at each row and column of the padded image; -1 is zeros
	dy, dx       float64
}

func newEdges(c GradientL1Config, ny, nx int) edges {
	e := edges{ny: ny, nx: nx, side: 1. / 8, centre: 2. / 8}
	if c.Stencil == Scharr {
		e.side, e.centre = 3./32, 10./32
	}
	e.dy, e.dx = defaultTo(c.Dy, 1), defaultTo(c.Dx, 1)
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

// field is one image: padded, with its derivatives and the length m of its gradient; dm and dpad are gradients of the loss with
// respect to m and the padded image.
type field struct {
	edges
	pad, dpad []float64
	ux, uy, m []float64
	dm        []float64
}

func (e edges) field() *field {
	n, np := e.ny*e.nx, (e.ny+2)*(e.nx+2)
	buf := make([]float64, 4*n+2*np)
	cut := func(k int) (s []float64) {
		s, buf = buf[:k:k], buf[k:]
		return s
	}
	return &field{edges: e, pad: cut(np), dpad: cut(np), ux: cut(n), uy: cut(n), m: cut(n), dm: cut(n)}
}

// forward fills the field of image u.
func forward[T kernel.Float](f *field, u []T) {
	w := f.nx + 2
	for i, y := range f.ry {
		for j, x := range f.rx {
			if y < 0 || x < 0 {
				f.pad[i*w+j] = 0
			} else {
				f.pad[i*w+j] = float64(u[y*f.nx+x])
			}
		}
	}
	s, c := f.side, f.centre
	for i := range f.ny {
		p0, p1, p2 := f.pad[i*w:(i+1)*w], f.pad[(i+1)*w:(i+2)*w], f.pad[(i+2)*w:(i+3)*w]
		for j := range f.nx {
			ux := (s*(p0[j]-p0[j+2]) + c*(p1[j]-p1[j+2]) + s*(p2[j]-p2[j+2])) / f.dx
			uy := (s*(p0[j]-p2[j]) + c*(p0[j+1]-p2[j+1]) + s*(p0[j+2]-p2[j+2])) / f.dy
			k := i*f.nx + j
			f.ux[k], f.uy[k], f.m[k] = ux, uy, math.Sqrt(ux*ux+uy*uy+1e-12)
		}
	}
}

// backward adds to g the gradient with respect to the image, given dm.
func backward[T kernel.Float](g []T, f *field) {
	w := f.nx + 2
	clear(f.dpad)
	s, c := f.side, f.centre
	for i := range f.ny {
		p0, p1, p2 := f.dpad[i*w:(i+1)*w], f.dpad[(i+1)*w:(i+2)*w], f.dpad[(i+2)*w:(i+3)*w]
		for j := range f.nx {
			k := i*f.nx + j
			q := f.dm[k] / f.m[k]
			gx, gy := q*f.ux[k]/f.dx, q*f.uy[k]/f.dy
			p0[j] += s * (gx + gy)
			p0[j+1] += c * gy
			p0[j+2] += s * (gy - gx)
			p1[j] += c * gx
			p1[j+2] -= c * gx
			p2[j] += s * (gx - gy)
			p2[j+1] -= c * gy
			p2[j+2] -= s * (gx + gy)
		}
	}
	for i, y := range f.ry {
		for j, x := range f.rx {
			if y >= 0 && x >= 0 {
				g[y*f.nx+x] += T(f.dpad[i*w+j])
			}
		}
	}
}
