// Package checkpoint reads and writes models, as safetensors files and as PyTorch's.
//
// # Safetensors
//
// A file is a header in JSON and the bytes of the tensors, without gaps, little endian, row-major:
//
//	N, 8 bytes | {"__metadata__": {"key": "text"}, "NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..}, N bytes | tensors
//
// The offsets count from the end of the header. The format holds no code, so that a file from anywhere can be read safely, and
// this package is strict about it: the header is bounded and checked against the file before anything is allocated, and
// names that come twice, unknown types, sizes that disagree with shapes, gaps, overlaps and bytes left over are errors. Files
// are written atomically and depend on nothing but their content: the same tensors give the same bytes.
//
// Complex parameters are stored as real tensors with a last axis of 2 (real, imaginary), which torch.view_as_complex takes. The
// complex type C64 is read too.
//
// A model file (SaveModel) names the kind of the model and carries its configuration as JSON in the metadata, so that it can be
// rebuilt from the file alone. It may hold further tensors, such as the state of an optimiser, under names that begin with
// "extra:".
//
// Format: https://huggingface.co/docs/safetensors, safetensors 0.4 and later.
//
// # PyTorch
//
// Read also takes what torch.save writes, in the zip archives of PyTorch 1.6 and later and in the stream format before them. There a pickle,
// a program in Python's object format, describes the tensors as views of storages, which are plain bytes beside it:
//
//	OrderedDict(weight=_rebuild_tensor_v2(storage "0" of FloatStorage, offset, shape, strides, ..), ..)
//
// Nothing of such a program is run. Package internal/pickle moves plain values about, and the few names that a state_dict needs have a meaning
// given here (collections.OrderedDict, torch._utils._rebuild_tensor_v2 and _rebuild_parameter, torch.FloatStorage and its like, torch.Size,
// numpy's scalars, and harmless company such as argparse.Namespace, which becomes an empty value); every other name is refused by name. What a
// pickle builds is paid for from a fixed budget, storages are compared with the file before memory is allocated, views with their
// storage, and copies for views that are not in order are bounded. Views in order, tied tensors among them, share memory.
//
// Half, bfloat16, float, double, the integers, bool and complex64 are read; complex128, quantised and sparse tensors are not.
// Read says where in a checkpoint the tensors are looked for.
//
// WritePyTorch and SavePyTorch write archives that torch.load(path, weights_only=True) reads as an OrderedDict of tensors.
package checkpoint
