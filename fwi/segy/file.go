package segy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Sizes of the parts of a file, in bytes.
const (
	textSize        = 3200
	binarySize      = 400
	traceHeaderSize = 240
)

// feet is the code of the system of measurement of files whose lengths are in feet.
const feet = 2

// File is a SEG-Y file open for reading. Any number of goroutines may read at once.
type File struct {
	Text     string  // the textual headers, lines of 80 characters
	Format   Format  // of the samples
	Interval float64 // seconds between samples
	Samples  int     // of every trace
	Traces   int

	name  string
	r     io.ReaderAt
	order binary.ByteOrder
	unit  float64 // of lengths, in metres
	start int64   // of the first trace
	first int     // samples of the first trace by its own header
	close io.Closer
}

// Open opens the file at path and checks its headers against its size.
func Open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := r.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("segy: %s is a folder, want a file", path)
	}
	if err == nil {
		var f *File
		if f, err = New(r, info.Size(), path); err == nil {
			f.close = r
			return f, nil
		}
	}
	r.Close()
	return nil, err
}

// New opens a file of size bytes that r holds. Errors call it name. Close does not close r.
func New(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: name, r: r, order: binary.BigEndian}
	if size < textSize+binarySize {
		return nil, f.fail("%d bytes, want at least %d (textual and binary header)", size, textSize+binarySize)
	}
	head := make([]byte, textSize+binarySize)
	if err := f.readAt(head, 0); err != nil {
		return nil, err
	}
	f.Text = text(head[:textSize])
	if err := f.readBinary(head[textSize:]); err != nil {
		return nil, err
	}
	if err := f.skipText(head[textSize:], size); err != nil {
		return nil, err
	}
	return f, f.count(size)
}

// count finds the number of traces. The headers of traces repeat the number of samples, and in practice either that or the one in
// the binary header is wrong in some files, such as those that were cut out of others: the size of the file decides.
func (f *File) count(size int64) error {
	rest := size - f.start
	length := func(samples int) int64 { return traceHeaderSize + int64(samples)*int64(f.Format.size()) }
	if rest >= traceHeaderSize {
		n := make([]byte, 2)
		if err := f.readAt(n, f.start+114); err != nil {
			return err
		}
		f.first = int(f.order.Uint16(n))
		if f.first > 0 && (f.Samples == 0 || rest%length(f.Samples) != 0 && rest%length(f.first) == 0) {
			f.Samples = f.first
		}
	}
	if f.Samples == 0 {
		return f.fail("the headers give traces of 0 samples, want at least 1")
	}
	if rest == 0 || rest%length(f.Samples) != 0 {
		return f.fail("%d bytes after the headers are %.2f traces of %d samples (%v), want a whole number: truncated, or traces of different lengths",
			rest, float64(rest)/float64(length(f.Samples)), f.Samples, f.Format)
	}
	f.Traces = int(rest / length(f.Samples))
	return nil
}

// readBinary takes over what the binary header says. Offsets are those of the standard less 3201.
func (f *File) readBinary(b []byte) error {
	if f.order.Uint32(b[96:]) == 0x04030201 || f.plausible(b, binary.LittleEndian) && !f.plausible(b, binary.BigEndian) {
		f.order = binary.LittleEndian
	}
	f.Format = Format(f.order.Uint16(b[24:]))
	f.Samples = int(f.order.Uint16(b[20:]))
	f.Interval = float64(f.order.Uint16(b[16:])) * 1e-6
	f.unit = 1
	if f.order.Uint16(b[54:]) == feet {
		f.unit = 0.3048
	}
	if b[300] >= 2 { // revision 2 has wider fields; its major number is a byte, the minor one the next
		if n := f.order.Uint32(b[68:]); n != 0 && n <= math.MaxInt32 {
			f.Samples = int(n)
		}
		if dt := math.Float64frombits(f.order.Uint64(b[72:])); dt > 0 && dt < 1e9 {
			f.Interval = dt * 1e-6
		}
		if n := f.order.Uint32(b[306:]); n != 0 {
			return f.fail("%d additional headers per trace, want none", n)
		}
	}
	switch {
	case f.Format.size() == 0:
		return f.fail("format code of the samples is %d, want 1 (IBM float), 2 (int32), 3 (int16), 5 (float32), 6 (float64), 8 (int8), 10, 11 or 16 (unsigned)", int(f.Format))
	case f.Interval == 0:
		return f.fail("the binary header gives a sampling interval of 0, want a positive one")
	}
	return nil
}

// plausible reports whether a binary header makes sense in a byte order.
func (f *File) plausible(b []byte, order binary.ByteOrder) bool {
	return Format(order.Uint16(b[24:])).size() != 0
}

// skipText reads the extended textual headers and finds the first trace.
func (f *File) skipText(b []byte, size int64) error {
	f.start = textSize + binarySize
	var n int
	if b[300] != 0 || b[301] != 0 { // revision 0 leaves these bytes to anybody
		n = int(int16(f.order.Uint16(b[304:])))
	}
	if n < -1 {
		return f.fail("%d extended textual headers, want 0 or more, or -1 for a marked end", n)
	}
	record := make([]byte, textSize)
	var all strings.Builder
	for i := 0; i != n; i++ {
		if f.start+textSize > size {
			return f.fail("it ends in extended textual header %d", i+1)
		}
		if err := f.readAt(record, f.start); err != nil {
			return err
		}
		f.start += textSize
		t := text(record)
		if i < maxText {
			all.WriteString(t)
		}
		if n == -1 && strings.Contains(strings.ToUpper(t), "((SEG: ENDTEXT))") {
			break
		}
	}
	f.Text += all.String()
	return nil
}

// maxText is how many extended textual headers are kept.
const maxText = 64

// text decodes a textual header, which is EBCDIC or ASCII; the letters and blanks of the one are no letters in the other.
func text(raw []byte) string {
	ascii := 0
	for _, c := range raw {
		if c >= ' ' && c < 0x7f {
			ascii++
		}
	}
	if 2*ascii < len(raw) {
		if plain, err := charmap.CodePage037.NewDecoder().Bytes(raw); err == nil {
			return string(plain)
		}
	}
	return strings.ToValidUTF8(string(raw), "?")
}

func (f *File) readAt(b []byte, at int64) error {
	if _, err := f.r.ReadAt(b, at); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("segy: %s: %w", f.name, err)
	}
	return nil
}

func (f *File) fail(format string, a ...any) error {
	return fmt.Errorf("segy: %s: %s", f.name, fmt.Sprintf(format, a...))
}

// Close releases the file.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close.Close()
}

// Read reads trace i into dst, whose length is Samples, and returns its header.
func (f *File) Read(i int, dst []float32) (Header, error) {
	if len(dst) != f.Samples {
		panic(fmt.Sprintf("segy: Read of %d samples into %d values", f.Samples, len(dst)))
	}
	h, err := f.Header(i)
	if err != nil {
		return h, err
	}
	raw := make([]byte, f.Samples*f.Format.size())
	if err := f.readAt(raw, f.offset(i)+traceHeaderSize); err != nil {
		return h, err
	}
	f.Format.decode(dst, raw, f.order)
	for k, v := range dst {
		if v != v || math.IsInf(float64(v), 0) {
			return h, f.fail("trace %d: sample %d is %v, want a finite number", i, k, v)
		}
	}
	return h, nil
}

func (f *File) offset(i int) int64 {
	return f.start + int64(i)*(traceHeaderSize+int64(f.Samples)*int64(f.Format.size()))
}
