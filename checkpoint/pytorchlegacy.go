package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
)

// The first pickle of a file of PyTorch 0.1 to 1.5 is this number, as its opcodes write it.
var legacyMagic = []byte("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")

// isLegacy reports whether a file begins with the pickled magic number, in a protocol without frames or with.
func isLegacy(head []byte) bool {
	if len(head) < 2 || head[0] != 0x80 || head[1] < 2 || head[1] > 5 {
		return false
	}
	return bytes.HasPrefix(head[2:], legacyMagic) || bytes.HasPrefix(head[2:], append([]byte{0x95, 13, 0, 0, 0, 0, 0, 0, 0}, legacyMagic...))
}

// legacyHead is how many bytes isLegacy looks at.
const legacyHead = 2 + 9 + 13

// legacySource finds storages behind the pickles: the number of elements, 8 bytes, and the elements, for each in a given order.
type legacySource struct {
	t  *torchReader
	at map[string]int64 // where the elements begin
}

// loadLegacy reads five pickles: magic number, version, the writer's machine, the content, and the names of the storages that follow.
func (t *torchReader) loadLegacy() (any, error) {
	l := &legacySource{t: t, at: map[string]int64{}}
	t.source = l
	data := make([]byte, min(t.size, maxPickle))
	if err := readFull(t.r, data, 0); err != nil {
		return nil, err
	}
	var values [5]any
	at := 0
	for i := range values {
		v, n, err := pickle.Load(data[at:], t, t.budget)
		if err != nil {
			return nil, fmt.Errorf("part %d of 5: %w", i+1, err)
		}
		values[i] = v
		at += n
	}
	if _, ok := values[0].(*big.Int); !ok || values[1] != int64(1001) {
		return nil, fmt.Errorf("version of the format is %v, want 1001", values[1])
	}
	if machine, ok := values[2].(*pickle.Dict); ok {
		if little, ok := machine.Get("little_endian"); ok && little != true {
			return nil, fmt.Errorf("byte order is big, want little")
		}
	}
	keys, ok := values[4].(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("the names of the storages are %s, want a list", pickle.TypeName(values[4]))
	}
	return values[3], l.place(keys.Items, int64(at))
}

// place finds out where the storages are and whether the file has all of them.
func (l *legacySource) place(keys []any, at int64) error {
	for _, k := range keys {
		key, _ := k.(string)
		s, ok := l.t.storages[key]
		if _, twice := l.at[key]; !ok || twice {
			return fmt.Errorf("storage %.80q is announced twice or used nowhere", key)
		}
		var b [8]byte
		if err := readFull(l.t.r, b[:], at); err != nil {
			return fmt.Errorf("storage %q: %w", key, err)
		}
		if n := binary.LittleEndian.Uint64(b[:]); n != uint64(s.count) {
			return fmt.Errorf("storage %q has %d elements, but tensors want %d", key, n, s.count)
		}
		at += 8
		if s.bytes() > l.t.size-at {
			return fmt.Errorf("storage %q of %d bytes begins at byte %d of a file of %d: truncated", key, s.bytes(), at, l.t.size)
		}
		l.at[key] = at
		at += s.bytes()
	}
	return nil
}

// declare accepts every storage: the sizes come after the pickle.
func (l *legacySource) declare(*storage) error { return nil }

func (l *legacySource) load(s *storage) ([]byte, error) {
	at, ok := l.at[s.key]
	if !ok {
		return nil, fmt.Errorf("storage %q is not in the file", s.key)
	}
	b := make([]byte, s.bytes())
	return b, readFull(l.t.r, b, at)
}
