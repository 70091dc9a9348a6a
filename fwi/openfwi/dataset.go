package openfwi

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
)

// Dataset is a set of pairs (x, y) in files: gathers and velocity maps, or any two arrays. Any number of goroutines may read at
// once. Values are as the files have them, in physical units.
type Dataset struct {
	files  []pair
	starts []int // the index of each file's first pair, and their number at the end
	x, y   []int // shapes
}

// pair is an open file of x with its file of y.
type pair struct {
	family velocity.Family
	x, y   *npy.File
}

// Options says which part of a data set to open. The zero value is all of it.
type Options struct {
	Families []velocity.Family // none: all that are there
	Part     Part              // of the official split
}

// ErrNoPart is what Open's error wraps when a family has no file of the part of the official split that was asked for.
var ErrNoPart = errors.New("has no file of the part")

// Open opens the data set in folder root: the families in the official layout or in Kaggle's, or a single one. The pairs come
// in the order of velocity.Families, of the numbers in the files' names, and of the files. Every file's type, shape and length
// is checked; errors name the file.
func Open(root string, opts Options) (*Dataset, error) {
	folders, err := findFolders(root, opts.Families)
	if err != nil {
		return nil, err
	}
	d := &Dataset{x: GatherShape(), y: MapShape()}
	for _, in := range folders {
		files, err := scan(in)
		if err != nil {
			d.Close()
			return nil, err
		}
		kept := 0
		for _, f := range files {
			if opts.Part != All && PartOf(f.family, f.number) != opts.Part {
				continue
			}
			kept++
			if err := d.openShard(f); err != nil {
				d.Close()
				return nil, err
			}
		}
		if kept == 0 {
			d.Close()
			return nil, fmt.Errorf("openfwi: %s %w %s: its files are numbered %d to %d", in.path, ErrNoPart, opts.Part, files[0].number, files[len(files)-1].number)
		}
	}
	d.index()
	return d, nil
}

// openShard opens a pair of files of the standard shapes.
func (d *Dataset) openShard(f filePair) error {
	p := pair{family: f.family}
	var err error
	if p.x, err = openNumbers(f.gathers); err != nil {
		return err
	}
	d.files = append(d.files, p)
	last := &d.files[len(d.files)-1]
	if last.y, err = openNumbers(f.maps); err != nil {
		return err
	}
	if err := last.x.CheckShape(append([]int{-1}, d.x...)...); err != nil {
		return err
	}
	if err := last.y.CheckShape(append([]int{-1}, d.y...)...); err != nil {
		return err
	}
	if a, b := last.x.Len(), last.y.Len(); a != b {
		return fmt.Errorf("openfwi: %s has %d gathers, but %s has %d maps", f.gathers, a, f.maps, b)
	}
	if last.x.Len() == 0 {
		return fmt.Errorf("openfwi: %s holds no gathers", f.gathers)
	}
	return nil
}

// openNumbers opens an array of numbers, not of truth values.
func openNumbers(path string) (*npy.File, error) {
	f, err := npy.Open(path)
	if err == nil && f.DType() == npy.Bool {
		f.Close()
		return nil, fmt.Errorf("openfwi: %s: elements are bool, want numbers", path)
	}
	return f, err
}

// index sets starts.
func (d *Dataset) index() {
	d.starts = []int{0}
	for _, f := range d.files {
		d.starts = append(d.starts, d.starts[len(d.starts)-1]+f.x.Count()/size(d.x))
	}
}

// Close releases the files.
func (d *Dataset) Close() error {
	var errs []error
	for _, f := range d.files {
		for _, a := range []*npy.File{f.x, f.y} {
			if a != nil {
				errs = append(errs, a.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// Len is the number of pairs.
func (d *Dataset) Len() int { return d.starts[len(d.starts)-1] }

// Shapes gives the shapes of one x and one y: 5x1000x70 and 1x70x70 for OpenFWI.
func (d *Dataset) Shapes() (x, y []int) { return slices.Clone(d.x), slices.Clone(d.y) }

// Read stores pair i into x and y, which have as many elements as the shapes say; one of them may be nil, to be left out. A
// value that is infinite or not a number is an error, which names the file and the place.
func (d *Dataset) Read(i int, x, y []float32) error {
	if i < 0 || i >= d.Len() {
		return fmt.Errorf("openfwi: pair %d, but the data set has %d", i, d.Len())
	}
	f, k := d.locate(i)
	if err := readSample(f.x, x, d.x, k); err != nil {
		return err
	}
	return readSample(f.y, y, d.y, k)
}

// locate finds the files and the place in them of pair i.
func (d *Dataset) locate(i int) (pair, int) {
	k := sort.SearchInts(d.starts, i+1) - 1
	return d.files[k], i - d.starts[k]
}

func readSample(f *npy.File, dst []float32, shape []int, k int) error {
	if dst == nil {
		return nil
	}
	if n := size(shape); len(dst) != n {
		return fmt.Errorf("openfwi: %s: room for %d elements, want %s", f.Name(), len(dst), npy.FormatShape(shape))
	}
	if err := f.Float32At(dst, k*len(dst)); err != nil {
		return err
	}
	return npy.CheckFinite(fmt.Sprintf("%s: sample %d", f.Name(), k), dst, shape)
}

// Source names the file that x of pair i comes from, and its place in that file.
func (d *Dataset) Source(i int) (path string, sample int) {
	f, k := d.locate(i)
	return f.x.Name(), k
}

// Family is the family of pair i, empty in a set of plain arrays.
func (d *Dataset) Family(i int) velocity.Family {
	f, _ := d.locate(i)
	return f.family
}

// Families lists the families of the set, in the order of their pairs.
func (d *Dataset) Families() []velocity.Family {
	var list []velocity.Family
	for _, f := range d.files {
		if f.family != "" && !slices.Contains(list, f.family) {
			list = append(list, f.family)
		}
	}
	return list
}

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
