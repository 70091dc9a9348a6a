// Package text collects lines of Go assembly for the generators beside it.
package text

import (
	"bytes"
	"fmt"
)

// Writer is an assembly file in the making.
type Writer struct{ bytes.Buffer }

// Raw writes what format makes of args as it stands.
func (w *Writer) Raw(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// Op writes an instruction.
func (w *Writer) Op(format string, args ...any) { fmt.Fprintf(w, "\t"+format+"\n", args...) }

// Label writes a label.
func (w *Writer) Label(format string, args ...any) { fmt.Fprintf(w, format+":\n", args...) }
