package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/autograd"
)

// Keys of the metadata of a model file.
const (
	KindKey    = "spamoe.model"          // the kind of the model
	ConfigKey  = "spamoe.config"         // its configuration, as JSON
	ComplexKey = "complex_as_trailing_2" // the names of the complex tensors, joined by commas
)

// ExtraPrefix begins the names of tensors that are no part of the model.
const ExtraPrefix = "extra:"

// Info is what a model file tells beside the model's own tensors. Every field may be empty.
type Info struct {
	Kind     string            // names the kind of model, for whoever rebuilds it
	Config   any               // is stored as JSON
	Metadata map[string]string // further strings
	Extra    map[string]Tensor // further tensors, such as the state of an optimiser
}

// SaveModel replaces the file at path with the parameters and buffers of model, by the names that autograd.State gives them, and
// info. A tensor with several names is stored under each. A model without any is an error.
func SaveModel(path string, model any, info Info) error {
	tensors, metadata, err := collect(model, info)
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	return Write(path, tensors, metadata)
}

func collect(model any, info Info) (map[string]Tensor, map[string]string, error) {
	state, err := stateOf(model)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata := map[string]Tensor{}, map[string]string{}
	maps.Copy(metadata, info.Metadata)
	if info.Kind != "" {
		metadata[KindKey] = info.Kind
	}
	if info.Config != nil {
		b, err := json.Marshal(info.Config)
		if err != nil {
			return nil, nil, fmt.Errorf("configuration: %w", err)
		}
		metadata[ConfigKey] = string(b)
	}
	var complexNames []string
	for _, e := range state {
		if _, ok := tensors[e.Name]; ok {
			return nil, nil, fmt.Errorf("the model has two tensors of the name %q", e.Name)
		}
		if strings.HasPrefix(e.Name, ExtraPrefix) {
			return nil, nil, fmt.Errorf("the model has a tensor of the name %q, but %q begins the names of others", e.Name, ExtraPrefix)
		}
		switch {
		case e.Param != nil:
			tensors[e.Name] = FromFloat32(e.Param.Data, e.Param.Shape...)
			if e.Param.Complex {
				complexNames = append(complexNames, e.Name)
			}
		case e.Buffer.Ints != nil:
			tensors[e.Name] = FromInt64(e.Buffer.Ints, e.Buffer.Shape...)
		default:
			tensors[e.Name] = FromFloat32(e.Buffer.Data, e.Buffer.Shape...)
		}
	}
	if len(complexNames) > 0 {
		metadata[ComplexKey] = strings.Join(complexNames, ",")
	}
	for name, t := range info.Extra {
		tensors[ExtraPrefix+name] = t
	}
	return tensors, metadata, nil
}

// stateOf is autograd.State of a model that has one: a model that hides it behind unexported fields would seem saved and loaded.
func stateOf(model any) ([]autograd.Entry, error) {
	state := autograd.State(model)
	if len(state) == 0 {
		return nil, fmt.Errorf("a %T has no parameters or buffers behind exported fields; want at least one, see autograd.State", model)
	}
	return state, nil
}

// Kind is the kind of model that the file names, empty if it names none.
func (f *File) Kind() string { return f.Metadata[KindKey] }

// Config stores the configuration that the file carries in the value that config points to. A member that the value has no field for is
// an error, as is a file without a configuration.
func (f *File) Config(config any) error {
	text, ok := f.Metadata[ConfigKey]
	if !ok {
		return fmt.Errorf("checkpoint: %s carries no configuration (no %q in its metadata)", f.name, ConfigKey)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(config)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the end")
		}
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %s: configuration: %w", f.name, err)
	}
	return nil
}

// Extra returns the tensors that are no part of the model, by the names they had in Info.Extra.
func (f *File) Extra() map[string]Tensor {
	extra := map[string]Tensor{}
	for name, t := range f.tensors {
		if name, ok := strings.CutPrefix(name, ExtraPrefix); ok {
			extra[name] = t
		}
	}
	return extra
}

// Sub is the part of the file whose names begin with prefix, without it: of a training run's file, Sub("model.") is the model.
// The metadata are shared, save for the names of complex tensors.
func (f *File) Sub(prefix string) *File {
	cut := func(name string) string {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			return short
		}
		return ""
	}
	sub := &File{Metadata: renamedComplex(f.Metadata, cut), name: f.name, tensors: map[string]Tensor{}}
	for name, t := range f.tensors {
		if name, ok := strings.CutPrefix(name, prefix); ok {
			sub.tensors[name] = t
		}
	}
	return sub
}

// LoadParams copies the tensors of f into the parameters and buffers of model. It is strict: unless f has each name of the model,
// and none beside them and the extra ones, all of the right shape and kind, the model stays as it was and one error lists every
// name that is missing, unexpected, or of another shape or kind.
//
// Parameters take any floating-point type, complex ones also C64 without the last axis; counters take integers. Of a tensor
// with several names one is enough; several must agree. A model without parameters and buffers is an error.
func LoadParams(f *File, model any) error {
	state, err := stateOf(model)
	if err != nil {
		return fmt.Errorf("checkpoint: cannot load %s: %w", f.name, err)
	}
	m := mismatch{}
	loads := map[string]target{} // by name of the file
	groups := map[string][]string{}
	for _, e := range state {
		first := cmp.Or(e.Tied, e.Name)
		if t, ok := f.tensors[e.Name]; ok {
			groups[first] = append(groups[first], e.Name)
			to := newTarget(e)
			m.compare(e.Name, t, to)
			if _, twice := loads[e.Name]; twice {
				return fmt.Errorf("checkpoint: the model has two tensors of the name %q", e.Name)
			}
			loads[e.Name] = to
		}
	}
	for _, e := range state {
		if names := groups[cmp.Or(e.Tied, e.Name)]; len(names) == 0 {
			m.missing = append(m.missing, sized(e.Name, newTarget(e).shape))
		} else if a, b := f.tensors[names[0]], f.tensors[e.Name]; slices.Contains(names, e.Name) && !bytes.Equal(a.Data, b.Data) {
			m.differ = append(m.differ, e.Name+" and "+names[0])
		}
	}
	for _, name := range f.Names() {
		if _, ok := loads[name]; !ok && !strings.HasPrefix(name, ExtraPrefix) {
			m.unexpected = append(m.unexpected, sized(name, f.tensors[name].Shape))
		}
	}
	if text := m.String(); text != "" {
		return fmt.Errorf("checkpoint: %s does not fit the model: %s", f.name, text)
	}
	for name, to := range loads {
		if t := f.tensors[name]; to.ints != nil {
			decode(to.ints, t.DType, t.Data)
		} else {
			decode(to.floats, t.DType, t.Data)
		}
	}
	return nil
}

// sized is a name with a shape: weight (2x3), or step () for a single number.
func sized(name string, shape []int) string {
	if len(shape) == 0 {
		return name + " ()"
	}
	return name + " (" + formatShape(shape) + ")"
}

// target is where a tensor is loaded to: floats or ints.
type target struct {
	shape   []int
	floats  []float32
	ints    []int64
	complex bool
}

func newTarget(e autograd.Entry) target {
	if e.Param != nil {
		return target{shape: e.Param.Shape, floats: e.Param.Data, complex: e.Param.Complex}
	}
	return target{shape: e.Buffer.Shape, floats: e.Buffer.Data, ints: e.Buffer.Ints}
}

// mismatch collects what keeps a file from fitting a model.
type mismatch struct{ missing, unexpected, shapes, kinds, differ []string }

func (m *mismatch) compare(name string, t Tensor, to target) {
	shape := t.Shape
	if t.DType == C64 {
		shape = append(slices.Clone(shape), 2)
	}
	isComplex := t.DType == C64 && to.complex
	switch {
	case to.ints != nil && !t.DType.IsInteger():
		m.kinds = append(m.kinds, fmt.Sprintf("%s is %s, want integers", name, t.DType))
	case to.ints == nil && !t.DType.IsFloat() && !isComplex:
		m.kinds = append(m.kinds, fmt.Sprintf("%s is %s, want floating-point numbers", name, t.DType))
	case !slices.Equal(shape, to.shape):
		m.shapes = append(m.shapes, fmt.Sprintf("%s is %s, want %s", name, formatShape(shape), formatShape(to.shape)))
	}
}

func (m *mismatch) String() string {
	var parts []string
	for _, p := range []struct {
		what string
		list []string
	}{
		{"missing", m.missing}, {"unexpected", m.unexpected}, {"of another shape", m.shapes}, {"of another kind", m.kinds},
		{"tied but different", m.differ},
	} {
		if len(p.list) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(p.list), p.what, strings.Join(p.list, ", ")))
		}
	}
	return strings.Join(parts, "; ")
}
