package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/npy"
)

const inspectHelp = `
Prints what a model file holds: its kind, its configuration, other texts, a line per tensor with shape, type and size, and the
total. MODEL is a run folder, a .safetensors file or a PyTorch file (.pt, .pth); without it the last run. No code in a
PyTorch file is run; what is no tensor, number or text is passed over. A complex number counts as two.

Of a PyTorch checkpoint it shows the state_dict (at the top, or under state_dict, model_state_dict, model or net), which is
what the other commands read of it; -all shows every tensor, such as an optimiser's, under the keys that lead to it.`

// inspection is what inspect prints as JSON.
type inspection struct {
	File     string            `json:"file"`
	Kind     string            `json:"kind,omitempty"`
	Config   json.RawMessage   `json:"config,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Tensors  []tensorLine      `json:"tensors"`
	Numbers  int               `json:"numbers"`
	Bytes    int               `json:"bytes"`

	total string
}

// tensorLine describes a tensor as its file has it.
type tensorLine struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	// Complex says that the numbers are complex: of type C64, or real ones with a last axis of 2.
	Complex bool `json:"complex,omitempty"`
	Numbers int  `json:"numbers"`
}

func inspect(_ context.Context, env *environment, args []string) error {
	f := newFlags("inspect", "[MODEL]", inspectHelp)
	asJSON := f.Bool("json", false, "print JSON")
	all := f.Bool("all", false, "show all tensors of a PyTorch checkpoint")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if f.NArg() > 1 {
		return misuse("%d arguments; wanted one model, after the flags", f.NArg())
	}
	path, err := modelPath(f.Arg(0))
	if err != nil {
		return err
	}
	read := checkpoint.Read
	if *all {
		read = checkpoint.ReadAll
	}
	file, err := read(path)
	if err != nil {
		return err
	}
	i := newInspection(file)
	if *asJSON {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(i); err != nil {
			return err
		}
		_, err = env.stdout.Write(printableJSON(b.Bytes()))
		return err
	}
	_, err = env.stdout.Write(i.text())
	return err
}

func newInspection(file *checkpoint.File) *inspection {
	i := &inspection{File: file.Name(), Kind: file.Kind(), Metadata: maps.Clone(file.Metadata), total: total(file.Tensors())}
	if config := i.Metadata[checkpoint.ConfigKey]; json.Valid([]byte(config)) {
		i.Config = json.RawMessage(config)
		delete(i.Metadata, checkpoint.ConfigKey)
	}
	complexNames := strings.FieldsFunc(i.Metadata[checkpoint.ComplexKey], func(r rune) bool { return r == ',' })
	delete(i.Metadata, checkpoint.KindKey)
	delete(i.Metadata, checkpoint.ComplexKey)
	for _, name := range file.Names() {
		t, _ := file.Tensor(name)
		line := tensorLine{Name: name, DType: string(t.DType), Shape: append([]int{}, t.Shape...), Numbers: countNumbers(t)}
		line.Complex = t.DType == checkpoint.C64 || slices.Contains(complexNames, name)
		i.Tensors = append(i.Tensors, line)
		i.Numbers += line.Numbers
		i.Bytes += len(t.Data)
	}
	return i
}

// text lays the inspection out for reading. Names and texts from the file are quoted, or escaped in JSON, where they hold what a terminal
// might obey.
func (i *inspection) text() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, i.File)
	if i.Kind != "" {
		fmt.Fprintf(&b, "kind: %s\n", printable(i.Kind))
	}
	if i.Config != nil {
		var config bytes.Buffer
		json.Indent(&config, i.Config, "", "  ") // it is valid
		fmt.Fprintf(&b, "config: %s\n", printableJSON(config.Bytes()))
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		fmt.Fprintf(&b, "%s: %s\n", printable(key), printable(i.Metadata[key]))
	}
	wide, shapes := len("tensor"), len("shape")
	for _, t := range i.Tensors {
		wide, shapes = max(wide, len(printable(t.Name))), max(shapes, len(npy.FormatShape(t.Shape)))
	}
	fmt.Fprintf(&b, "\n%-*s  %*s  %-11s  %12s\n", wide, "tensor", shapes, "shape", "type", "numbers")
	for _, t := range i.Tensors {
		kind := t.DType
		if t.Complex && kind != string(checkpoint.C64) {
			kind += " complex"
		}
		fmt.Fprintf(&b, "%-*s  %*s  %-11s  %12s\n", wide, printable(t.Name), shapes, npy.FormatShape(t.Shape), kind, thousands(t.Numbers))
	}
	fmt.Fprintf(&b, "\n%s\n", i.total)
	return b.Bytes()
}

// printable returns s as it is, or quoted where it has characters that do not print.
func printable(s string) string {
	if q := fmt.Sprintf("%q", s); q != `"`+s+`"` {
		return q
	}
	return s
}

// printableJSON returns indented JSON with escapes for the characters that do not print, which are in its strings: JSON itself asks for
// them below U+0020 only.
func printableJSON(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		if r == '\n' || strconv.IsPrint(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

// modelPath returns the file of a model that is named by a run folder or by itself; an empty path means the last run.
func modelPath(path string) (string, error) {
	if path == "" {
		var err error
		if path, err = lastRun(); err != nil {
			return "", err
		}
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, fwi.ModelFile)
	}
	return path, err
}
