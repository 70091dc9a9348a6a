// Package openfwi reads and writes data sets in the layouts of OpenFWI (Deng et al., NeurIPS 2022, arXiv:2111.02926): pairs of
// a gather, 5 shots x 1000 times x 70 receivers, and the velocity map in m/s that it was recorded over, 1 x 70 depths x 70
// places. Files are mapped into memory, never read whole: a family takes 43 to 95 GB.
//
// A family is a folder, of 500 pairs per file by default:
//
//	FlatVel_A/data/data1.npy           500x5x1000x70    with FlatVel_A/model/model1.npy       500x1x70x70   (Vel, Style; from 1)
//	FlatFault_A/seis2_1_0.npy or       500x5x1000x70    with FlatFault_A/vel2_1_0.npy or      500x1x70x70   (Fault; from 0)
//	FlatFault_A/seis_2_1_0.npy                               FlatFault_A/vel_2_1_0.npy
//
// In the names of the fault families the first number counts the layers. The same data on Kaggle lie one folder deeper, in
// train_samples; its folder test holds gathers without maps. The official split of a family goes by the numbers of the files:
//
//	training    1..48 of Vel, 1..120 of Style, 0..31 of Fault
//	validation  49..60,       121..134,        32..35
//
// Gathers are normalised by sign(x) log1p(|x|), then both are mapped to -1..1: gathers from the range that GatherRange gives,
// itself before the logarithm, and maps from 1500..4500 m/s.
package openfwi
