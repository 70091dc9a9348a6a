package picture

import (
	"image"
	"image/png"
	"io"

	"github.com/spamoe/spamoe/internal/atomicfile"
)

// Picture is anything that can be drawn.
type Picture interface {
	// Draw gives the finished image, or an error that names what of the input does not fit.
	Draw() (*image.RGBA, error)
}

// Encode writes p to w as PNG.
func Encode(w io.Writer, p Picture) error {
	m, err := p.Draw()
	if err != nil {
		return err
	}
	return png.Encode(w, m)
}

// Save writes p to a PNG file, which appears complete or not at all.
func Save(path string, p Picture) error {
	m, err := p.Draw()
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, m) })
}
