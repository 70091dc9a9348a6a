package segy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Survey is the geometry of a file recorded along a line.
type Survey struct {
	Shots []Shot // in the order of their first traces
	Delay float64
	// Length is the distance along the line from the first to the last position of a source or receiver; positions count from
	// the first.
	Length float64
}

// Shot is a source and the traces recorded from it.
type Shot struct {
	Record int
	X      float64 // along the line
	Depth  float64 // below the top of the survey
	Traces []Place
}

// Place is a trace and its receiver.
type Place struct {
	Trace int     // its number in the file
	X     float64 // along the line
	Depth float64 // below the top of the survey
	Dead  bool
}

// Survey reads the headers of all traces and puts them together to shots, those of one source position and record. The line is the
// one through the two positions that are farthest apart along the axis of the greater extent. Depths count from the top of the
// survey, the highest elevation of a receiver or of the surface at a source: sea level where receivers are towed or lie on the
// bottom. It fails where headers do not tell sources from receivers, as after stacking, where elevations have no common datum, and
// where positions lie off the line by more than a hundredth of its length.
func (f *File) Survey() (*Survey, error) {
	headers := make([]Header, f.Traces)
	for i := range headers {
		h, err := f.Header(i)
		if err != nil {
			return nil, err
		}
		if h.Angular {
			return nil, f.fail("trace %d: coordinates are angles, want lengths", i)
		}
		if h.Delay != headers[0].Delay && i > 0 {
			return nil, f.fail("trace %d begins %v s after its shot and trace 0 %v s, want the same for all", i, h.Delay, headers[0].Delay)
		}
		headers[i] = h
	}
	if err := f.checkPrestack(headers); err != nil {
		return nil, err
	}
	top, err := f.top(headers)
	if err != nil {
		return nil, err
	}
	along, length, err := f.line(headers)
	if err != nil {
		return nil, err
	}
	s := &Survey{Delay: headers[0].Delay, Length: length}
	type source struct {
		record      int
		x, y, depth float64
	}
	at := map[source]int{}
	for i, h := range headers {
		key := source{h.Record, h.SourceX, h.SourceY, top - h.SurfaceElevation + h.SourceDepth}
		k, ok := at[key]
		if !ok {
			k = len(s.Shots)
			at[key] = k
			s.Shots = append(s.Shots, Shot{Record: h.Record, X: along(h.SourceX, h.SourceY), Depth: key.depth})
		}
		s.Shots[k].Traces = append(s.Shots[k].Traces, Place{Trace: i, X: along(h.ReceiverX, h.ReceiverY), Depth: top - h.ReceiverElevation, Dead: h.Dead})
	}
	return s, nil
}

// top returns the highest elevation. Where one kind of elevation is zero throughout and the other rises above it, somebody may have
// stood at sea level, but far more often did not fill it in, or wrote depths without the sign.
func (f *File) top(headers []Header) (float64, error) {
	receiver, surface := headers[0].ReceiverElevation, headers[0].SurfaceElevation
	receiversAtZero, surfaceAtZero := true, true
	for _, h := range headers {
		receiver, surface = max(receiver, h.ReceiverElevation), max(surface, h.SurfaceElevation)
		receiversAtZero = receiversAtZero && h.ReceiverElevation == 0
		surfaceAtZero = surfaceAtZero && h.SurfaceElevation == 0
	}
	const want = "want elevations of receivers (bytes 41 to 44) and of the surface at sources (45 to 48) from one datum, negative below it"
	switch {
	case surfaceAtZero && receiver > 0:
		return 0, f.fail("receivers stand at elevations up to %s m, and the surface at all sources lies at 0, %s", metres(receiver), want)
	case receiversAtZero && surface > 0:
		return 0, f.fail("the surface at sources lies at elevations up to %s m, and all receivers stand at 0, %s", metres(surface), want)
	}
	return max(receiver, surface), nil
}

// checkPrestack refuses headers without the positions of shots and receivers.
func (f *File) checkPrestack(headers []Header) error {
	var sources, receivers, apart bool
	for _, h := range headers {
		sources = sources || h.SourceX != 0 || h.SourceY != 0
		receivers = receivers || h.ReceiverX != 0 || h.ReceiverY != 0
		apart = apart || h.SourceX != h.ReceiverX || h.SourceY != h.ReceiverY
	}
	const want = "want pre-stack traces with the positions of source and receiver in bytes 73 to 88 of their headers"
	switch {
	case !sources && !receivers:
		return f.fail("no trace header gives a position of source or receiver, %s", want)
	case !receivers && len(distinct(headers)) > 1:
		return f.fail("no trace header gives the position of a receiver (a stacked section?), %s", want)
	case !apart:
		return f.fail("every trace has its receiver at the source (a stacked section?), %s", want)
	}
	return nil
}

// distinct returns the positions of the sources.
func distinct(headers []Header) [][2]float64 {
	var all [][2]float64
	for _, h := range headers {
		all = append(all, [2]float64{h.SourceX, h.SourceY})
	}
	slices.SortFunc(all, func(a, b [2]float64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return slices.Compact(all)
}

// line returns the function that gives positions along the line, and its length.
func (f *File) line(headers []Header) (func(x, y float64) float64, float64, error) {
	var points [][2]float64
	for _, h := range headers {
		points = append(points, [2]float64{h.SourceX, h.SourceY}, [2]float64{h.ReceiverX, h.ReceiverY})
	}
	ends := func(axis int) (lo, hi [2]float64) {
		lo, hi = points[0], points[0]
		for _, p := range points {
			if p[axis] < lo[axis] {
				lo = p
			}
			if p[axis] > hi[axis] {
				hi = p
			}
		}
		return lo, hi
	}
	a, b := ends(0)
	if c, d := ends(1); d[1]-c[1] > b[0]-a[0] {
		a, b = c, d
	}
	length := math.Hypot(b[0]-a[0], b[1]-a[1])
	if length == 0 {
		return nil, 0, f.fail("all sources and receivers stand at one place, want a line")
	}
	ux, uy := (b[0]-a[0])/length, (b[1]-a[1])/length
	for i, p := range points {
		if off := math.Abs((p[1]-a[1])*ux - (p[0]-a[0])*uy); off > length/100 {
			return nil, 0, f.fail("trace %d lies %s off the line of the others, which is %s long; want a line at most a hundredth of its length wide", i/2, metres(off), metres(length))
		}
	}
	return func(x, y float64) float64 { return (x-a[0])*ux + (y-a[1])*uy }, length, nil
}

func metres(v float64) string { return fmt.Sprintf("%.4g", v) }
