// Package kernel is the compute layer: loops over plain slices and sizes, with assembly where a model spends its time.
// It knows nothing of tensors or gradients.
//
// The central one is the matrix product of row-major matrices,
//
//	C[i,j] = sum over p of op(A)[i,p] op(B)[p,j],   op(X) = X or its transpose,
//
// computed block by block: p runs in blocks of at most 256, so that a strip of A and a panel of B stay in cache, and
// within a block in ascending order. Convolutions are the same product over a matrix of patches that is never written
// down as a whole: row (c, u, v) of it is the image of channel c shifted by the kernel's offset (u, v),
//
//	y[o, (i,j)] = sum over (c,u,v) of w[o, (c,u,v)] x[c, i s + u d - pad, j s + v d - pad].
//
// Rules that hold for all of the package:
//
//   - Matrices are row-major; "x is m x n" means x[i*n+j]. ld* is the distance between rows, in elements.
//   - The destination comes first. A function called XGrad computes gradients; acc adds to the destination.
//   - Results do not depend on the number of threads: every sum has one fixed order, chosen from the sizes alone.
//   - Wrong sizes panic, with the sizes in the message.
//   - Assembly is chosen once, at start, from what the CPU and the operating system offer; build tag purego leaves it out.
//
// A first example, y = x Wᵀ + b with x 4 x 3, W 2 x 3 and b of length 2:
//
//	kernel.GemmEpilogue(false, true, 4, 2, 3, x, 3, w, 3, y, 2, false, &kernel.Epilogue[float32]{ColBias: b})
package kernel
