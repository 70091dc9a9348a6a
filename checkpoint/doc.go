// Package checkpoint reads and writes models as safetensors files.
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
package checkpoint
