package picture

import (
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"math"
	"time"

	"github.com/spamoe/spamoe/internal/atomicfile"
)

// Film is a field that changes with time over a map that does not: blue and red where it is negative and positive, on shades of
// grey, the darker the larger the map's values. It becomes a GIF that repeats for ever.
type Film struct {
	Frame  Frame
	Ground []float32   // nz x nx; nil: none
	Frames [][]float32 // each nz x nx

	Pause time.Duration // between frames; zero: 60 ms
	Cell  int           // pixels on a side of a cell; zero: as many as make the film about 420 pixels wide
	Clip  float64       // percentile of the size of all values that the ends of the colours stand for; zero: 99
}

// The colours of a film: shades of the ground times tones of the field, 255 of the 256 that a GIF may have.
const (
	shades = 5
	tones  = 51
)

// Encode writes the film to w as GIF.
func (f Film) Encode(w io.Writer) error {
	if err := f.Frame.check("film"); err != nil {
		return err
	}
	if len(f.Frames) == 0 {
		return errors.New("picture: film: no frames")
	}
	if f.Ground != nil {
		if err := f.Frame.holds(f.Ground, "film: ground"); err != nil {
			return err
		}
	}
	for i, m := range f.Frames {
		if err := f.Frame.holds(m, "film: frame %d", i); err != nil {
			return err
		}
	}
	clip, cell, pause := f.Clip, f.Cell, f.Pause
	if clip == 0 {
		clip = 99
	}
	if cell == 0 {
		cell = max(1, 420/f.Frame.NX)
	}
	if pause == 0 {
		pause = 60 * time.Millisecond
	}
	limit := quantile(clip/100, f.Frames...)
	if limit == 0 {
		limit = 1
	}
	lo, hi := span(bounds(f.Ground))
	colours := filmPalette()
	nz, nx := f.Frame.NZ, f.Frame.NX
	film := gif.GIF{}
	for _, m := range f.Frames {
		picture := image.NewPaletted(image.Rect(0, 0, nx*cell, nz*cell), colours)
		for z := range nz {
			line := picture.Pix[z*cell*picture.Stride:][:picture.Stride]
			for x := range nx {
				shade := 0
				if f.Ground != nil {
					shade = step((float64(f.Ground[z*nx+x])-lo)/(hi-lo), shades)
				}
				index := uint8(shade*tones + step(float64(m[z*nx+x])/limit/2+0.5, tones))
				for i := range cell {
					line[x*cell+i] = index
				}
			}
			for i := 1; i < cell; i++ {
				copy(picture.Pix[(z*cell+i)*picture.Stride:], line)
			}
		}
		film.Image = append(film.Image, picture)
		film.Delay = append(film.Delay, int(pause/(10*time.Millisecond)))
	}
	return gif.EncodeAll(w, &film)
}

// Save writes the film to a GIF file, which appears complete or not at all.
func (f Film) Save(path string) error { return atomicfile.Write(path, f.Encode) }

// step returns which of n equal steps from 0 to 1 t is nearest to; NaN counts as 0.
func step(t float64, n int) int {
	if math.IsNaN(t) {
		t = 0
	}
	return int(math.Round(min(max(t, 0), 1) * float64(n-1)))
}

// filmPalette holds every tone on every shade.
func filmPalette() color.Palette {
	tone := Diverging()
	all := make(color.Palette, 0, shades*tones)
	for shade := range shades {
		light := 1 - 0.4*float64(shade)/(shades-1)
		dim := func(v uint8) uint8 { return uint8(math.Round(light * float64(v))) }
		for i := range tones {
			c := tone.At(float64(i) / (tones - 1))
			all = append(all, color.RGBA{dim(c.R), dim(c.G), dim(c.B), 0xff})
		}
	}
	return all
}
