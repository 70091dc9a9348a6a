package picture

import (
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// okLab gives the colour in OKLab, from the definition of the space: sRGB to linear light, to cone responses, to their cube roots.
func okLab(c color.RGBA) lab {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return lab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func distance(a, b lab) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// Codes of 8 bits move a colour by up to 0.005 in OKLab, so uniformity is checked over strides of 16 colours.
const stride = 16

func TestSequentialIsUniform(t *testing.T) {
	p := Sequential()
	require.Len(t, p, 256)
	var steps []float64
	for i := stride; i < len(p); i += stride {
		a, b := okLab(p[i-stride]), okLab(p[i])
		require.Greater(t, b[0], a[0], "lightness rises")
		steps = append(steps, distance(a, b))
	}
	var mean float64
	for _, s := range steps {
		mean += s / float64(len(steps))
	}
	for i, s := range steps {
		// Colours a little outside sRGB are cut, which shortens some strides.
		require.InDelta(t, mean, s, 0.2*mean, "stride %d", i)
	}
}

func TestDivergingIsSymmetric(t *testing.T) {
	p := Diverging()
	require.Equal(t, 1, len(p)%2)
	middle := len(p) / 2
	require.Equal(t, color.RGBA{R: 255, G: 255, B: 255, A: 255}, p[middle])
	for i := stride; i <= middle; i += stride {
		low, high := okLab(p[middle-i]), okLab(p[middle+i])
		require.InDelta(t, low[0], high[0], 0.03, "lightness %d colours from the middle", i)
		require.Greater(t, p[middle-i].B, p[middle-i].R, "blue below")
		require.Greater(t, p[middle+i].R, p[middle+i].B, "red above")
	}
}

func TestAtClampsAndMarksMissing(t *testing.T) {
	p := Sequential()
	require.Equal(t, p[0], p.At(-3))
	require.Equal(t, p[0], p.At(math.Inf(-1)))
	require.Equal(t, p[255], p.At(1.5))
	require.Equal(t, missing, p.At(math.NaN()))
	require.Equal(t, missing, Palette{}.At(0.5))
	for _, q := range []Palette{Sequential(), Diverging()} {
		require.NotContains(t, q, missing)
	}
}
