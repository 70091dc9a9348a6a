// Command embed puts a Fourier neural operator into an iterative solver. The solver is conjugate gradients for diffusion in a medium
// that varies,
//
//	-div(a grad u) = f on the unit square, u = 0 on its boundary,
//
// and its answer is exact to the solver's tolerance whatever the network says. Run
//
//	go run ./examples/embed
//
// It trains the operator, solves for coefficients that it never saw, with and without it, prints the iterations and the times, and
// writes the residuals of a typical field to residuals.csv in -out. It uses nothing but what other modules can use, too: a copy of this
// folder is a start for an operator in a solver of one's own.
//
// # Problems
//
// log a is a Gaussian field with standard deviation 1.5, so that a varies by a factor of some thousands (problem.go). Finite volumes
// on n x n cells give A u = b with a sparse, symmetric, positive definite A (package diffusion). f is a random combination of the
// sources s, the 16 sines sin(k pi x) sin(l pi y), 1 <= k, l <= 4.
//
// # Operator
//
// The network maps log a to sixteen functions v, approximate solutions of A v = s, one for each source, up to factors: the part of the
// solution operator that belongs to smooth sources. Targets have energy 1, u' A u = 1, and what is minimised is the energy norm
// sqrt(e' A e) of the error, in which conjugate gradients and the projection below are optimal too. Training is on 32 x 32 cells,
// with solutions of a band Cholesky factorisation; problems are solved on 64 x 64.
//
// # Solver
//
// Without the operator: conjugate gradients preconditioned by incomplete Cholesky, P. With it the same, and the columns of V, which are
// the functions v made orthonormal in the energy (V' A V = I), as a coarse space (precondition.go): with Q = V V' the iteration
// starts at u = Q b, the best answer in the space, and its preconditioner is
//
//	M r = (I - Q A) P^-1 r + Q r.
//
// The network runs once for a medium, whatever the number of right-hand sides and iterations. M is linear; any V that is linearly
// independent gives a sound M, so the network decides how fast the iteration is, not what it finds: functions that are not finite or
// depend on others are left out, and the residual b - A u of the answer is computed afresh before the iteration may end.
//
// # What it buys
//
// Seed 1, 24 unseen media, a relative residual of 1e-8, medians; training took 38 s on two cores, with data:
//
//	coarse space               iterations   set-up, ms   iteration, ms
//	none                       68            0.0          5.1
//	operator                   33.5         14.7          3.9
//	16 sines                   34.5          9.0          3.9
//	36 sines                   25           37.0          4.4
//	operator and 16 sines      26           33.5          4.0
//
// The operator halves the iterations: the median ratio is 0.49, between 0.45 and 0.53 on all media. It pays neither for its training nor,
// for one right-hand side, for its evaluation: 14.7 ms to save 1.2, so that a medium needs a dozen right-hand sides to gain. And it is
// hardly better than its own sources, the sines, as a coarse space, which take no training; more sines do as well as both together.
// In media this smooth the exact solutions for the sources span no better space than the sources (for right-hand sides outside
// their span they were level in trials, 31 to 32 iterations and 31 to 34), so the edge that is left is that of the start, for which
// an energy error of 0.19, the best in the learned space, is small next to 1e-8. What the example shows is how an operator is used
// safely, and how to find out whether it is worth it.
package main
