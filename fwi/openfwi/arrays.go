package openfwi

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spamoe/spamoe/internal/npy"
)

// OpenPair opens a file of gathers with the file of their velocity maps. Gathers are N x shots x times x receivers, or one of
// them without N; maps are N x 1 x depths x places, or without 1, or one of them without N.
func OpenPair(gathers, maps string) (*Dataset, error) {
	d, err := open2(gathers, maps)
	if err != nil {
		return nil, err
	}
	p := d.files[0]
	n := 1
	switch s := p.x.Shape(); len(s) {
	case 4:
		n, d.x = s[0], s[1:]
	case 3:
		d.x = s
	default:
		d.Close()
		return nil, fmt.Errorf("openfwi: %s: shape %s, want Nx5x1000x70 or 5x1000x70", gathers, npy.FormatShape(s))
	}
	s := p.y.Shape()
	found := 1
	switch {
	case len(s) == 4 && s[1] == 1:
		found, d.y = s[0], s[1:]
	case len(s) == 3:
		found, d.y = s[0], []int{1, s[1], s[2]}
	case len(s) == 2:
		d.y = []int{1, s[0], s[1]}
	default:
		d.Close()
		return nil, fmt.Errorf("openfwi: %s: shape %s, want Nx1x70x70, Nx70x70 or 70x70", maps, npy.FormatShape(s))
	}
	return d.finish(n, found)
}

// OpenArrays opens two arrays whose first axes count the pairs; the others are the shapes of x and y.
func OpenArrays(x, y string) (*Dataset, error) {
	d, err := open2(x, y)
	if err != nil {
		return nil, err
	}
	for _, a := range []*npy.File{d.files[0].x, d.files[0].y} {
		if len(a.Shape()) < 2 {
			d.Close()
			return nil, fmt.Errorf("openfwi: %s: shape %s, want at least 2 axes, of which the first counts the samples", a.Name(), npy.FormatShape(a.Shape()))
		}
	}
	d.x, d.y = d.files[0].x.SampleShape(), d.files[0].y.SampleShape()
	return d.finish(d.files[0].x.Len(), d.files[0].y.Len())
}

func open2(x, y string) (*Dataset, error) {
	a, err := npy.Open(x)
	if err != nil {
		return nil, err
	}
	b, err := npy.Open(y)
	if err != nil {
		a.Close()
		return nil, err
	}
	return &Dataset{files: []pair{{x: a, y: b}}}, nil
}

// finish checks the numbers of x and y of a set of one file each.
func (d *Dataset) finish(nx, ny int) (*Dataset, error) {
	x, y := d.files[0].x, d.files[0].y
	var err error
	switch {
	case nx != ny:
		err = fmt.Errorf("openfwi: %s has %d samples (%s), but %s has %d (%s)", x.Name(), nx, npy.FormatShape(x.Shape()), y.Name(), ny, npy.FormatShape(y.Shape()))
	case x.Count() == 0:
		err = fmt.Errorf("openfwi: %s: shape %s is empty", x.Name(), npy.FormatShape(x.Shape()))
	case y.Count() == 0:
		err = fmt.Errorf("openfwi: %s: shape %s is empty", y.Name(), npy.FormatShape(y.Shape()))
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	d.index()
	return d, nil
}

// Gathers is a set of gathers without maps. Any number of goroutines may read at once.
type Gathers struct {
	paths []string
	file  *npy.File // where all lie in one; else each path is opened when it is read
	n     int
	shape []int
}

// OpenGathers opens gathers to apply a model to: a file N x shots x times x receivers, or without N, or a folder of files with one
// gather each, in the order of their names, as in the folder test of the Kaggle layout. All of them have the shape of the first.
func OpenGathers(path string) (*Gathers, error) {
	if !isDir(path) {
		f, err := npy.Open(path)
		if err != nil {
			return nil, err
		}
		n, shape, err := gatherShape(f)
		if err != nil {
			f.Close()
			return nil, err
		}
		return &Gathers{paths: []string{path}, file: f, n: n, shape: shape}, nil
	}
	if test := filepath.Join(path, "test"); isDir(test) {
		path = test
	}
	names, err := arrays(path)
	if err != nil {
		return nil, fmt.Errorf("openfwi: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("openfwi: %s holds no .npy file", path)
	}
	g := &Gathers{n: len(names)}
	for _, n := range names {
		g.paths = append(g.paths, filepath.Join(path, n))
	}
	f, err := npy.Open(g.paths[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, shape, err := gatherShape(f)
	if err == nil && n != 1 {
		err = fmt.Errorf("openfwi: %s holds %d gathers, want one in each file of a folder", g.paths[0], n)
	}
	g.shape = shape
	return g, err
}

// gatherShape takes the shape of a file apart into number and shape of its gathers.
func gatherShape(f *npy.File) (n int, shape []int, err error) {
	s := f.Shape()
	switch {
	case f.Count() == 0:
		return 0, nil, fmt.Errorf("openfwi: %s: shape %s is empty", f.Name(), npy.FormatShape(s))
	case len(s) == 4:
		return s[0], s[1:], nil
	case len(s) == 3:
		return 1, s, nil
	}
	return 0, nil, fmt.Errorf("openfwi: %s: shape %s, want Nx5x1000x70 or 5x1000x70", f.Name(), npy.FormatShape(s))
}

// Close releases the file.
func (g *Gathers) Close() error {
	if g.file == nil {
		return nil
	}
	return g.file.Close()
}

// Len is the number of gathers.
func (g *Gathers) Len() int { return g.n }

// Shape is the shape of one gather.
func (g *Gathers) Shape() []int { return slices.Clone(g.shape) }

// Name says where gather i lies: a file's base name without its ending, and in a file of several the number.
func (g *Gathers) Name(i int) string {
	if g.file == nil {
		return trimName(g.paths[i])
	}
	if g.n == 1 {
		return trimName(g.paths[0])
	}
	return fmt.Sprintf("%s_%d", trimName(g.paths[0]), i)
}

func trimName(path string) string {
	base := filepath.Base(path)
	return base[:len(base)-len(filepath.Ext(base))]
}

// Read stores gather i in dst, which has as many elements as the shape says. A value that is infinite or not a number is an
// error.
func (g *Gathers) Read(i int, dst []float32) error {
	if i < 0 || i >= g.n {
		return fmt.Errorf("openfwi: gather %d, but there are %d", i, g.n)
	}
	if g.file != nil {
		return readSample(g.file, dst, g.shape, i)
	}
	f, err := npy.Open(g.paths[i])
	if err != nil {
		return err
	}
	defer f.Close()
	n, shape, err := gatherShape(f)
	if err != nil {
		return err
	}
	if n != 1 || !slices.Equal(shape, g.shape) {
		return fmt.Errorf("openfwi: %s: shape %s, want %s as %s has", f.Name(), npy.FormatShape(f.Shape()), npy.FormatShape(g.shape), filepath.Base(g.paths[0]))
	}
	return readSample(f, dst, g.shape, 0)
}
