// Package invert finds the velocity map that explains recorded gathers: full-waveform inversion (Tarantola, Geophysics 49, 1984;
// Virieux and Operto, Geophysics 74, 2009) on top of the exact simulation and gradient of package wave.
//
// A map v of nz x nx cells is sought whose simulated gathers F(v) equal the recorded ones. It minimises
//
//	J(B F(v), B o) + TV(u) + T(u),  v = bounds(u),  u = u0 + W G x
//
// over x, where o is the recording, B a low-pass filter, J a misfit (L2, L1, Envelope, Correlation), TV and T regularisation, W
// weights and G a smoothing. What makes the difference between a map and a local minimum or an endless search:
//
//   - Low frequencies first. The misfit of a wave that arrives more than half a period early or late has its gradient in the
//     wrong direction. Stages go from a tenth of the wavelet's frequency to all of it (Bunks et al., Geophysics 60, 1995); the
//     filter is causal, the same for recording and simulation. Low stages also smooth the map's updates to a tenth of the
//     shortest wavelength, so that the few things that they can know are found in few iterations.
//   - Coarse cells for low frequencies. With twice the cell and the time step a simulation is an eighth of the work, and below 9 Hz of
//     OpenFWI's survey its gathers differ by less than 1 % (thin.go).
//   - A start that is not hopeless: linear in depth, the usual one unless others fit the lowest band much better (start.go).
//   - All of the curvature. A round begins with the full matrix J'J (curvature.go), which costs as much as dozens of gradients: one simulation
//     for each source and receiver, and products of matrices. It knows how far a cell at depth must move to change the data as much as one
//     near the surface, and which cells answer for each other. A step of Gauss-Newton follows, for which the total variation is minimised, not
//     just followed (quadratic.go, newtonround.go), and then L-BFGS in the unknowns in which J'J and the total variation are a sphere
//     (preconditioned.go): dozens of iterations for little more than what J'J costs. On coarse cells the unknowns are blocks of cells.
//   - With other misfits than L2, and for maps that are too large for a matrix of cells x cells: L-BFGS with a memory of a hundred
//     pairs. W then is a power of the estimated diagonal of J'J (illumination.go), so that the first step is already about right everywhere.
//   - Gain. Late reflections from depth are weak beside direct waves. L2 and L1 multiply both gathers with a power of the inverse
//     local amplitude of the recording.
//   - Total variation from the beginning. Of the maps that explain low bands, which are many, it takes one with few and sharp edges, which is
//     mostly so near the truth that the next band does not skip cycles. It is given as a fraction of the misfit: it shrinks with it, without
//     a parameter to tune, and stays at the level of the noise where there is some. Blocks weighs it down at the edges that have formed, which
//     sharpens them.
//   - Regions. A map of layers and blocks has a few dozen velocities, not thousands. Between rounds it is cut into regions of constant
//     velocity, whose values are fitted; where the data contradict that, it stays as it was (segment.go, cut.go). Once it explains the
//     data to a few percent, and there is little noise, regions are joined not where they are alike but where the data mind least, by J'J (joining.go). What neither reflects
//     nor lets waves through to the receivers, such as the inside of a half-space, gets its velocity from its edge in this way.
//   - Cells that change sides. Where the boundary between two regions runs is a question of cells that belong to the one or the other. The
//     misfit is a quadratic in their squared slownesses, good even for cells of twice the velocity (exchange.go); which of hundreds of cells at
//     boundaries move is found by annealing (annealing.go), for several prices of jagged boundaries, and settled by simulation (moving.go). Velocities that are off
//     because a boundary is, and boundaries that are off because velocities are, so come right together.
//
// White noise is estimated from the data (noise.go). A round of L-BFGS alone ends where it would begin to fit the noise; with curvature regularisation
// is weighed by what of the misfit is more than the noise, as a change of the map that the data contradict clearly may change the misfit by a hundredth of the
// noise.
//
// The least velocity of a map enters the damping of its absorbing boundary; the simulation always takes the current map's own.
//
// An inversion that is given a State file resumes where it was stopped, to the last bit (journal.go).
package invert
