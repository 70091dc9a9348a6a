// Package dense is the border to gorgonia.org/tensor: From and To pass float32 tensors across without copying them, and Apply
// turns a forward function into one from *tensor.Dense to *tensor.Dense, for a program that keeps its fields in such tensors.
//
//	solve := dense.Apply(model.Forward)
//	y, err := solve(x) // x, y *tensor.Dense
//
// It is the only package of the module that imports gorgonia.org/tensor, whose 57 modules nothing else should carry.
package dense
