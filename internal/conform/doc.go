// Package conform runs golden cases: folders with a case.json, the inputs and weights of one operation, and the outputs and
// gradients that a reference implementation found for them. It tells whether this module finds the same.
//
// A case names its operation, and its config says what differs from the reference's defaults. A table maps operations to code
// that builds them from any config; a key of the config that an operation does not know fails the case rather than be ignored.
// Weights are loaded by name, strictly. The loss behind the gradients is the sum over outputs k of sum(output_k * cotangent_k).
//
// A case passes where
//
//	|y - y64| <= atol + rtol |y64|                                  for every element of every output
//	max|g - r| <= tol max(max|r|, 0.01 max over all tensors of |r|)  for the gradient r of every input and parameter
//
// with the case's own tolerances, or other rules that it states: equal, atol, rel_to_max. Gradients of parameters that the
// reference never trains must be absent or zero.
//
// To add an operation, write a function that reads the config key by key and returns a network (its model, whose parameters have
// the names of the case's weights, and its forward pass), and enter it in the table: differentiable does the rest. Operations
// that are not functions of tensors get a runner of their own.
package conform
