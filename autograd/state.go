package autograd

import (
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Entry is one named tensor of a model's state: a parameter or a buffer. The other one is nil.
type Entry struct {
	Name   string
	Param  *Param
	Buffer *Buffer
	// Tied is the name under which the same tensor came before, or empty.
	Tied string
}

// State lists the parameters and buffers that are reachable from model through exported fields, in the order of the fields.
// Structs, pointers, interfaces, slices, arrays and maps with string keys (sorted) are followed. A field's part of the name is
// its tag `param:"name"`, which may contain dots, or else its Go name in snake case; elements of slices are numbered. Embedded
// structs without a tag add nothing to the name. A tag of "-" hides a field. With PyTorch's names as tags the result is the
// model's state_dict. A tensor that several names reach is listed under each of them. Unexported fields are not looked into: what is
// behind them is neither listed nor trained nor saved.
func State(model any) []Entry {
	w := walker{seen: map[any]string{}}
	w.walk("", reflect.ValueOf(model))
	return w.out
}

// Params lists the parameters of a model with their names, each once. See State.
func Params(model any) iter.Seq2[string, *Param] {
	return func(yield func(string, *Param) bool) {
		for _, e := range State(model) {
			if e.Param != nil && e.Tied == "" && !yield(e.Name, e.Param) {
				return
			}
		}
	}
}

// Buffers lists the buffers of a model with their names, each once. See State.
func Buffers(model any) iter.Seq2[string, *Buffer] {
	return func(yield func(string, *Buffer) bool) {
		for _, e := range State(model) {
			if e.Buffer != nil && e.Tied == "" && !yield(e.Name, e.Buffer) {
				return
			}
		}
	}
}

// CountParams returns the number of trainable and frozen floats of a model; a complex number counts twice.
func CountParams(model any) int {
	n := 0
	for _, p := range Params(model) {
		n += p.Len()
	}
	return n
}

type walker struct {
	out  []Entry
	seen map[any]string // parameters and buffers, by pointer
	path []any          // pointers on the way down, against cycles
}

func (w *walker) walk(name string, v reflect.Value) {
	if !v.IsValid() || !v.CanInterface() {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		w.walk(name, v.Elem())
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch p := v.Interface().(type) {
		case *Param:
			if p.Tensor != nil {
				w.add(Entry{Name: name, Param: p}, p)
			}
			return
		case *Buffer:
			w.add(Entry{Name: name, Buffer: p}, p)
			return
		}
		if slices.Contains(w.path, v.Interface()) {
			return
		}
		w.path = append(w.path, v.Interface())
		w.walk(name, v.Elem())
		w.path = w.path[:len(w.path)-1]
	case reflect.Struct:
		w.fields(name, v)
	case reflect.Slice, reflect.Array:
		if !holdsState(v.Type().Elem()) {
			return
		}
		for i := range v.Len() {
			w.walk(join(name, strconv.Itoa(i)), v.Index(i))
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String || !holdsState(v.Type().Elem()) {
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			w.walk(join(name, k.String()), v.MapIndex(k))
		}
	}
}

func (w *walker) fields(name string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag := f.Tag.Get("param")
		part := tag
		if tag == "" && !f.Anonymous {
			part = snake(f.Name)
		}
		switch {
		case tag == "-" || !holdsState(f.Type):
		case f.Type == reflect.TypeFor[Param]() || f.Type == reflect.TypeFor[Buffer]():
			panic("autograd: State: " + join(name, part) + " is a " + f.Type.Name() + " itself; models hold pointers to them")
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			w.fields(name, v.Field(i)) // exported fields of an unexported struct count, as in encoding/json
		case f.IsExported():
			w.walk(join(name, part), v.Field(i))
		}
	}
}

func (w *walker) add(e Entry, key any) {
	if first, ok := w.seen[key]; ok {
		e.Tied = first
	} else {
		w.seen[key] = e.Name
	}
	w.out = append(w.out, e)
}

// holdsState reports whether a value of this type can lead to a parameter. Containers nested deeper than any model's, which
// includes types that contain themselves without a struct between, cannot.
func holdsState(t reflect.Type) bool {
	for range 8 {
		switch t.Kind() {
		case reflect.Struct, reflect.Interface:
			return true
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			t = t.Elem()
		default:
			return false
		}
	}
	return false
}

func join(prefix, name string) string {
	if prefix == "" || name == "" {
		return prefix + name
	}
	return prefix + "." + name
}

// snake turns a Go name into snake case: NormW is norm_w, FCs is fcs.
func snake(s string) string {
	var b strings.Builder
	r := []rune(s)
	for i, c := range r {
		if unicode.IsUpper(c) && i > 0 && unicode.IsLower(r[i-1]) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
