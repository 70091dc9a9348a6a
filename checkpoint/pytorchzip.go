package checkpoint

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"strings"

	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
)

// Names of what a zip archive of PyTorch's holds, in one folder.
const (
	pickleEntry   = "data.pkl"
	storageFolder = "data/"
	versionEntry  = "version"
	orderEntry    = "byteorder"
	// metadataEntry is our own: the metadata as a JSON object. PyTorch passes over it.
	metadataEntry = "spamoe.json"
)

// maxDirectory bounds what is read to find the entries of an archive, maxMetadata our own entry.
const (
	maxDirectory = 8 << 20
	maxMetadata  = 1 << 20
)

// zipSource finds storages in the archive that torch.save writes since PyTorch 1.6: an entry each, not compressed.
type zipSource struct {
	t       *torchReader
	folder  string
	entries map[string]*zip.File
}

// loadZip returns the value of the archive's pickle and adds its metadata.
func (t *torchReader) loadZip(metadata map[string]string) (any, error) {
	bounded := &boundedReader{r: t.r, left: maxDirectory}
	archive, err := zip.NewReader(bounded, t.size)
	if bounded.left < 0 {
		return nil, fmt.Errorf("the archive's directory takes more than %d MB", maxDirectory>>20)
	}
	if errors.Is(err, zip.ErrFormat) {
		return nil, errors.New("truncated or not a zip archive: its directory, at the end, is missing or damaged")
	}
	if err != nil {
		return nil, err
	}
	bounded.left = math.MaxInt64 // each entry has its own bound
	z := &zipSource{t: t, entries: map[string]*zip.File{}}
	t.source = z
	found := 0
	for _, e := range archive.File {
		if _, twice := z.entries[e.Name]; twice {
			return nil, fmt.Errorf("the archive has two entries %q", e.Name)
		}
		z.entries[e.Name] = e
		if folder, ok := strings.CutSuffix(e.Name, "/"+pickleEntry); ok && !strings.Contains(folder, "/") {
			z.folder = folder + "/"
			found++
		}
	}
	if found != 1 {
		return nil, fmt.Errorf("the archive has %d entries FOLDER/%s, want 1: torch.save did not write it", found, pickleEntry)
	}
	if _, script := z.entries[z.folder+"constants.pkl"]; script {
		return nil, errors.New("it is a TorchScript program; save its state_dict() with torch.save instead")
	}
	b, err := z.small(orderEntry, 16)
	if err != nil {
		return nil, err
	}
	if b != nil && string(b) != "little" {
		return nil, fmt.Errorf("byte order is %q, want little", b)
	}
	b, err = z.small(metadataEntry, maxMetadata)
	if err != nil {
		return nil, err
	}
	if b != nil {
		own := map[string]string{}
		if err := json.Unmarshal(b, &own); err != nil {
			return nil, fmt.Errorf("entry %s: %w", metadataEntry, err)
		}
		maps.Copy(metadata, own)
	}
	if b, err = z.small(pickleEntry, maxPickle); err != nil {
		return nil, err
	}
	root, _, err := pickle.Load(b, t, t.budget)
	return root, err
}

// small reads an entry of at most limit bytes; nil if there is none.
func (z *zipSource) small(name string, limit int64) ([]byte, error) {
	e, ok := z.entries[z.folder+name]
	if !ok {
		return nil, nil
	}
	if e.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("entry %s has %d bytes, want at most %d", name, e.UncompressedSize64, limit)
	}
	return z.read(e)
}

// read returns the bytes of an entry. It allocates them when it knows that the file has as many.
func (z *zipSource) read(e *zip.File) ([]byte, error) {
	if err := plain(e); err != nil {
		return nil, err
	}
	at, err := e.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", e.Name, err)
	}
	if n := e.UncompressedSize64; at > z.t.size || n > uint64(z.t.size-at) {
		return nil, fmt.Errorf("entry %q of %d bytes begins at byte %d of a file of %d: truncated", e.Name, n, at, z.t.size)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", e.Name, err)
	}
	defer r.Close()
	b := make([]byte, e.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("entry %q: %w", e.Name, err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF { // here the checksum is compared
		return nil, fmt.Errorf("entry %q: %w", e.Name, err)
	}
	return b, nil
}

// plain reports an entry that is compressed, as torch.save never writes it.
func plain(e *zip.File) error {
	if e.Method != zip.Store || e.CompressedSize64 != e.UncompressedSize64 {
		return fmt.Errorf("entry %q is compressed, which torch.save does not do: refused", e.Name)
	}
	return nil
}

func (z *zipSource) declare(s *storage) error {
	e, ok := z.entries[z.folder+storageFolder+s.key]
	if !ok {
		return fmt.Errorf("storage %q has no entry in the archive: truncated", s.key)
	}
	if uint64(s.bytes()) != e.UncompressedSize64 {
		return fmt.Errorf("storage %q of %d elements of %s needs %d bytes, but its entry has %d", s.key, s.count, s.dtype, s.bytes(), e.UncompressedSize64)
	}
	return plain(e)
}

func (z *zipSource) load(s *storage) ([]byte, error) {
	return z.read(z.entries[z.folder+storageFolder+s.key])
}

// boundedReader reads at most left bytes in all.
type boundedReader struct {
	r    io.ReaderAt
	left int64
}

func (b *boundedReader) ReadAt(p []byte, offset int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errors.New("too much is read")
	}
	return b.r.ReadAt(p, offset)
}
