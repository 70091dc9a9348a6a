package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxHeader bounds the header, as the reference implementation of the format does.
const maxHeader = 100 << 20

const metadataKey = "__metadata__"

// File is the content of a model file.
type File struct {
	// Metadata holds the strings of the file; it is never nil.
	Metadata map[string]string

	name    string
	tensors map[string]Tensor
}

// Read reads the safetensors or PyTorch file at path, which it tells apart by their first bytes. Errors name the file, the tensor, what
// it has and what is wanted.
//
// Of a PyTorch checkpoint it gives the state_dict: the dict that torch.save was given, if it holds tensors itself, or else the first
// of its entries "state_dict", "model_state_dict", "model" and "net" that does (or has such an entry in turn), or else everything, as ReadAll.
// Numbers and texts that lie beside the state_dict, such as the epoch, become metadata; what else does is left out.
func Read(path string) (*File, error) { return open(path, false) }

// ReadAll reads the file at path as Read does, but of a PyTorch checkpoint it gives all tensors, wherever they lie, under the keys and
// positions that lead to them, joined by dots: Sub("encoder_state_dict.") is then the part under that key.
func ReadAll(path string) (*File, error) { return open(path, true) }

func open(path string, all bool) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return read(f, info.Size(), path, all)
}

// ReadFrom reads a file of size bytes from r as Read does.
func ReadFrom(r io.ReaderAt, size int64) (*File, error) { return read(r, size, "input", false) }

// Name is the path that the file was read from.
func (f *File) Name() string { return f.name }

// Names lists the tensors, sorted.
func (f *File) Names() []string {
	names := make([]string, 0, len(f.tensors))
	for n := range f.tensors {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Tensor returns a tensor by name. Its data are the file's: they must not be changed.
func (f *File) Tensor(name string) (Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

func read(r io.ReaderAt, size int64, name string, all bool) (*File, error) {
	f := &File{Metadata: map[string]string{}, name: name, tensors: map[string]Tensor{}}
	head := make([]byte, min(size, legacyHead))
	err := readFull(r, head, 0)
	if zip := isZip(head); err == nil && (zip || isLegacy(head)) {
		err = f.readTorch(r, size, zip, all)
	} else if err == nil {
		err = f.readSafetensors(r, size)
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", name, err)
	}
	return f, nil
}

func (f *File) readSafetensors(r io.ReaderAt, size int64) error {
	if size < 8 {
		return fmt.Errorf("truncated: the file has %d bytes, want at least 8", size)
	}
	var prefix [8]byte
	if err := readFull(r, prefix[:], 0); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case n > maxHeader:
		return fmt.Errorf("header of %d bytes, want at most %d: neither a safetensors nor a PyTorch file", n, maxHeader)
	case int64(n) > size-8:
		return fmt.Errorf("truncated, or neither a safetensors nor a PyTorch file: header of %d bytes, but only %d follow", n, size-8)
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8); err != nil {
		return err
	}
	data := size - 8 - int64(n)
	if int64(int(data)) != data {
		return fmt.Errorf("%d bytes of tensors are more than this machine can address", data)
	}
	entries, err := f.parse(header)
	if err != nil {
		return err
	}
	if err := checkLayout(entries, data); err != nil {
		return err
	}
	body := make([]byte, data)
	if err := readFull(r, body, 8+int64(n)); err != nil {
		return err
	}
	for _, e := range entries {
		f.tensors[e.name] = Tensor{DType: e.dtype, Shape: e.shape, Data: body[e.begin:e.end:e.end]}
	}
	return nil
}

func readFull(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// entry is what the header says of one tensor.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64
}

// checkLayout sees to it that the tensors fill the size bytes after the header, each byte once, and that each has the bytes
// that its shape needs.
func checkLayout(entries []entry, size int64) error {
	byPlace := slices.SortedFunc(slices.Values(entries), func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	at := int64(0)
	for _, e := range byPlace {
		want, err := byteCount(e.dtype, e.shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.name, err)
		}
		switch {
		case e.end < e.begin || e.end-e.begin != want:
			return fmt.Errorf("tensor %q: shape %s of %s needs %d bytes, but its offsets are %d and %d", e.name, formatShape(e.shape), e.dtype, want, e.begin, e.end)
		case e.end > size:
			return fmt.Errorf("tensor %q ends at byte %d, but the file has %d bytes of tensors: truncated", e.name, e.end, size)
		case e.begin < at:
			return fmt.Errorf("tensor %q begins at byte %d, inside another one that ends at %d", e.name, e.begin, at)
		case e.begin > at:
			return fmt.Errorf("bytes %d to %d, before tensor %q, belong to no tensor", at, e.begin, e.name)
		}
		at = e.end
	}
	if at != size {
		return fmt.Errorf("%d bytes after the last tensor belong to none", size-at)
	}
	return nil
}

// parse reads the header: an object that begins at once, and spaces after it.
func (f *File) parse(header []byte) ([]entry, error) {
	if len(header) == 0 || header[0] != '{' {
		return nil, fmt.Errorf("header begins with %q, want {: neither a safetensors nor a PyTorch file", header[:min(len(header), 8)])
	}
	if !utf8.Valid(header) || !json.Valid(header) {
		return nil, errors.New("header is not valid JSON")
	}
	p := parser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	var entries []entry
	err := p.object("header", func(name string) error {
		if name == metadataKey {
			return p.object(metadataKey, func(key string) error {
				value, err := p.text(metadataKey + "." + key)
				f.Metadata[key] = value
				return err
			})
		}
		e, err := p.entry(name)
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// parser reads JSON token by token, since encoding/json lets the last of equal keys win. The text is known to be valid.
type parser struct{ *json.Decoder }

// object calls member after each key; a key that comes twice is an error.
func (p parser) object(what string, member func(key string) error) error {
	if t, err := p.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%s is no JSON object", what)
	}
	seen := map[string]bool{}
	for p.More() {
		t, err := p.Token()
		if err != nil {
			return err
		}
		key := t.(string)
		if seen[key] {
			return fmt.Errorf("%s names %q twice", what, key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := p.Token()
	return err
}

func (p parser) text(what string) (string, error) {
	t, err := p.Token()
	if s, ok := t.(string); ok && err == nil {
		return s, nil
	}
	return "", fmt.Errorf("%s is no string", what)
}

// sizes reads an array of whole numbers, none negative.
func (p parser) sizes(what string) ([]int64, error) {
	if t, err := p.Token(); err != nil || t != json.Delim('[') {
		return nil, fmt.Errorf("%s is no list", what)
	}
	list := []int64{}
	for p.More() {
		t, err := p.Token()
		if err != nil {
			return nil, err
		}
		number, ok := t.(json.Number)
		n, err := strconv.ParseUint(string(number), 10, 63)
		if !ok || err != nil || int64(int(n)) != int64(n) {
			return nil, fmt.Errorf("%s has %v, want whole numbers from 0 on that this machine can address", what, t)
		}
		list = append(list, int64(n))
	}
	_, err := p.Token()
	return list, err
}

func (p parser) entry(name string) (entry, error) {
	e := entry{name: name}
	what := strconv.Quote(name)
	members := 0
	err := p.object("tensor "+what, func(key string) error {
		members++
		switch key {
		case "dtype":
			s, err := p.text("dtype of tensor " + what)
			e.dtype = DType(s)
			return err
		case "shape":
			list, err := p.sizes("shape of tensor " + what)
			e.shape = make([]int, len(list))
			for i, n := range list {
				e.shape[i] = int(n)
			}
			return err
		case "data_offsets":
			list, err := p.sizes("data_offsets of tensor " + what)
			if err != nil {
				return err
			}
			if len(list) != 2 {
				return fmt.Errorf("data_offsets of tensor %s has %d numbers, want 2", what, len(list))
			}
			e.begin, e.end = list[0], list[1]
			return nil
		}
		return fmt.Errorf("tensor %s has an unknown member %q", what, key)
	})
	if err == nil && members != 3 {
		err = fmt.Errorf("tensor %s has %d of the members dtype, shape and data_offsets", what, members)
	}
	return e, err
}
