package segy

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/internal/testdata"
)

// line writes a survey of shots x receivers along x, receivers 10 m apart, sources 20 m, and returns the file.
func line(t testing.TB, format Format, shots, receivers, samples int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, format, samples, 0.002, "C01 TEST LINE")
	require.NoError(t, err)
	for s := range shots {
		for r := range receivers {
			trace := make([]float32, samples)
			for i := range trace {
				trace[i] = float32((s+1)*(r+1)*(i%7-3)) / 4 * 4
			}
			require.NoError(t, w.Append(Header{Record: s + 1, SourceX: 1000 + 20*float64(s), SourceY: 500, ReceiverX: 1000 + 10*float64(r), ReceiverY: 500, SourceDepth: 10}, trace))
		}
	}
	return b.Bytes()
}

func open(raw []byte) (*File, error) { return New(bytes.NewReader(raw), int64(len(raw)), "x.sgy") }

func TestRoundTripOfEveryFormat(t *testing.T) {
	for _, format := range []Format{IBM, Int32, Int16, Float32, Int8} {
		f, err := open(line(t, format, 2, 5, 9))
		require.NoError(t, err)
		require.Equal(t, format, f.Format)
		require.Equal(t, []any{10, 9, 0.002}, []any{f.Traces, f.Samples, f.Interval})
		require.Contains(t, f.Text, "C01 TEST LINE")
		dst := make([]float32, 9)
		h, err := f.Read(7, dst)
		require.NoError(t, err)
		require.Equal(t, Header{Record: 2, SourceX: 1020, SourceY: 500, ReceiverX: 1020, ReceiverY: 500, SourceDepth: 10}, h)
		require.Equal(t, []float32{-18, -12, -6, 0, 6, 12, 18, -18, -12}, dst, "%v", format)
	}
}

func TestIBMNumbers(t *testing.T) {
	// Worked examples of the format's definition.
	for bits, want := range map[uint32]float64{0xc276a000: -118.625, 0x40800000: 0.5, 0x41100000: 1, 0x00000000: 0, 0x7fffffff: 7.2370051459731155e75} {
		require.Equal(t, want, fromIBM(bits))
	}
	for _, v := range []float32{1, -1, 0.1, 118.625, 3e38, 1e-38, 1e-45, 0, 16, 15.999999, 1.0 / 3} {
		require.InEpsilon(t, float64(v)+1e-300, fromIBM(toIBM(v))+1e-300, 1.0/(1<<20), "%g", v)
	}
	require.Equal(t, uint32(0xc276a000), toIBM(-118.625))
}

func TestUnsignedAndDouble(t *testing.T) {
	raw := make([]byte, 8)
	dst := make([]float32, 1)
	binary.BigEndian.PutUint64(raw, math.Float64bits(2.5))
	Float64.decode(dst, raw, binary.BigEndian)
	require.Equal(t, float32(2.5), dst[0])
	for format, want := range map[Format]float32{Uint8: 255, Uint16: 65535, Uint32: 4294967295} {
		format.decode(dst, bytes.Repeat([]byte{0xff}, 4), binary.BigEndian)
		require.Equal(t, want, dst[0])
	}
}

// littleEndian swaps the bytes of every number of a file of 4-byte samples with so many traces. The numbers of its revision are
// single bytes.
func littleEndian(raw []byte, traces, samples int) []byte {
	raw = bytes.Clone(raw)
	swap := func(n int, at ...int) {
		for _, a := range at {
			slices.Reverse(raw[a : a+n])
		}
	}
	swap(2, 3216, 3220, 3224, 3254, 3502)
	swap(4, 3268, 3296)
	swap(8, 3272)
	for trace := range traces {
		h := 3600 + trace*(240+4*samples)
		swap(4, h, h+4, h+8, h+40, h+44, h+48, h+72, h+76, h+80, h+84)
		swap(2, h+28, h+68, h+70, h+88, h+108, h+114, h+116)
		for i := range samples {
			swap(4, h+240+4*i)
		}
	}
	return raw
}

func TestLittleEndian(t *testing.T) {
	f, err := open(littleEndian(line(t, Float32, 1, 3, 4), 3, 4))
	require.NoError(t, err)
	dst := make([]float32, 4)
	h, err := f.Read(2, dst)
	require.NoError(t, err)
	require.Equal(t, 1020.0, h.ReceiverX)
	require.Equal(t, []float32{-9, -6, -3, 0}, dst)
}

// Files of revision 2 have wide fields for the number of samples and their interval, in either byte order.
func TestRevision2(t *testing.T) {
	raw := line(t, Float32, 1, 3, 4)
	raw[3500], raw[3501] = 2, 0
	copy(raw[3216:], []byte{0, 0})
	copy(raw[3220:], []byte{0, 0})
	binary.BigEndian.PutUint32(raw[3268:], 4)
	binary.BigEndian.PutUint64(raw[3272:], math.Float64bits(187.5))
	binary.BigEndian.PutUint32(raw[3296:], 0x01020304)
	for trace := range 3 { // the narrow field of a trace cannot hold what the wide one can
		copy(raw[3600+trace*256+114:], []byte{0, 0})
	}
	for order, file := range map[string][]byte{"big": raw, "little": littleEndian(raw, 3, 4)} {
		f, err := open(file)
		require.NoError(t, err, order)
		require.Equal(t, []int{3, 4}, []int{f.Traces, f.Samples}, order)
		require.InDelta(t, 187.5e-6, f.Interval, 1e-18, order)
	}
}

// Where binary header and trace headers disagree about the length of traces, the size of the file tells which is right.
func TestWrongSampleCounts(t *testing.T) {
	raw := line(t, Int16, 1, 3, 8)
	binary.BigEndian.PutUint16(raw[3220:], 11)
	f, err := open(raw)
	require.NoError(t, err)
	require.Equal(t, []int{3, 8}, []int{f.Traces, f.Samples})
	raw = line(t, Int16, 1, 3, 8)
	for i := range 3 {
		binary.BigEndian.PutUint16(raw[3600+256*i+114:], 11)
	}
	f, err = open(raw)
	require.NoError(t, err)
	require.Equal(t, []int{3, 8}, []int{f.Traces, f.Samples})
	_, err = f.Survey()
	require.NoError(t, err)
}

func TestExtendedTextAndMarkedEnd(t *testing.T) {
	plain := line(t, Int16, 1, 2, 6)
	for _, n := range []int16{2, -1} {
		raw := append([]byte(nil), plain[:3600]...)
		binary.BigEndian.PutUint16(raw[3504:], uint16(n))
		more := bytes.Repeat([]byte{' '}, 6400)
		copy(more, "((SEG: First))")
		copy(more[3200:], "((SEG: EndText))")
		f, err := open(append(append(raw, more...), plain[3600:]...))
		require.NoError(t, err)
		require.Equal(t, 2, f.Traces)
		require.Contains(t, f.Text, "((SEG: First))")
	}
}

func TestSurvey(t *testing.T) {
	f, err := open(line(t, IBM, 3, 5, 4))
	require.NoError(t, err)
	s, err := f.Survey()
	require.NoError(t, err)
	require.Len(t, s.Shots, 3)
	require.Equal(t, 40.0, s.Length)
	require.Equal(t, Shot{Record: 2, X: 20, Depth: 10, Traces: s.Shots[1].Traces}, s.Shots[1])
	require.Equal(t, Place{Trace: 8, X: 30}, s.Shots[1].Traces[3])
}

// Lengths in feet are read as metres, angles as they are.
func TestFeet(t *testing.T) {
	raw := line(t, Float32, 1, 3, 4)
	binary.BigEndian.PutUint16(raw[3254:], 2)
	binary.BigEndian.PutUint32(raw[3600+40:], uint32(0xffffffff-699))
	binary.BigEndian.PutUint32(raw[3600+44:], 200)
	for name, file := range map[string][]byte{"big": raw, "little": littleEndian(raw, 3, 4)} {
		f, err := open(file)
		require.NoError(t, err, name)
		h, err := f.Header(0)
		require.NoError(t, err, name)
		for _, v := range [][2]float64{{304.8, h.SourceX}, {152.4, h.SourceY}, {304.8, h.ReceiverX}, {152.4, h.ReceiverY}, {3.048, h.SourceDepth}, {-2.1336, h.ReceiverElevation}, {0.6096, h.SurfaceElevation}} {
			require.InDelta(t, v[0], v[1], 1e-9, name)
		}
		s, err := f.Survey()
		require.NoError(t, err, name)
		require.InDelta(t, 6.096, s.Length, 1e-9, name)
	}
	binary.BigEndian.PutUint16(raw[3600+88:], 2)
	f, err := open(raw)
	require.NoError(t, err)
	h, err := f.Header(0)
	require.NoError(t, err)
	require.Equal(t, []any{true, 1000.0}, []any{h.Angular, h.SourceX})
	require.InDelta(t, 3.048, h.SourceDepth, 1e-9)
}

// Depths of sources and receivers count from one level.
func TestDepths(t *testing.T) {
	type place struct{ surface, source, receiver float64 }
	survey := func(places ...place) (*Survey, error) {
		var b bytes.Buffer
		w, err := NewWriter(&b, Float32, 2, 0.001)
		require.NoError(t, err)
		for i, p := range places {
			h := Header{Record: i, SourceX: 100 * float64(i), ReceiverX: 100*float64(i) + 50, SurfaceElevation: p.surface, SourceDepth: p.source, ReceiverElevation: p.receiver}
			require.NoError(t, w.Append(h, []float32{1, 2}))
		}
		f, err := open(b.Bytes())
		require.NoError(t, err)
		return f.Survey()
	}
	for name, c := range map[string]struct{ places, want []place }{ // want has no surface
		"flat land, shots in holes":   {[]place{{0, 9, 0}, {0, 12, 0}}, []place{{0, 9, 0}, {0, 12, 0}}},
		"land high above sea":         {[]place{{500, 9, 500}, {500, 0, 500}}, []place{{0, 9, 0}, {0, 0, 0}}},
		"land below sea":              {[]place{{-400, 9, -400}, {-400, 0, -400}}, []place{{0, 9, 0}, {0, 0, 0}}},
		"streamer":                    {[]place{{0, 6, -8}, {0, 6, -8}}, []place{{0, 6, 8}, {0, 6, 8}}},
		"nodes on the bottom":         {[]place{{0, 6, -80}, {0, 6, -95.5}}, []place{{0, 6, 80}, {0, 6, 95.5}}},
		"topography":                  {[]place{{120, 9, 110}, {100, 0, 90}}, []place{{0, 9, 10}, {0, 20, 30}}},
		"receivers in a hole":         {[]place{{300, 0, 290}, {300, 0, -700}}, []place{{0, 0, 10}, {0, 0, 1000}}},
		"a valley between the shots":  {[]place{{10, 2, 0}, {5, 0, 0.5}}, []place{{0, 2, 10}, {0, 5, 9.5}}},
		"shots below, nobody on land": {[]place{{-3, 1, 0}, {-5, 1, 0}}, []place{{0, 4, 0}, {0, 6, 0}}},
	} {
		s, err := survey(c.places...)
		require.NoError(t, err, name)
		for i, w := range c.want {
			require.InDelta(t, w.source, s.Shots[i].Depth, 1e-9, name)
			require.InDelta(t, w.receiver, s.Shots[i].Traces[0].Depth, 1e-9, name)
		}
	}
	const want = ", want elevations of receivers (bytes 41 to 44) and of the surface at sources (45 to 48) from one datum, negative below it"
	_, err := survey(place{0, 6, 8}, place{0, 6, 7})
	require.EqualError(t, err, "segy: x.sgy: receivers stand at elevations up to 8 m, and the surface at all sources lies at 0"+want)
	_, err = survey(place{120, 9, 0}, place{100, 9, 0})
	require.EqualError(t, err, "segy: x.sgy: the surface at sources lies at elevations up to 120 m, and all receivers stand at 0"+want)
}

// A line that runs obliquely to the axes is measured along itself.
func TestSurveyOfAnObliqueLine(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, Float32, 2, 0.001)
	require.NoError(t, err)
	for i := range 5 {
		d := float64(10 * i)
		require.NoError(t, w.Append(Header{Record: 1, ReceiverX: -0.6 * d, ReceiverY: 0.8 * d}, []float32{1, 2}))
	}
	f, err := open(b.Bytes())
	require.NoError(t, err)
	s, err := f.Survey()
	require.NoError(t, err)
	require.InDelta(t, 40, s.Length, 1e-9)
	require.InDelta(t, 20, s.Shots[0].Traces[2].X, 1e-9)
}

func TestBadFiles(t *testing.T) {
	good := line(t, Float32, 2, 3, 5)
	edit := func(at int, bytes ...byte) []byte {
		raw := append([]byte(nil), good...)
		copy(raw[at:], bytes)
		return raw
	}
	zero := edit(3220, 0, 0)
	copy(zero[3600+114:], []byte{0, 0})
	for want, raw := range map[string][]byte{
		"segy: x.sgy: 100 bytes, want at least 3600 (textual and binary header)":                                                                              good[:100],
		"segy: x.sgy: 1550 bytes after the headers are 5.96 traces of 5 samples (float32), want a whole number: truncated, or traces of different lengths":    good[:len(good)-10],
		"segy: x.sgy: 0 bytes after the headers are 0.00 traces of 5 samples (float32), want a whole number: truncated, or traces of different lengths":       good[:3600],
		"segy: x.sgy: format code of the samples is 9, want 1 (IBM float), 2 (int32), 3 (int16), 5 (float32), 6 (float64), 8 (int8), 10, 11 or 16 (unsigned)": edit(3224, 0, 9),
		"segy: x.sgy: the headers give traces of 0 samples, want at least 1":                                                                                  zero,
		"segy: x.sgy: the binary header gives a sampling interval of 0, want a positive one":                                                                  edit(3216, 0, 0),
		"segy: x.sgy: it ends in extended textual header 1":                                                                                                   edit(3504, 0, 9),
		"segy: x.sgy: -7 extended textual headers, want 0 or more, or -1 for a marked end":                                                                    edit(3504, 0xff, 0xf9),
	} {
		_, err := open(raw)
		require.EqualError(t, err, want)
	}
	for want, raw := range map[string][]byte{
		"segy: x.sgy: trace 1: its header gives 6 samples and that of trace 0 5, want traces of one length":                                   edit(3600+260+114, 0, 6),
		"segy: x.sgy: trace 0: coordinates are angles, want lengths":                                                                          edit(3600+88, 0, 2),
		"segy: x.sgy: trace 1 begins 0.008 s after its shot and trace 0 0 s, want the same for all":                                           edit(3600+260+108, 0, 8),
		"segy: x.sgy: trace 0 lies 4.851 off the line of the others, which is 20.62 long; want a line at most a hundredth of its length wide": edit(3600+76, 0, 0, 0xc5, 0x44),
	} {
		f, err := open(raw)
		require.NoError(t, err)
		_, err = f.Survey()
		require.EqualError(t, err, want)
	}
	f, err := open(edit(3600+240, 0x7f, 0xc0, 0, 0))
	require.NoError(t, err)
	_, err = f.Read(0, make([]float32, 5))
	require.EqualError(t, err, "segy: x.sgy: trace 0: sample 0 is NaN, want a finite number")
	_, err = f.Read(6, make([]float32, 5))
	require.EqualError(t, err, "segy: x.sgy: trace 6, want 0 to 5")
	_, err = Open(t.TempDir())
	require.ErrorContains(t, err, "is a folder, want a file")
	_, err = Open(filepath.Join(t.TempDir(), "none.sgy"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFilesWithoutGeometry(t *testing.T) {
	for want, h := range map[string][2]Header{
		"no trace header gives a position of source or receiver":                {},
		"no trace header gives the position of a receiver (a stacked section?)": {{SourceX: 10}, {SourceX: 20}},
		"every trace has its receiver at the source (a stacked section?)":       {{SourceX: 10, ReceiverX: 10}, {SourceX: 20, ReceiverX: 20}},
	} {
		var b bytes.Buffer
		w, err := NewWriter(&b, Int16, 3, 0.004)
		require.NoError(t, err)
		for _, header := range h {
			require.NoError(t, w.Append(header, []float32{1, 2, 3}))
		}
		f, err := open(b.Bytes())
		require.NoError(t, err)
		_, err = f.Survey()
		require.EqualError(t, err, "segy: x.sgy: "+want+", want pre-stack traces with the positions of source and receiver in bytes 73 to 88 of their headers")
	}
}

func TestBadWriters(t *testing.T) {
	_, err := NewWriter(&bytes.Buffer{}, Float64, 3, 0.001)
	require.EqualError(t, err, "segy: cannot write float64, want IBM float, int32, int16, float32 or int8")
	_, err = NewWriter(&bytes.Buffer{}, IBM, 70000, 0.001)
	require.EqualError(t, err, "segy: 70000 samples in a trace, want 1 to 65535")
	_, err = NewWriter(&bytes.Buffer{}, IBM, 3, 1)
	require.EqualError(t, err, "segy: interval of 1 s, want 1 to 65535 microseconds")
	w, err := NewWriter(&bytes.Buffer{}, IBM, 3, 0.001)
	require.NoError(t, err)
	require.EqualError(t, w.Append(Header{}, make([]float32, 2)), "segy: trace of 2 samples, want 3")
}

// A real post-stack file of IBM-era text and int16 samples: its headers are read, its geometry is refused.
func TestStackedSection(t *testing.T) {
	f, err := Open(testdata.Shared(t, "data", "segy", "f3.sgy"))
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, []any{Int16, 75, 414, 0.004}, []any{f.Format, f.Samples, f.Traces, f.Interval})
	dst := make([]float32, 75)
	h, err := f.Read(413, dst)
	require.NoError(t, err)
	require.NotZero(t, h.SourceX)
	_, err = f.Survey()
	require.ErrorContains(t, err, "no trace header gives the position of a receiver (a stacked section?)")
}

// Any bytes either give an error or a file whose traces can be read.
func FuzzFile(f *testing.F) {
	good := line(f, IBM, 2, 3, 4)
	f.Add(good)
	f.Add(good[:3700])
	f.Add(good[:3600])
	little := append([]byte(nil), good...)
	little[3224], little[3225] = 1, 0
	f.Add(little)
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := open(raw)
		if err != nil {
			return
		}
		dst := make([]float32, file.Samples)
		for i := range min(file.Traces, 10) {
			_, _ = file.Read(i, dst)
		}
		if s, err := file.Survey(); err == nil {
			require.NotEmpty(t, s.Shots)
			require.Positive(t, s.Length)
		}
	})
}
