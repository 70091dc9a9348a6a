package checkpoint

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
)

// stateKeys are the names under which training scripts put a model's state_dict into a checkpoint, the first one found counts.
var stateKeys = []string{"state_dict", "model_state_dict", "model", "net"}

const (
	maxNesting = 32   // of the containers around a tensor
	maxName    = 1024 // bytes of a tensor's name
	maxText    = 4096 // bytes of a text that becomes metadata
)

// walker goes through the value of a pickle. Each step is paid for, since a small pickle can describe a large tree, or one without end.
type walker struct {
	budget   *pickle.Budget
	found    map[string]*view
	metadata map[string]string
}

// stateDict returns the state_dict in root: root itself if it holds tensors directly, else what it holds under one of stateKeys, and so
// on. Numbers and texts that lie beside it become metadata.
func (w *walker) stateDict(root any) any {
	for range stateDepth {
		d, ok := root.(*pickle.Dict)
		if !ok || holdsTensor(d) {
			return root
		}
		inner := stateIn(d, stateDepth)
		if inner == nil {
			return root
		}
		w.note(d)
		root = inner
	}
	return root
}

// stateDepth is how many of stateKeys may lead to a state_dict, one inside the other.
const stateDepth = 3

// stateIn returns the dict under one of stateKeys in d that holds tensors or leads to such a one in the same way.
func stateIn(d *pickle.Dict, depth int) *pickle.Dict {
	for _, key := range stateKeys {
		v, _ := d.Get(key)
		if inner, ok := v.(*pickle.Dict); ok && depth > 0 && (holdsTensor(inner) || stateIn(inner, depth-1) != nil) {
			return inner
		}
	}
	return nil
}

func holdsTensor(d *pickle.Dict) bool {
	for _, p := range d.Pairs {
		if _, ok := p.Value.(*view); ok {
			return true
		}
	}
	return false
}

// note keeps the numbers and texts of a dict.
func (w *walker) note(d *pickle.Dict) {
	for _, p := range d.Pairs {
		key, ok := p.Key.(string)
		if !ok || len(key) > maxName || !utf8.ValidString(key) {
			continue
		}
		switch v := p.Value.(type) {
		case string:
			if len(v) <= maxText && utf8.ValidString(v) {
				w.metadata[key] = v
			}
		case int64, float64, bool:
			w.metadata[key] = fmt.Sprint(v)
		}
	}
}

// flatten finds the tensors in v. Their names are the keys and positions that lead to them, joined by dots.
func (w *walker) flatten(name string, v any, depth int) error {
	if err := w.budget.Spend(16 + len(name)); err != nil {
		return err
	}
	each := func(part string, v any) error {
		switch v.(type) {
		case *view, *pickle.Dict, *pickle.List, pickle.Tuple:
		default:
			return nil
		}
		dot := min(len(name), 1)
		if n := len(name) + dot + len(part); n > maxName {
			return fmt.Errorf("the name of a tensor has %d bytes, want at most %d: %.40q..", n, maxName, part)
		}
		if name != "" {
			part = name + "." + part
		}
		if depth == maxNesting {
			return fmt.Errorf("it is nested more than %d deep", maxNesting)
		}
		return w.flatten(part, v, depth+1)
	}
	switch v := v.(type) {
	case *view:
		if _, twice := w.found[name]; twice {
			return fmt.Errorf("it holds two tensors of the name %q", name)
		}
		switch {
		case depth == 0:
			return fmt.Errorf("it holds a single tensor, want a state_dict")
		case name == "":
			return fmt.Errorf("it holds a tensor without a name")
		}
		w.found[name] = v
		return w.budget.Spend(128)
	case *pickle.Dict:
		if err := w.budget.Spend(len(v.Pairs)); err != nil {
			return err
		}
		for _, p := range v.Pairs {
			part := "?" // no text and no number
			switch k := p.Key.(type) {
			case string:
				part = k
			case nil, bool, int64, float64:
				part = fmt.Sprint(k)
			}
			if err := each(part, p.Value); err != nil {
				return err
			}
		}
	case *pickle.List:
		return w.items(v.Items, each)
	case pickle.Tuple:
		return w.items(v, each)
	}
	return nil
}

func (w *walker) items(items []any, each func(string, any) error) error {
	if err := w.budget.Spend(len(items)); err != nil {
		return err
	}
	for i, v := range items {
		if err := each(strconv.Itoa(i), v); err != nil {
			return err
		}
	}
	return nil
}
