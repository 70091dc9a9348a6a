package segy

import "encoding/binary"

// Header is what the header of a trace says, with its scalers applied: lengths in metres, also of files in feet.
type Header struct {
	Record            int     // the shot, by the number of the field record
	Dead              bool    // marked as dead
	SourceX, SourceY  float64 // where the source stood
	ReceiverX         float64
	ReceiverY         float64
	SourceDepth       float64 // of the source below the surface where it stood
	SurfaceElevation  float64 // of that surface above the datum
	ReceiverElevation float64 // above the datum
	Delay             float64 // seconds from the shot to the first sample
	Angular           bool    // coordinates are angles, not lengths
}

// Codes of a trace header.
const (
	deadTrace = 2 // of its identification
	lengths   = 1 // of its coordinate units
)

// Header reads the header of trace i.
func (f *File) Header(i int) (Header, error) {
	if i < 0 || i >= f.Traces {
		return Header{}, f.fail("trace %d, want 0 to %d", i, f.Traces-1)
	}
	var b [traceHeaderSize]byte
	if err := f.readAt(b[:], f.offset(i)); err != nil {
		return Header{}, err
	}
	long := func(at int) float64 { return float64(int32(f.order.Uint32(b[at-1:]))) }
	short := func(at int) int { return int(int16(f.order.Uint16(b[at-1:]))) }
	if n := int(f.order.Uint16(b[114:])); n != f.first {
		return Header{}, f.fail("trace %d: its header gives %d samples and that of trace 0 %d, want traces of one length", i, n, f.first)
	}
	angular := short(89) > lengths
	place, height := scale(short(71)), scale(short(69))*f.unit
	if !angular {
		place *= f.unit
	}
	return Header{
		Record:            int(long(9)),
		Dead:              short(29) == deadTrace,
		SourceX:           long(73) * place,
		SourceY:           long(77) * place,
		ReceiverX:         long(81) * place,
		ReceiverY:         long(85) * place,
		ReceiverElevation: long(41) * height,
		SurfaceElevation:  long(45) * height,
		SourceDepth:       long(49) * height,
		Delay:             float64(short(109)) * 1e-3,
		Angular:           angular,
	}, nil
}

// scale returns the factor that a scaler stands for.
func scale(m int) float64 {
	switch {
	case m > 0:
		return float64(m)
	case m < 0:
		return 1 / float64(-m)
	}
	return 1
}

// put writes a header with positions in hundredths.
func (h *Header) put(b []byte, number, samples int, interval float64) {
	clear(b)
	long := func(at int, v float64) { binary.BigEndian.PutUint32(b[at-1:], uint32(int32(v))) }
	short := func(at, v int) { binary.BigEndian.PutUint16(b[at-1:], uint16(v)) }
	const per = 100
	long(1, float64(number))
	long(5, float64(number))
	long(9, float64(h.Record))
	short(29, 1)
	if h.Dead {
		short(29, deadTrace)
	}
	long(41, round(h.ReceiverElevation*per))
	long(45, round(h.SurfaceElevation*per))
	long(49, round(h.SourceDepth*per))
	short(69, -per)
	short(71, -per)
	long(73, round(h.SourceX*per))
	long(77, round(h.SourceY*per))
	long(81, round(h.ReceiverX*per))
	long(85, round(h.ReceiverY*per))
	short(89, lengths)
	short(109, int(round(h.Delay*1e3)))
	short(115, samples&0xffff)
	short(117, int(round(interval*1e6)))
}
