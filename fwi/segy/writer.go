package segy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// Writer writes a SEG-Y file of revision 1, trace by trace. For one goroutine at a time.
type Writer struct {
	w        io.Writer
	format   Format
	interval float64
	samples  int
	traces   int
}

// NewWriter writes the headers of a file to w: traces of a number of samples, interval seconds apart, in a format. Lines of text,
// at most 40 of at most 80 ASCII characters, become the textual header.
func NewWriter(w io.Writer, format Format, samples int, interval float64, text ...string) (*Writer, error) {
	micro := math.Round(interval * 1e6)
	switch {
	case format != IBM && format != Int32 && format != Int16 && format != Float32 && format != Int8:
		return nil, fmt.Errorf("segy: cannot write %v, want IBM float, int32, int16, float32 or int8", format)
	case samples < 1 || samples > math.MaxUint16:
		return nil, fmt.Errorf("segy: %d samples in a trace, want 1 to %d", samples, math.MaxUint16)
	case !(micro >= 1 && micro <= math.MaxUint16):
		return nil, fmt.Errorf("segy: interval of %v s, want 1 to %d microseconds", interval, math.MaxUint16)
	case len(text) > textSize/80:
		return nil, fmt.Errorf("segy: textual header of %d lines, want at most %d", len(text), textSize/80)
	}
	head := make([]byte, textSize+binarySize)
	copy(head, strings.Repeat(" ", textSize))
	for i, line := range text {
		if len(line) > 80 {
			return nil, fmt.Errorf("segy: line %d of the textual header has %d characters, want at most 80", i+1, len(line))
		}
		copy(head[80*i:], line)
	}
	short := func(at, v int) { binary.BigEndian.PutUint16(head[at-1:], uint16(v)) }
	short(3217, int(micro))
	short(3221, samples)
	short(3225, int(format))
	short(3255, 1)   // metres
	head[3501-1] = 1 // revision 1.0
	short(3503, 1)   // all traces have one length
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	return &Writer{w: w, format: format, interval: interval, samples: samples}, nil
}

// Append writes a trace. Positions are kept to the centimetre.
func (w *Writer) Append(h Header, samples []float32) error {
	if len(samples) != w.samples {
		return fmt.Errorf("segy: trace of %d samples, want %d", len(samples), w.samples)
	}
	w.traces++
	b := make([]byte, traceHeaderSize+w.samples*w.format.size())
	h.put(b[:traceHeaderSize], w.traces, w.samples, w.interval)
	w.format.encode(b[traceHeaderSize:], samples)
	_, err := w.w.Write(b)
	return err
}

func round(v float64) float64 { return min(max(math.RoundToEven(v), math.MinInt32), math.MaxInt32) }
