package checkpoint

import (
	"fmt"
	"slices"

	"github.com/spamoe/spamoe/checkpoint/internal/pickle"
)

// view is a tensor of PyTorch's: element (i, j, ..) is element offset + i strides[0] + j strides[1] + .. of the storage.
type view struct {
	storage *storage
	offset  int64
	shape   []int
	strides []int64
}

func (*view) String() string { return "a tensor" }

// rebuildTensor takes (storage, offset, shape, strides) and, in version 2, (.., requires_grad, hooks) and perhaps a dict of flags.
func rebuildTensor(t *torchReader, args pickle.Tuple) (any, error) {
	if len(args) < 4 || len(args) > 7 {
		return nil, fmt.Errorf("%d arguments, want 4 to 7", len(args))
	}
	if len(args) == 7 {
		if flags, ok := args[6].(*pickle.Dict); args[6] != nil && (!ok || len(flags.Pairs) > 0) {
			return nil, fmt.Errorf("a tensor that is conjugated or negated only when it is used; save x.resolve_conj().resolve_neg()")
		}
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := sizes(args[2])
	strides, ok4 := sizes(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || offset < 0 || len(shape) != len(strides) {
		return nil, fmt.Errorf("its arguments are no storage, offset, shape and strides of up to %d dimensions, all from 0 on", maxDims)
	}
	v := &view{storage: s, offset: offset, strides: strides, shape: make([]int, len(shape))}
	for i, n := range shape {
		if v.shape[i] = int(n); int64(v.shape[i]) != n {
			return nil, fmt.Errorf("a dimension of %d is more than this machine can address", n)
		}
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	return v, t.budget.Spend(128 + 16*len(shape))
}

func rebuildParameter(_ *torchReader, args pickle.Tuple) (any, error) {
	if len(args) > 0 {
		if v, ok := args[0].(*view); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("its argument is no tensor")
}

// sizes reads a tuple of numbers from 0 on.
func sizes(v any) ([]int64, bool) {
	tuple, ok := v.(pickle.Tuple)
	if !ok || len(tuple) > maxDims {
		return nil, false
	}
	list := make([]int64, len(tuple))
	for i, x := range tuple {
		if list[i], ok = x.(int64); !ok || list[i] < 0 {
			return nil, false
		}
	}
	return list, true
}

// check sees to it that every element lies in the storage.
func (v *view) check() error {
	if _, err := byteCount(v.storage.dtype, v.shape); err != nil {
		return err
	}
	if slices.Contains(v.shape, 0) {
		return nil
	}
	last, count := v.offset, v.storage.count
	for i, n := range v.shape {
		if last >= count {
			break
		}
		switch {
		case n == 1:
		case v.strides[i] > count/int64(n-1):
			last = count
		default:
			last += int64(n-1) * v.strides[i]
		}
	}
	if last >= count {
		return fmt.Errorf("a tensor of shape %s, strides %v and offset %d reaches beyond its storage of %d elements", formatShape(v.shape), v.strides, v.offset, count)
	}
	return nil
}

// contiguous reports whether the elements lie one after the other in row-major order.
func (v *view) contiguous() bool {
	want := int64(1)
	for i := len(v.shape) - 1; i >= 0; i-- {
		if v.shape[i] != 1 && v.strides[i] != want {
			return false
		}
		want *= int64(v.shape[i])
	}
	return true
}

// tensor loads a view. It shares the bytes of the storage where they are in order.
func (t *torchReader) tensor(v *view) (Tensor, error) {
	out := Tensor{DType: v.storage.dtype, Shape: v.shape}
	n, err := byteCount(out.DType, v.shape)
	if err != nil || n == 0 {
		return out, err
	}
	if err := t.fill(v.storage); err != nil {
		return out, err
	}
	if v.contiguous() {
		begin := v.offset * int64(out.DType.Size())
		out.Data = v.storage.data[begin : begin+n : begin+n]
		return out, nil
	}
	if n > t.size+spareCopies-t.copied {
		return out, fmt.Errorf("shape %s of %s is expanded from a storage of %d bytes; such tensors together may take %d", formatShape(v.shape), out.DType, v.storage.bytes(), t.size+spareCopies)
	}
	t.copied += n
	out.Data = v.gather(make([]byte, 0, n))
	return out, nil
}

// gather appends the elements in row-major order to dst. There is at least one, and one dimension.
func (v *view) gather(dst []byte) []byte {
	size := int64(v.storage.dtype.Size())
	last := len(v.shape) - 1
	at := make([]int, last) // the row
	for from := v.offset; ; {
		for i := range int64(v.shape[last]) {
			e := (from + i*v.strides[last]) * size
			dst = append(dst, v.storage.data[e:e+size]...)
		}
		d := last - 1
		for ; d >= 0; d-- {
			if at[d]++; at[d] < v.shape[d] {
				from += v.strides[d]
				break
			}
			from -= int64(v.shape[d]-1) * v.strides[d]
			at[d] = 0
		}
		if d < 0 {
			return dst
		}
	}
}
