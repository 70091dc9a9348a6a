package openfwi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/fwi/velocity"
	"github.com/spamoe/spamoe/internal/npy"
)

// Shard is a pair of files to write: N pairs of one family.
type Shard struct {
	Family velocity.Family
	Layers int // number of layers of all its maps; 0 where a family mixes them
	Number int // in the names of the files
	N      int
	// First counts the pairs of the family, and of the number of layers if that is not 0, in the shards before this one. With
	// Layers it tells a generator which maps to draw, whatever was written before.
	First   int
	Gathers string // path
	Maps    string // path
}

// Plan lays out count pairs of a family in the folder root as OpenFWI does, perFile to a file (0: 500). A fault family is parted
// evenly among its numbers of layers, earlier ones first where it does not come out even. The family may be spelt as velocity.Parse takes
// it; shards have its name.
func Plan(root string, family velocity.Family, count, perFile int) ([]Shard, error) {
	if perFile == 0 {
		perFile = PairsPerFile
	}
	family, err := velocity.Parse(string(family))
	if err != nil {
		return nil, fmt.Errorf("openfwi: %w", err)
	}
	if count < 1 || perFile < 1 {
		return nil, fmt.Errorf("openfwi: %d pairs, %d to a file: want at least 1", count, perFile)
	}
	dir := filepath.Join(root, string(family))
	var shards []Shard
	if !family.Faulted() {
		for first := 0; first < count; first += perFile {
			k := first/perFile + 1
			shards = append(shards, Shard{Family: family, Number: k, N: min(perFile, count-first), First: first,
				Gathers: filepath.Join(dir, "data", fmt.Sprintf("data%d.npy", k)),
				Maps:    filepath.Join(dir, "model", fmt.Sprintf("model%d.npy", k))})
		}
		return shards, nil
	}
	layers := family.Layers()
	for i, p := range layers {
		part := count / len(layers)
		if i < count%len(layers) {
			part++
		}
		for first := 0; first < part; first += perFile {
			k := first / perFile
			shards = append(shards, Shard{Family: family, Layers: p, Number: k, N: min(perFile, part-first), First: first,
				Gathers: filepath.Join(dir, fmt.Sprintf("seis_%d_1_%d.npy", p, k)),
				Maps:    filepath.Join(dir, fmt.Sprintf("vel_%d_1_%d.npy", p, k))})
		}
	}
	return shards, nil
}

// Done reports whether the shard's files are there, as they are when a generator was stopped and starts again. Files of other
// shapes in their place are an error.
func (s Shard) Done() (bool, error) {
	g, err := npy.Open(s.Gathers)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer g.Close()
	m, err := npy.Open(s.Maps)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer m.Close()
	if err := g.CheckShape(append([]int{s.N}, GatherShape()...)...); err != nil {
		return false, err
	}
	return true, m.CheckShape(append([]int{s.N}, MapShape()...)...)
}

// ShardWriter writes a shard, pair by pair. Its files appear when it is committed, both whole; a program that is killed before
// leaves neither. For one goroutine at a time.
type ShardWriter struct {
	shard   Shard
	gathers *npy.Writer[float32]
	maps    *npy.Writer[float32]
}

// Create starts the files of the shard, and makes their folders. A shard that is there already is an error.
func (s Shard) Create() (*ShardWriter, error) {
	done, err := s.Done()
	if err != nil {
		return nil, err
	}
	if done {
		return nil, fmt.Errorf("openfwi: %s and %s exist already", s.Gathers, s.Maps)
	}
	for _, path := range []string{s.Gathers, s.Maps} {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, fmt.Errorf("openfwi: %w", err)
		}
	}
	w := &ShardWriter{shard: s}
	if w.gathers, err = npy.Create[float32](s.Gathers, append([]int{s.N}, GatherShape()...)); err != nil {
		return nil, err
	}
	if w.maps, err = npy.Create[float32](s.Maps, append([]int{s.N}, MapShape()...)); err != nil {
		w.gathers.Abort()
		return nil, err
	}
	return w, nil
}

// Add writes the next pair: a gather of 5x1000x70 and its map of 70x70, in m/s.
func (w *ShardWriter) Add(gather, velocities []float32) error {
	if len(gather) != size(GatherShape()) || len(velocities) != size(MapShape()) {
		return fmt.Errorf("openfwi: %s: pair of %d and %d elements, want %d and %d", w.shard.Gathers, len(gather), len(velocities), size(GatherShape()), size(MapShape()))
	}
	if err := w.gathers.Append(gather); err != nil {
		return err
	}
	return w.maps.Append(velocities)
}

// Commit makes both files appear. It is an error, and neither appears, if pairs are missing.
func (w *ShardWriter) Commit() error {
	defer w.Abort()
	// Both are forced to the disk before the first appears, so that next to no time lies between the two.
	if err := w.gathers.Sync(); err != nil {
		return err
	}
	if err := w.maps.Sync(); err != nil {
		return err
	}
	if err := w.maps.Commit(); err != nil {
		return err
	}
	return w.gathers.Commit()
}

// Abort drops what was written. After Commit it does nothing, so that it can be deferred.
func (w *ShardWriter) Abort() {
	w.gathers.Abort()
	w.maps.Abort()
}
