package picture

import (
	"image/color"
	"math"
	"sync"
)

// Palette is a colour scale: its first colour is the lower end, its last the upper end.
type Palette []color.RGBA

// missing is the colour of NaN and infinite values; no palette of this package holds it.
var missing = color.RGBA{R: 0xb8, G: 0xb8, B: 0xb8, A: 0xff}

// At returns the colour of t, 0 being the lower and 1 the upper end. Values outside take the colour of the nearer end, NaN the
// grey of missing values.
func (p Palette) At(t float64) color.RGBA {
	if math.IsNaN(t) || len(p) == 0 {
		return missing
	}
	n := len(p) - 1
	return p[int(math.Round(min(max(t, 0), 1)*float64(n)))]
}

// The palettes are curves in the colour space OKLab (Ottosson 2020), walked at constant speed: equal differences of the value are
// equal differences to the eye.

// Sequential runs from dark violet over blue, teal and green to light yellow, its lightness rising all the way, so that it survives
// a grey print and colour blindness.
var Sequential = sync.OnceValue(func() Palette {
	return walk(256, []lab{
		lch(0.25, 0.105, 308), lch(0.40, 0.125, 278), lch(0.55, 0.098, 226), lch(0.68, 0.115, 168), lch(0.81, 0.165, 132),
		lch(0.93, 0.165, 106),
	})
})

// Diverging runs from blue over white, the exact middle, to red. Both sides have the same lightness at the same distance from the
// middle.
var Diverging = sync.OnceValue(func() Palette {
	p := walk(129, []lab{lch(0.36, 0.160, 262), lch(0.66, 0.130, 256), lch(0.99, 0, 256)})
	q := walk(129, []lab{lch(0.99, 0, 27), lch(0.66, 0.130, 27), lch(0.36, 0.130, 27)})
	p[128] = color.RGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff}
	return append(p[:129:129], q[1:]...)
})

// lab is a colour of OKLab: lightness, green to red, blue to yellow.
type lab [3]float64

// lch gives the colour of a lightness, a chroma and a hue in degrees.
func lch(l, c, hue float64) lab {
	s, k := math.Sincos(hue * math.Pi / 180)
	return lab{l, c * k, c * s}
}

// walk gives n colours at equal distances along the smooth curve through the knots.
func walk(n int, knots []lab) Palette {
	const fine = 512 // points of the curve between two knots
	last := len(knots) - 1
	var at []lab
	for k := range last {
		for i := range fine {
			at = append(at, between(knots, k, float64(i)/fine))
		}
	}
	at = append(at, knots[last])
	length := make([]float64, len(at))
	for i := 1; i < len(at); i++ {
		var d float64
		for c := range 3 {
			d += (at[i][c] - at[i-1][c]) * (at[i][c] - at[i-1][c])
		}
		length[i] = length[i-1] + math.Sqrt(d)
	}
	p := make(Palette, n)
	j := 0
	for i := range p {
		want := length[len(at)-1] * float64(i) / float64(n-1)
		for j < len(at)-1 && length[j] < want {
			j++
		}
		p[i] = at[j].rgb()
	}
	return p
}

// between is the Catmull-Rom curve from knot k (t = 0) to knot k+1 (t = 1), whose ends are mirrored.
func between(knots []lab, k int, t float64) lab {
	b, c := knots[k], knots[k+1]
	var y lab
	for i := range y {
		a, d := 2*b[i]-c[i], 2*c[i]-b[i]
		if k > 0 {
			a = knots[k-1][i]
		}
		if k+2 < len(knots) {
			d = knots[k+2][i]
		}
		y[i] = b[i] + t/2*(c[i]-a+t*(2*a-5*b[i]+4*c[i]-d+t*(3*(b[i]-c[i])+d-a)))
	}
	return y
}

// rgb gives the nearest sRGB colour.
func (c lab) rgb() color.RGBA {
	l := c[0] + 0.3963377774*c[1] + 0.2158037573*c[2]
	m := c[0] - 0.1055613458*c[1] - 0.0638541728*c[2]
	s := c[0] - 0.0894841775*c[1] - 1.2914855480*c[2]
	l, m, s = l*l*l, m*m*m, s*s*s
	code := func(v float64) uint8 {
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		return uint8(math.Round(255 * min(max(v, 0), 1)))
	}
	return color.RGBA{
		R: code(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		G: code(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		B: code(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		A: 0xff,
	}
}
