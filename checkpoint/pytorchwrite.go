package checkpoint

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
	"github.com/spamoe/spamoe/internal/atomicfile"
)

// archiveFolder is the name of the folder in the archives written here, as torch.save has it for files without a name.
const archiveFolder = "archive/"

// alignment of the storages in an archive, as PyTorch has it, so that they can be mapped into memory.
const alignment = 64

// WritePyTorch replaces the file at path with a zip archive that torch.load(path, weights_only=True) reads as an OrderedDict of these
// tensors, sorted by name. Tensors whose Data are the same memory share a storage. The real tensors that metadata[ComplexKey] lists
// become complex64 without the last axis of 2. The other metadata are kept in an entry of their own, which PyTorch passes over
// and Read returns. What Read would refuse is an error: no tensors, one without a name or with one of more than 1024 bytes, of more than 64
// dimensions, or some 18,000 of them. The file appears whole or not at all; the same content gives the same bytes.
func WritePyTorch(path string, tensors map[string]Tensor, metadata map[string]string) error {
	tensors, metadata, err := complexTensors(tensors, metadata)
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	p := newPickler(tensors)
	if err := readable(p.out); err != nil {
		return fmt.Errorf("checkpoint: cannot write %s, since Read would refuse it: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error { return writeTorch(w, p, metadata) })
}

// readable reports a pickle that Read would refuse, by reading it. The bounds on a pickle keep the archive's directory in its own: a tensor
// takes more of pickleMemory than of maxDirectory in proportion.
func readable(out []byte) error {
	if len(out) > maxPickle {
		return fmt.Errorf("its pickle has %d bytes, want at most %d", len(out), maxPickle)
	}
	t := newTorchReader(nil, math.MaxInt64)
	t.source = anyStorage{}
	root, _, err := pickle.Load(out, t, t.budget)
	if err == nil {
		_, err = t.views(root, map[string]string{}, false)
	}
	return err
}

// anyStorage has every storage, as far as a pickle's reader asks.
type anyStorage struct{ storageSource }

func (anyStorage) declare(*storage) error { return nil }

// SavePyTorch replaces the file at path with the parameters and buffers of model and info, as SaveModel does, in PyTorch's format. A tensor with
// several names is stored once.
func SavePyTorch(path string, model any, info Info) error {
	tensors, metadata, err := collect(model, info)
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	for _, e := range autograd.State(model) {
		if e.Tied != "" {
			tensors[e.Name] = tensors[e.Tied]
		}
	}
	return WritePyTorch(path, tensors, metadata)
}

// complexTensors returns the content with complex tensors as C64, checked, and the metadata without their names.
func complexTensors(tensors map[string]Tensor, metadata map[string]string) (map[string]Tensor, map[string]string, error) {
	if _, err := layout(tensors, metadata); err != nil {
		return nil, nil, err
	}
	tensors, metadata = maps.Clone(tensors), maps.Clone(metadata)
	for _, name := range complexNames(metadata) {
		t, ok := tensors[name]
		if !ok {
			continue
		}
		last := len(t.Shape) - 1
		if t.DType != F32 || last < 0 || t.Shape[last] != 2 {
			return nil, nil, fmt.Errorf("tensor %q is %s of shape %s, but complex: want F32 with a last axis of 2", name, t.DType, formatShape(t.Shape))
		}
		tensors[name] = Tensor{DType: C64, Shape: t.Shape[:last], Data: t.Data}
	}
	delete(metadata, ComplexKey)
	return tensors, metadata, nil
}

// memory identifies the bytes of a tensor.
type memory struct {
	first *byte
	n     int
	dtype DType
}

// writeTorch writes the archive: the pickle, our metadata, the storages, and what tells PyTorch how to read them.
func writeTorch(w io.Writer, p *pickler, metadata map[string]string) error {
	z := &archiver{w: &counter{w: w}}
	z.zip = zip.NewWriter(z.w)
	if err := z.add(pickleEntry, p.out); err != nil {
		return err
	}
	if len(metadata) > 0 {
		b, err := json.Marshal(metadata) // sorted by key
		if err != nil {
			return err
		}
		if len(b) > maxMetadata {
			return fmt.Errorf("checkpoint: %d bytes of metadata, want at most %d", len(b), maxMetadata)
		}
		if err := z.add(metadataEntry, b); err != nil {
			return err
		}
	}
	if err := z.add(orderEntry, []byte("little")); err != nil {
		return err
	}
	for i, data := range p.storages {
		if err := z.add(storageFolder+strconv.Itoa(i), data); err != nil {
			return err
		}
	}
	if err := z.add(versionEntry, []byte("3\n")); err != nil {
		return err
	}
	return z.zip.Close()
}

// archiver writes entries that are not compressed and begin at multiples of alignment.
type archiver struct {
	w    *counter
	zip  *zip.Writer
	tail int64 // bytes that the last entry still lacks: its checksum and sizes, which come with the next one
}

// Sizes in bytes of parts of an archive.
const (
	entryHeader = 30 // of an entry, without its name
	extraHeader = 4  // of an extra field
	tailSmall   = 16
	tailLarge   = 24 // from 4 GB on
)

func (z *archiver) add(name string, data []byte) error {
	if err := z.zip.Flush(); err != nil {
		return err
	}
	name = archiveFolder + name
	begin := z.w.n + z.tail + int64(entryHeader+len(name)+extraHeader)
	pad := int((alignment - begin%alignment) % alignment)
	extra := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(pad)) // PyTorch's own field, of no meaning
	extra = append(extra, make([]byte, pad)...)
	w, err := z.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Extra: extra})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	z.tail = tailSmall
	if int64(len(data)) >= math.MaxUint32 {
		z.tail = tailLarge
	}
	return err
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// pickler writes a dict of tensors in the opcodes of protocol 2 that torch.load(weights_only=True) knows. See package pickle.
type pickler struct {
	out      []byte
	keys     map[memory]string // names of the storages
	storages [][]byte
}

func newPickler(tensors map[string]Tensor) *pickler {
	p := &pickler{keys: map[memory]string{}}
	p.op("\x80\x02")
	p.emptyDict()
	p.op("(")
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		p.text(name)
		p.tensor(tensors[name])
	}
	p.op("u.")
	return p
}

func (p *pickler) op(s string)           { p.out = append(p.out, s...) }
func (p *pickler) global(m, name string) { p.op("c" + m + "\n" + name + "\n") }

func (p *pickler) emptyDict() {
	p.global("collections", "OrderedDict")
	p.op(")R")
}

func (p *pickler) text(s string) {
	p.out = binary.LittleEndian.AppendUint32(append(p.out, 'X'), uint32(len(s)))
	p.op(s)
}

func (p *pickler) number(n int) {
	switch {
	case n < 1<<8:
		p.out = append(p.out, 'K', byte(n))
	case n <= math.MaxInt32:
		p.out = binary.LittleEndian.AppendUint32(append(p.out, 'J'), uint32(n))
	default:
		p.out = binary.LittleEndian.AppendUint64(append(p.out, 0x8a, 8), uint64(n))
	}
}

func (p *pickler) numbers(list []int) {
	if len(list) == 0 {
		p.op(")")
		return
	}
	p.op("(")
	for _, n := range list {
		p.number(n)
	}
	p.op("t")
}

// tensor writes _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()).
func (p *pickler) tensor(t Tensor) {
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.op("((")
	p.text("storage")
	p.global("torch", storageName(t.DType))
	p.text(p.storage(t))
	p.text("cpu")
	p.number(len(t.Data) / t.DType.Size())
	p.op("tQ")
	p.number(0)
	p.numbers(t.Shape)
	strides := make([]int, len(t.Shape))
	n := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= max(t.Shape[i], 1)
	}
	p.numbers(strides)
	p.op("\x89") // it needs no gradient
	p.emptyDict()
	p.op("tR")
}

// storage returns the name of the storage that holds a tensor.
func (p *pickler) storage(t Tensor) string {
	m := memory{n: len(t.Data), dtype: t.DType}
	if m.n > 0 {
		m.first = &t.Data[0]
		if key, ok := p.keys[m]; ok {
			return key
		}
	}
	key := strconv.Itoa(len(p.storages))
	p.keys[m] = key
	p.storages = append(p.storages, t.Data)
	return key
}

func storageName(d DType) string {
	for name, other := range storageTypes {
		if other == d {
			return name
		}
	}
	panic(fmt.Sprintf("checkpoint: no storage of PyTorch's has elements of %q", d))
}
