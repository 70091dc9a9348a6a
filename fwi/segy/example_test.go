package segy_test

import (
	"bytes"
	"fmt"

	"github.com/spamoe/spamoe/fwi/segy"
)

// Two shots into three receivers, written and read back.
func ExampleFile_Survey() {
	var b bytes.Buffer
	w, err := segy.NewWriter(&b, segy.IBM, 4, 0.002)
	if err != nil {
		fmt.Println(err)
		return
	}
	for shot := range 2 {
		for receiver := range 3 {
			h := segy.Header{Record: shot + 1, SourceX: float64(50 * shot), ReceiverX: float64(25 * receiver)}
			if err := w.Append(h, []float32{0, 1, 0, -1}); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	f, err := segy.New(bytes.NewReader(b.Bytes()), int64(b.Len()), "line.sgy")
	if err != nil {
		fmt.Println(err)
		return
	}
	survey, err := f.Survey()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Traces, "traces of", f.Samples, "samples,", f.Interval, "s apart,", f.Format)
	for _, s := range survey.Shots {
		fmt.Println("shot at", s.X, "m,", len(s.Traces), "traces, the last at", s.Traces[2].X, "m")
	}
	// Output:
	// 6 traces of 4 samples, 0.002 s apart, IBM float
	// shot at 0 m, 3 traces, the last at 50 m
	// shot at 50 m, 3 traces, the last at 50 m
}
