// Command marmousi is classical full-waveform inversion: shots over the Marmousi model are simulated, the model is smoothed until
// only its long waves are left, and the inversion brings the rest back. Run
//
//	go run ./examples/marmousi -data marmousi_vel.npy
//
// with any map of velocities in m/s, depth x distance, as .npy. The usual ones are the 70 x 190 crop of Marmousi at 10 m that
// papers on OpenFWI test on, and Marmousi2 at 20 m (-dx 20; 176 x 851 cells, about ten minutes on two cores). Without -data the program makes a
// model of its own in their style. It writes maps.png (true, start, inversion), error.png and map.npy to -out, and keeps its state
// there: stopped and started again with the same flags it goes on.
//
// Shots are evenly spread along row 1 with a receiver in every column; all sides absorb. The velocity bounds are those of the true
// model with 5 % on either side; beside the start that is all the inversion knows. Three bands from a quarter of the wavelet's
// frequency up are followed by rounds without filter; package invert explains the rest.
package main
