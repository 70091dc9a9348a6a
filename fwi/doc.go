// Package fwi assembles and trains models that turn seismic recordings into velocity maps: full-waveform inversion, learned.
//
// A Model is a network together with the transforms between physical units and its own range,
//
//	y = N^-1_y( net( R N_x(x) ) ),
//
// where N_x compresses and scales the recordings, R shortens their time axis without aliasing, and N_y maps velocities of
// 1500 to 4500 m/s to -1..1. A single operator takes the shots of a gather as channels: 5 shots x 1000 samples x 70 receivers
// become 5 x 70 x 70, which a Fourier neural operator maps to 1 x 70 x 70. A SPAMoE takes them so, too, at the sizes "tiny" and "small"
// of Preset; at its "paper", and in ReferenceConfig, the configuration of its authors, it takes the shots side by side, 1 x 1000 x
// 350. The file of a model carries its Config, so Load rebuilds it:
//
//	m, err := fwi.Load("runs/20260101-120000-FlatVel_A-fno/model.safetensors")
//	maps, err := m.Predict(ctx, gathers) // n x 5 x 1000 x 70 to n x 1 x 70 x 70, m/s
//
// Train minimises an Objective with AdamW and keeps the best model, a log and checkpoints in a folder. It is deterministic: the
// same seed gives the same parameters bit for bit, whatever the number of threads, and however often training was stopped and
// resumed. To that end all randomness is derived from the seed and the position in training, and sums are made in a fixed order.
//
// Nothing here is particular to seismic data: any pairs of arrays that implement Data will do. Physics lives in fwi/wave, the
// families of velocity maps in fwi/velocity, OpenFWI's files in fwi/openfwi, measures of success in fwi/metrics.
package fwi
