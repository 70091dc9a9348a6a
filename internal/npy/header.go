package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

const (
	magic = "\x93NUMPY"
	// maxHeader bounds the header. NumPy's own limit is 10000 bytes; the array types read here need a few hundred.
	maxHeader = 1 << 16
	// maxRank is NumPy's own limit.
	maxRank = 64
)

// header is what stands before the elements.
type header struct {
	dtype   DType
	big     bool
	fortran bool
	shape   []int
	count   int   // elements
	offset  int64 // of the first one
}

// readHeader reads and checks the header of a file of size bytes.
func readHeader(r io.ReaderAt, size int64) (header, error) {
	var h header
	pre := make([]byte, min(size, 12))
	if _, err := r.ReadAt(pre, 0); err != nil && err != io.EOF {
		return h, err
	}
	if len(pre) < len(magic) || string(pre[:len(magic)]) != magic {
		if size == 0 {
			return h, errors.New("the file is empty, want a .npy file")
		}
		return h, fmt.Errorf("it starts with %q, want %q: not a .npy file", pre[:min(len(pre), len(magic))], magic)
	}
	if len(pre) < 8 {
		return h, truncated(size, 8)
	}
	var length uint64
	switch major, minor := pre[6], pre[7]; {
	case minor != 0 || major < 1 || major > 3:
		return h, fmt.Errorf("format version %d.%d, want 1.0, 2.0 or 3.0", major, minor)
	case major == 1:
		if h.offset = 10; size < h.offset {
			return h, truncated(size, h.offset)
		}
		length = uint64(binary.LittleEndian.Uint16(pre[8:]))
	default:
		if h.offset = 12; size < h.offset {
			return h, truncated(size, h.offset)
		}
		length = uint64(binary.LittleEndian.Uint32(pre[8:]))
	}
	if length > maxHeader {
		return h, fmt.Errorf("header of %d bytes, want at most %d", length, maxHeader)
	}
	start := h.offset
	if h.offset += int64(length); size < h.offset {
		return h, truncated(size, h.offset)
	}
	text := make([]byte, length)
	if _, err := r.ReadAt(text, start); err != nil && err != io.EOF {
		return h, err
	}
	if err := h.parse(string(text)); err != nil {
		return h, err
	}
	bytes, err := h.bytes()
	if err != nil {
		return h, err
	}
	switch want := h.offset + bytes; {
	case want < 0:
		return h, fmt.Errorf("shape %s of %s overflows", FormatShape(h.shape), h.dtype)
	case size < want:
		return h, fmt.Errorf("shape %s of %s, %w", FormatShape(h.shape), h.dtype, truncated(size, want))
	case size > want:
		return h, fmt.Errorf("shape %s of %s needs %d bytes, but the file has %d", FormatShape(h.shape), h.dtype, want, size)
	}
	return h, nil
}

func truncated(size, want int64) error {
	return fmt.Errorf("truncated: the file has %d bytes, want at least %d", size, want)
}

// bytes sets the number of elements and returns the bytes that they take.
func (h *header) bytes() (int64, error) {
	n, size, empty := int64(1), int64(h.dtype.Size()), false
	for _, s := range h.shape {
		if s == 0 {
			empty = true
			continue
		}
		if n > math.MaxInt64/size/int64(s) {
			return 0, fmt.Errorf("shape %s of %s overflows", FormatShape(h.shape), h.dtype)
		}
		n *= int64(s)
	}
	if n *= size; int64(int(n)) != n {
		return 0, fmt.Errorf("shape %s of %s is more than this machine can address", FormatShape(h.shape), h.dtype)
	}
	if empty {
		n = 0
	}
	h.count = int(n / size)
	return n, nil
}

// parse reads the dictionary with the keys descr, fortran_order and shape, in any order.
func (h *header) parse(text string) error {
	l := literal{text: text}
	var seen []string
	if err := l.expect('{'); err != nil {
		return err
	}
	for !l.accept('}') {
		key, err := l.str()
		if err != nil {
			return err
		}
		if slices.Contains(seen, key) {
			return fmt.Errorf("header names %q twice", key)
		}
		seen = append(seen, key)
		if err := l.expect(':'); err != nil {
			return err
		}
		switch key {
		case "descr":
			if l.peek() == '[' {
				return fmt.Errorf("elements have a structured dtype %s, want %s", l.rest(60), readable)
			}
			if l.peek() == '(' {
				return fmt.Errorf("elements have a sub-array dtype %s, want %s", l.rest(60), readable)
			}
			var descr string
			if descr, err = l.str(); err == nil {
				h.dtype, h.big, err = parseDType(descr)
			}
		case "fortran_order":
			h.fortran, err = l.boolean()
		case "shape":
			h.shape, err = l.tuple()
		default:
			err = fmt.Errorf("header has an unknown key %q, want descr, fortran_order and shape", key)
		}
		if err != nil {
			return err
		}
		if !l.accept(',') && l.peek() != '}' {
			return l.wrong("a comma or }")
		}
	}
	if len(seen) != 3 {
		return fmt.Errorf("header has the keys %q only, want descr, fortran_order and shape", seen)
	}
	if l.skip(); l.pos != len(l.text) {
		return l.wrong("the end of the header")
	}
	return nil
}

// literal reads the part of Python's notation that headers use.
type literal struct {
	text string
	pos  int
}

func (l *literal) skip() {
	for l.pos < len(l.text) {
		switch l.text[l.pos] {
		case ' ', '\t', '\n', '\r':
			l.pos++
		default:
			return
		}
	}
}

// peek is the next character that is no space, 0 at the end.
func (l *literal) peek() byte {
	if l.skip(); l.pos == len(l.text) {
		return 0
	}
	return l.text[l.pos]
}

func (l *literal) accept(c byte) bool {
	if l.peek() != c || c == 0 {
		return false
	}
	l.pos++
	return true
}

func (l *literal) expect(c byte) error {
	if !l.accept(c) {
		return l.wrong(strconv.QuoteRune(rune(c)))
	}
	return nil
}

func (l *literal) rest(n int) string {
	return strconv.Quote(l.text[l.pos:min(len(l.text), l.pos+n)])
}

func (l *literal) wrong(want string) error {
	if l.skip(); l.pos == len(l.text) {
		return fmt.Errorf("header ends at byte %d, want %s there", l.pos, want)
	}
	return fmt.Errorf("header has %s at byte %d, want %s there", l.rest(20), l.pos, want)
}

func (l *literal) word() string {
	l.skip()
	start := l.pos
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		l.pos++
	}
	return l.text[start:l.pos]
}

// str reads a quoted string without escapes; Python 2 may put u or b before it.
func (l *literal) str() (string, error) {
	c := l.peek()
	if (c == 'u' || c == 'b') && l.pos+1 < len(l.text) && (l.text[l.pos+1] == '\'' || l.text[l.pos+1] == '"') {
		l.pos++
		c = l.text[l.pos]
	}
	if c != '\'' && c != '"' {
		return "", l.wrong("a string")
	}
	for i := l.pos + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case c:
			s := l.text[l.pos+1 : i]
			l.pos = i + 1
			return s, nil
		case '\\', '\n':
			return "", l.wrong("a plain string")
		}
	}
	return "", l.wrong("a string that ends")
}

func (l *literal) boolean() (bool, error) {
	l.skip()
	start := l.pos
	switch l.word() {
	case "True":
		return true, nil
	case "False":
		return false, nil
	}
	l.pos = start
	return false, l.wrong("True or False")
}

// tuple reads sizes such as (), (3,) and (3, 4); Python 2 may write 3L.
func (l *literal) tuple() ([]int, error) {
	if err := l.expect('('); err != nil {
		return nil, err
	}
	shape := []int{}
	for !l.accept(')') {
		l.skip()
		start := l.pos
		w := l.word()
		if len(w) > 1 && w[len(w)-1] == 'L' {
			w = w[:len(w)-1]
		}
		n, err := strconv.ParseInt(w, 10, 64)
		if errors.Is(err, strconv.ErrRange) || err == nil && int64(int(n)) != n {
			return nil, fmt.Errorf("shape has a size of %s, more than this machine can address", w)
		}
		if err != nil {
			l.pos = start
			return nil, l.wrong("a size of at least 0")
		}
		if shape = append(shape, int(n)); len(shape) > maxRank {
			return nil, fmt.Errorf("shape has more than %d axes", maxRank)
		}
		if !l.accept(',') {
			if l.peek() != ')' {
				return nil, l.wrong("a comma or )")
			}
			if len(shape) == 1 {
				return nil, l.wrong("a comma: (n) is a number, (n,) a shape")
			}
		}
	}
	return shape, nil
}
