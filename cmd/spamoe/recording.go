package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/fwi/openfwi"
	"github.com/spamoe/spamoe/fwi/wave"
	"github.com/spamoe/spamoe/internal/npy"
)

// recording is a set of gathers of one survey.
type recording struct {
	n, size int // gathers, and values of one
	nz, nx  int // cells of its maps
	finer   int // time steps that make a sample
	survey  wave.Config
	read    func(i int, dst []float32) error
	close   func() error
}

// shape is what was recorded of one gather, without time steps between samples: SHOTSxTIMESxRECEIVERS.
func (r *recording) shape() []int {
	shots, steps := len(r.survey.Sources), r.survey.Samples
	return []int{shots, steps / r.finer, r.size / (shots * steps)}
}

// recorded returns those rows of a gather that were recorded.
func (r *recording) recorded(gather []float32) []float32 {
	if r.finer == 1 {
		return gather
	}
	receivers := r.shape()[2]
	rows := make([]float32, 0, len(gather)/r.finer)
	for steps := range slices.Chunk(gather, r.finer*receivers) {
		rows = append(rows, steps[:receivers]...)
	}
	return rows
}

// open opens -in.
func (v *inversion) open() (*recording, error) {
	var rec *recording
	var err error
	switch ext := strings.ToLower(filepath.Ext(v.in)); ext {
	case ".sgy", ".segy":
		rec, err = v.openSEGY()
	default:
		rec, err = v.openGathers()
	}
	if err != nil {
		return nil, err
	}
	if err := v.complete(rec); err != nil {
		rec.close()
		return nil, err
	}
	if _, err := wave.New[float32](rec.survey, rec.nz, rec.nx); err != nil {
		rec.close()
		return nil, err
	}
	return rec, nil
}

// openGathers opens an array of gathers, or a folder of such, recorded by sources and receivers spread evenly over a row.
func (v *inversion) openGathers() (*recording, error) {
	g, err := openfwi.OpenGathers(v.in)
	if err != nil {
		return nil, err
	}
	shape := g.Shape()
	if len(shape) != 3 {
		g.Close()
		return nil, fmt.Errorf("%s: gathers of shape %s; wanted SHOTSxTIMESxRECEIVERS", v.in, npy.FormatShape(shape))
	}
	shots, samples, receivers := shape[0], shape[1], shape[2]
	nx := v.width
	if nx == 0 {
		nx = receivers
	}
	return &recording{
		n: g.Len(), size: shots * samples * receivers, nz: v.depth, nx: nx, finer: 1, read: g.Read, close: g.Close,
		survey: wave.Config{Dt: v.dt, Samples: samples, Sources: wave.Line(v.row, shots, nx), Receivers: wave.Line(v.row, receivers, nx)},
	}, nil
}

// complete adds what all surveys share.
func (v *inversion) complete(rec *recording) error {
	c := &rec.survey
	c.Dx, c.Freq = v.dx, v.freq
	for _, side := range strings.FieldsFunc(v.free, func(r rune) bool { return r == ',' }) {
		switch strings.TrimSpace(side) {
		case "top":
			c.Free.Top = true
		case "bottom":
			c.Free.Bottom = true
		case "left":
			c.Free.Left = true
		case "right":
			c.Free.Right = true
		default:
			return misuse("-free has %q; wanted top, bottom, left or right", side)
		}
	}
	if v.wavelet == "" || v.wavelet == "estimate" {
		return nil
	}
	f, err := npy.Open(v.wavelet)
	if err != nil {
		return err
	}
	defer f.Close()
	if len(f.Shape()) != 1 || f.Count() == 0 {
		return fmt.Errorf("%s: shape %s; wanted one value per sample", v.wavelet, npy.FormatShape(f.Shape()))
	}
	wavelet := make([]float64, f.Count())
	if err := f.Float64At(wavelet, 0); err != nil {
		return err
	}
	c.Wavelet = interpolate(wavelet, rec.finer)
	return nil
}

// addNoise adds independent normal noise, a fraction of the root mean square of x. Traces that are zero stay so, and so do rows
// of zeros at the end.
func addNoise(x []float32, fraction float64, seed uint64) {
	if fraction == 0 {
		return
	}
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v)
	}
	sigma := fraction * math.Sqrt(square/float64(len(x)))
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	for i, v := range x {
		n := sigma * rng.NormFloat64()
		if v != 0 {
			x[i] = v + float32(n)
		}
	}
}

// knownMaps are maps that come with gathers: true ones and starts.
type knownMaps struct {
	rec       *recording
	trueFile  *npy.File
	startFile *npy.File
	model     *fwi.Model
	shared    bool // one start for all
}

// openMaps opens -vel, -start and -model and checks that they fit.
func (v *inversion) openMaps(rec *recording) (*knownMaps, error) {
	m := &knownMaps{rec: rec}
	var err error
	if v.vel != "" {
		if m.trueFile, err = openMapFile(v.vel, rec); err != nil {
			return nil, err
		}
		if n := m.trueFile.Count() / (rec.nz * rec.nx); n != rec.n {
			return nil, fmt.Errorf("%s has %d maps and %s %d gathers; wanted as many", v.vel, n, v.in, rec.n)
		}
	}
	if v.start != "" {
		if m.startFile, err = openMapFile(v.start, rec); err != nil {
			return nil, err
		}
		n := m.startFile.Count() / (rec.nz * rec.nx)
		m.shared = n == 1
		if n != 1 && n != rec.n {
			return nil, fmt.Errorf("%s has %d maps and %s %d gathers; wanted one or as many", v.start, n, v.in, rec.n)
		}
	}
	if v.model != "" {
		if m.model, _, err = openModel(v.model); err != nil {
			return nil, err
		}
		if err := m.model.Accepts(v.in, rec.shape()); err != nil {
			return nil, err
		}
		if y := m.model.Config.Y; product(y) != rec.nz*rec.nx {
			return nil, fmt.Errorf("%s predicts maps of shape %v; wanted 1x%dx%d", v.model, y, rec.nz, rec.nx)
		}
	}
	return m, nil
}

// openMapFile opens maps of the recording's size: HxW, NxHxW or Nx1xHxW.
func openMapFile(path string, rec *recording) (*npy.File, error) {
	f, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	s := f.Shape()
	n := len(s)
	if n < 2 || n > 4 || s[n-2] != rec.nz || s[n-1] != rec.nx || n == 4 && s[1] != 1 || f.Count() == 0 {
		f.Close()
		return nil, fmt.Errorf("%s: maps of shape %s; wanted %dx%d, one or several", path, npy.FormatShape(s), rec.nz, rec.nx)
	}
	return f, nil
}

func (m *knownMaps) truth(i int) ([]float32, error) { return m.read(m.trueFile, i) }

// start returns the map that the inversion of gather i begins with; nil leaves the choice to the inversion.
func (m *knownMaps) start(ctx context.Context, i int, gather []float32) ([]float32, error) {
	if m.model != nil {
		return m.model.Predict(ctx, m.rec.recorded(gather))
	}
	if m.shared {
		i = 0
	}
	return m.read(m.startFile, i)
}

func (m *knownMaps) read(f *npy.File, i int) ([]float32, error) {
	if f == nil {
		return nil, nil
	}
	x := make([]float32, m.rec.nz*m.rec.nx)
	return x, f.Float32At(x, i*len(x))
}
