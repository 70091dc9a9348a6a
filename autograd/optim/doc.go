// Package optim updates parameters: AdamW, learning rates as functions of the step, clipping, the sum of the gradients of several
// passes, and averages of the parameters.
//
// AdamW (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) makes, for a gradient g at step t = 1, 2, ..,
//
//	p <- (1 - r d) p
//	m <- b1 m + (1 - b1) g,     v <- b2 v + (1 - b2) g^2
//	p <- p - r m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
//
// with rate r and decay d. The step t is counted per parameter: one that gets no gradient in a pass is not touched at all.
//
// Nothing here holds the model's gradients or schedules time: a training step is
//
//	grads := loss.Backward()
//	norm := opt.StepWith(schedule.Rate(step), grads, optim.StepOptions{Clip: 1})
//	tape.Reset()
//
// State lives in exported fields of parameters' names, so that autograd.State lists it and a checkpoint of an optimiser is made
// as one of a model; a run that resumes from it continues bit by bit. Results do not depend on the number of threads.
package optim
