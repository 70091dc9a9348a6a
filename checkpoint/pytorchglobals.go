package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
)

// storageType is a class of storages.
type storageType struct{ dtype DType }

func (s storageType) String() string { return "a type of storages" }

// callable is a function or class whose effect is known here.
type callable struct {
	name string
	call func(t *torchReader, args pickle.Tuple) (any, error)
}

func (c *callable) String() string { return c.name }

// inert is something of no consequence to tensors, such as a device. It cannot be called.
type inert string

func (i inert) String() string { return string(i) }

// numpyType is a type of numpy's scalars: f8, i8 and so on.
type numpyType struct {
	code string
	big  bool
}

func (*numpyType) String() string { return "a numpy.dtype" }

// storageTypes are classes of torch and torch.cuda.
var storageTypes = map[string]DType{
	"HalfStorage": F16, "BFloat16Storage": BF16, "FloatStorage": F32, "DoubleStorage": F64, "CharStorage": I8, "ShortStorage": I16,
	"IntStorage": I32, "LongStorage": I64, "ByteStorage": U8, "BoolStorage": Bool, "ComplexFloatStorage": C64,
}

// callables are all that a pickle can call.
var callables = map[string]func(t *torchReader, args pickle.Tuple) (any, error){
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
	"torch.Size":                    firstTuple,
	"torch.device":                  nothing,
	"collections.OrderedDict":       newDict,
	"collections.defaultdict":       func(t *torchReader, _ pickle.Tuple) (any, error) { return newDict(t, nil) },
	"collections.Counter":           newDict,
	"argparse.Namespace":            nothing,
	"pathlib.PosixPath":             nothing,
	"__builtin__.set":               nothing,
	"builtins.set":                  nothing,
	"numpy.dtype":                   newNumpyType,
	"numpy.core.multiarray.scalar":  numpyScalar,
	"numpy._core.multiarray.scalar": numpyScalar,
	"_codecs.encode":                encodeLatin1,
}

// Find returns what a global stands for, if it is allowed.
//
// Beside what makes tensors, names of PyTorch's types and functions and of neuralop's classes are let pass as inert values:
// neuralop puts the arguments of a model's constructor, its activation among them, into the state_dict.
func (t *torchReader) Find(module, name string) (any, error) {
	full := module + "." + name
	if call, ok := callables[full]; ok {
		return &callable{full, call}, nil
	}
	if d, ok := storageTypes[name]; ok && (module == "torch" || module == "torch.cuda") {
		return storageType{d}, nil
	}
	switch full {
	case "torch.float16", "torch.bfloat16", "torch.float32", "torch.float64", "torch.complex64", "torch.complex128", "torch.int8", "torch.int16",
		"torch.int32", "torch.int64", "torch.uint8", "torch.bool", "__builtin__.dict", "__builtin__.list", "__builtin__.int", "__builtin__.float",
		"builtins.dict", "builtins.list", "builtins.int", "builtins.float":
		return inert(full), nil
	}
	if module == "torch.nn.functional" || module == "torch._C._nn" || module == "neuralop" || strings.HasPrefix(module, "neuralop.") {
		return inert(full), nil
	}
	if module == "torch" && strings.HasSuffix(name, "Storage") {
		return nil, fmt.Errorf("storages of type %q are not supported", full)
	}
	return nil, fmt.Errorf("it names %q, which no state_dict needs: refused, nothing was run (save model.state_dict(), not the model)", full)
}

// Call does what the pickle wants called.
func (t *torchReader) Call(fn any, args pickle.Tuple) (any, error) {
	c, ok := fn.(*callable)
	if !ok {
		return nil, fmt.Errorf("it calls %s: refused, nothing was run", pickle.TypeName(fn))
	}
	v, err := c.call(t, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return v, nil
}

// Build passes over the state of objects that have none which counts: an OrderedDict's attributes are versions of modules.
func (t *torchReader) Build(object, state any) error {
	switch o := object.(type) {
	case *pickle.Dict, inert, *view:
		return nil
	case *numpyType:
		if s, ok := state.(pickle.Tuple); ok && len(s) > 1 {
			o.big = s[1] == ">"
			return nil
		}
	}
	return fmt.Errorf("it sets the state of %s: refused", pickle.TypeName(object))
}

func nothing(*torchReader, pickle.Tuple) (any, error) {
	return inert("an object of no consequence"), nil
}

func firstTuple(_ *torchReader, args pickle.Tuple) (any, error) {
	if len(args) == 1 {
		if s, ok := args[0].(pickle.Tuple); ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("its argument is no tuple")
}

// newDict makes a dict of nothing, of another dict, or of a list of pairs.
func newDict(t *torchReader, args pickle.Tuple) (any, error) {
	d := pickle.NewDict()
	if err := t.budget.Spend(128); err != nil || len(args) == 0 {
		return d, err
	}
	switch a := args[0].(type) {
	case *pickle.Dict:
		for _, p := range a.Pairs {
			if err := t.budget.Set(d, p.Key, p.Value); err != nil {
				return nil, err
			}
		}
		return d, nil
	case *pickle.List:
		for _, item := range a.Items {
			var pair []any
			switch p := item.(type) {
			case pickle.Tuple:
				pair = p
			case *pickle.List:
				pair = p.Items
			}
			if len(pair) != 2 {
				return nil, fmt.Errorf("a list of something else than pairs")
			}
			if err := t.budget.Set(d, pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return nil, fmt.Errorf("its argument is %s, want pairs", pickle.TypeName(args[0]))
}

func newNumpyType(_ *torchReader, args pickle.Tuple) (any, error) {
	if len(args) > 0 {
		if code, ok := args[0].(string); ok {
			return &numpyType{code: code}, nil
		}
	}
	return nil, fmt.Errorf("its argument is no text")
}

// numpyScalar makes a number of a type and its bytes. Types that are not known make an inert value.
func numpyScalar(_ *torchReader, args pickle.Tuple) (any, error) {
	if len(args) == 2 {
		kind, ok1 := args[0].(*numpyType)
		b, ok2 := args[1].([]byte)
		if ok1 && ok2 {
			le := binary.LittleEndian
			switch code := kind.code; {
			case kind.big:
			case code == "f8" && len(b) == 8:
				return math.Float64frombits(le.Uint64(b)), nil
			case code == "f4" && len(b) == 4:
				return float64(math.Float32frombits(le.Uint32(b))), nil
			case code == "i8" && len(b) == 8:
				return int64(le.Uint64(b)), nil
			case code == "i4" && len(b) == 4:
				return int64(int32(le.Uint32(b))), nil
			case code == "b1" && len(b) == 1:
				return b[0] != 0, nil
			}
			return inert("a numpy scalar"), nil
		}
	}
	return nil, fmt.Errorf("its arguments are no type and bytes")
}

// encodeLatin1 turns a text of characters below 256 into bytes, which protocol 2 writes in this way.
func encodeLatin1(t *torchReader, args pickle.Tuple) (any, error) {
	if len(args) != 2 || args[1] != "latin1" && args[1] != "latin-1" {
		return nil, fmt.Errorf("its arguments are no text and \"latin1\"")
	}
	s, ok := args[0].(string)
	if err := t.budget.Spend(2 * len(s)); err != nil || !ok {
		return nil, fmt.Errorf("its argument is %s of %d bytes", pickle.TypeName(args[0]), len(s))
	}
	b := make([]byte, 0, len(s))
	for _, c := range s {
		if c > 255 {
			return nil, fmt.Errorf("character %q is not in latin1", c)
		}
		b = append(b, byte(c))
	}
	return b, nil
}
