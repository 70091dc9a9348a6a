package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spamoe/spamoe/internal/atomicfile"
)

// Write replaces the file at path with these tensors and strings. The file appears whole or not at all; the same content gives
// the same bytes.
func Write(path string, tensors map[string]Tensor, metadata map[string]string) error {
	order, err := layout(tensors, metadata)
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error { return write(w, order, tensors, metadata) })
}

// WriteTo writes the tensors and strings as a safetensors file to w.
func WriteTo(w io.Writer, tensors map[string]Tensor, metadata map[string]string) error {
	order, err := layout(tensors, metadata)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return write(w, order, tensors, metadata)
}

// layout checks the content and gives the order of the tensors: large elements first, so that all are aligned, then by name.
func layout(tensors map[string]Tensor, metadata map[string]string) ([]string, error) {
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("metadata %q is not valid UTF-8", key)
		}
	}
	for name, t := range tensors {
		if name == metadataKey || !utf8.ValidString(name) {
			return nil, fmt.Errorf("%q is no name for a tensor", name)
		}
		if strings.Contains(name, ",") && strings.Contains(","+metadata[ComplexKey]+",", ","+name+",") {
			return nil, fmt.Errorf("%q is no name for a complex tensor: commas separate the names of %q in the metadata", name, ComplexKey)
		}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return slices.SortedFunc(maps.Keys(tensors), func(a, b string) int {
		return cmp.Or(cmp.Compare(tensors[b].DType.Size(), tensors[a].DType.Size()), cmp.Compare(a, b))
	}), nil
}

func write(w io.Writer, order []string, tensors map[string]Tensor, metadata map[string]string) error {
	header := []byte("{")
	if len(metadata) > 0 {
		header = append(header, `"`+metadataKey+`":{`...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				header = append(header, ',')
			}
			header = appendString(header, key)
			header = append(header, ':')
			header = appendString(header, metadata[key])
		}
		header = append(header, '}')
	}
	at := 0
	for _, name := range order {
		t := tensors[name]
		if len(header) > 1 {
			header = append(header, ',')
		}
		header = appendString(header, name)
		header = append(header, `:{"dtype":"`+string(t.DType)+`","shape":[`...)
		for i, n := range t.Shape {
			if i > 0 {
				header = append(header, ',')
			}
			header = strconv.AppendInt(header, int64(n), 10)
		}
		header = fmt.Appendf(header, `],"data_offsets":[%d,%d]}`, at, at+len(t.Data))
		at += len(t.Data)
	}
	header = append(header, '}')
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	if len(header) > maxHeader {
		return fmt.Errorf("checkpoint: header of %d bytes, the format allows %d", len(header), maxHeader)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, name := range order {
		if _, err := w.Write(tensors[name].Data); err != nil {
			return err
		}
	}
	return nil
}

// appendString appends s, which is valid UTF-8, in JSON.
func appendString(b []byte, s string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always has a JSON form
	}
	return append(b, bytes.TrimRight(out.Bytes(), "\n")...)
}
