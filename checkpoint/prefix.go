package checkpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Trim returns the file with leading prefixes taken off every tensor's name, as often as they come: "module." is what PyTorch's data
// parallel training puts there. Two tensors of the same short name are an error.
func (f *File) Trim(prefixes ...string) (*File, error) {
	trim := func(name string) string {
		for {
			short := name
			for _, p := range prefixes {
				short = strings.TrimPrefix(short, p)
			}
			if short == name {
				return name
			}
			name = short
		}
	}
	g := &File{Metadata: renamedComplex(f.Metadata, trim), name: f.name, tensors: map[string]Tensor{}}
	for _, name := range f.Names() {
		short := trim(name)
		if _, twice := g.tensors[short]; twice || short == "" {
			return nil, fmt.Errorf("checkpoint: %s: without prefixes, tensor %q would be called %q, as another or none is", f.name, name, short)
		}
		g.tensors[short] = f.tensors[name]
	}
	return g, nil
}

// complexNames returns the names that metadata[ComplexKey] lists.
func complexNames(metadata map[string]string) []string {
	return strings.FieldsFunc(metadata[ComplexKey], func(r rune) bool { return r == ',' })
}

// renamedComplex returns metadata with other names for the complex tensors; an empty name leaves one out.
func renamedComplex(metadata map[string]string, rename func(string) string) map[string]string {
	if metadata[ComplexKey] == "" {
		return metadata
	}
	var names []string
	for _, name := range complexNames(metadata) {
		if name = rename(name); name != "" {
			names = append(names, name)
		}
	}
	metadata = maps.Clone(metadata)
	delete(metadata, ComplexKey)
	if len(names) > 0 {
		metadata[ComplexKey] = strings.Join(names, ",")
	}
	return metadata
}

// RealTensors returns the tensors and metadata of f with each C64 tensor as F32 with a last axis of 2, listed under ComplexKey, which is how
// SaveModel writes complex tensors: for readers that know no complex type.
func (f *File) RealTensors() (map[string]Tensor, map[string]string) {
	tensors, metadata := maps.Clone(f.tensors), maps.Clone(f.Metadata)
	var names []string
	if old := metadata[ComplexKey]; old != "" {
		names = strings.Split(old, ",")
	}
	for _, name := range f.Names() {
		if t := tensors[name]; t.DType == C64 {
			tensors[name] = Tensor{DType: F32, Shape: append(slices.Clone(t.Shape), 2), Data: t.Data}
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		metadata[ComplexKey] = strings.Join(names, ",")
	}
	return tensors, metadata
}

// Tensors returns the tensors by name, in a map of the caller's own; their data are the file's.
func (f *File) Tensors() map[string]Tensor { return maps.Clone(f.tensors) }
