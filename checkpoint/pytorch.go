package checkpoint

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
)

// Bounds on what a file of PyTorch's may ask for. Real ones stay far below: the pickle of a model of 10,000 tensors has 2 MB.
const (
	maxPickle    = 16 << 20 // bytes of the pickle
	pickleMemory = 40 << 20 // bytes that its objects may take
	maxDims      = 64
	maxKey       = 256      // bytes of a storage's name
	spareCopies  = 16 << 20 // bytes of copies of tensors with strides, beyond the size of the file
)

// torchReader reads one file of PyTorch's. It is the host of its pickles.
type torchReader struct {
	r        io.ReaderAt
	size     int64
	budget   *pickle.Budget
	source   storageSource
	storages map[string]*storage
	loaded   int64 // bytes of storages
	copied   int64 // bytes of tensors that could not share a storage's
}

func newTorchReader(r io.ReaderAt, size int64) *torchReader {
	return &torchReader{r: r, size: size, budget: pickle.NewBudget(pickleMemory), storages: map[string]*storage{}}
}

// storageSource is where the bytes of storages are.
type storageSource interface {
	// declare is told of a storage when the pickle names it first.
	declare(s *storage) error
	// load returns the bytes of a storage.
	load(s *storage) ([]byte, error)
}

// storage is a run of elements that tensors are views of.
type storage struct {
	key   string
	dtype DType
	count int64
	data  []byte
	ready bool
}

func (s *storage) String() string { return "a storage" }
func (s *storage) bytes() int64   { return s.count * int64(s.dtype.Size()) }

// isZip reports whether a file begins as a zip archive does. A safetensors file could begin with the same four bytes, with { after the
// eighth.
func isZip(head []byte) bool {
	return len(head) > 8 && bytes.HasPrefix(head, []byte("PK\x03\x04")) && head[8] != '{'
}

// readTorch fills f from the file that PyTorch's torch.save wrote: all of its tensors, or those of its state_dict.
func (f *File) readTorch(r io.ReaderAt, size int64, zip, all bool) error {
	if int64(int(size)) != size {
		return fmt.Errorf("%d bytes are more than this machine can address", size)
	}
	t := newTorchReader(r, size)
	load := t.loadLegacy
	if zip {
		load = func() (any, error) { return t.loadZip(f.Metadata) }
	}
	root, err := load()
	if err != nil {
		return err
	}
	found, err := t.views(root, f.Metadata, all)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		x, err := t.tensor(found[name])
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		f.tensors[name] = x
	}
	_, err = layout(f.tensors, nil)
	return err
}

// views returns the tensors in the value of a pickle, all of them or those of its state_dict, by name, and adds to metadata.
func (t *torchReader) views(root any, metadata map[string]string, all bool) (map[string]*view, error) {
	w := walker{budget: t.budget, found: map[string]*view{}, metadata: metadata}
	if !all {
		root = w.stateDict(root)
	}
	if err := w.flatten("", root, 0); err != nil {
		return nil, err
	}
	if len(w.found) == 0 {
		return nil, fmt.Errorf("it holds no tensors, but %s", describe(root))
	}
	return w.found, nil
}

// describe says what the pickle of a file without tensors holds.
func describe(v any) string {
	d, ok := v.(*pickle.Dict)
	if !ok {
		return "a value of type " + pickle.TypeName(v)
	}
	var keys []string
	for _, p := range d.Pairs[:min(len(d.Pairs), 8)] {
		if s, ok := p.Key.(string); ok && len(s) <= 64 {
			keys = append(keys, fmt.Sprintf("%q", s))
		}
	}
	return "a dict of " + fmt.Sprint(len(d.Pairs)) + " entries: " + strings.Join(keys, ", ")
}

// Persistent returns the storage that a tuple ("storage", type, key, location, count) names.
func (t *torchReader) Persistent(id any) (any, error) {
	args, ok := id.(pickle.Tuple)
	if ok && len(args) > 0 && args[0] == "module" {
		return nil, fmt.Errorf("it holds a whole module with its code; save model.state_dict() instead")
	}
	if !ok || len(args) < 5 || args[0] != "storage" || len(args) > 5 && (len(args) > 6 || args[5] != nil) {
		return nil, fmt.Errorf("a reference to something that is no storage")
	}
	kind, ok1 := args[1].(storageType)
	key, ok2 := args[2].(string)
	count, ok3 := args[4].(int64)
	if !ok1 || !ok2 || !ok3 || len(key) > maxKey {
		return nil, fmt.Errorf("a storage is described by %s, %s and %s, want its type, name and size", pickle.TypeName(args[1]), pickle.TypeName(args[2]), pickle.TypeName(args[4]))
	}
	if s, ok := t.storages[key]; ok {
		if s.dtype != kind.dtype || s.count != count {
			return nil, fmt.Errorf("storage %q has %d elements of %s and also %d of %s", key, s.count, s.dtype, count, kind.dtype)
		}
		return s, nil
	}
	if count < 0 || count > t.size/int64(kind.dtype.Size()) {
		return nil, fmt.Errorf("storage %q of %d elements of %s does not fit in a file of %d bytes", key, count, kind.dtype, t.size)
	}
	s := &storage{key: key, dtype: kind.dtype, count: count}
	if err := t.source.declare(s); err != nil {
		return nil, err
	}
	t.storages[key] = s
	return s, t.budget.Spend(256)
}

// fill loads the bytes of a storage, once.
func (t *torchReader) fill(s *storage) error {
	if s.ready {
		return nil
	}
	if t.loaded += s.bytes(); t.loaded > t.size {
		return fmt.Errorf("the storages together are larger than the file: they overlap")
	}
	data, err := t.source.load(s)
	s.data, s.ready = data, err == nil
	return err
}
