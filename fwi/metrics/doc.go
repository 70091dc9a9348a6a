// Package metrics measures predicted velocity maps against true ones, as the OpenFWI and SPAMoE papers do. Maps are normalised to
// [-1, 1]; errors are reported there and in physical units.
//
// With x a prediction, y its target, n all pixels of all samples, and sums over all of them,
//
//	MAE = sum |x - y| / n        MSE = sum (x - y)^2 / n        RMSE = sqrt MSE
//	relative L2 = sqrt(sum (x - y)^2 / sum y^2)
//	PSNR = 20 log10(range) - 10 log10(MSE),     range = max y - min y
//	SSIM = mean over samples of the structural similarity of x/2 + 1/2 and y/2 + 1/2
//
// (SSIM: 11 x 11 Gaussian, sigma 1.5, zeros around the image, C1 = 0.01^2, C2 = 0.03^2). Errors per radial band cut both maps with
// a ring in the frequency plane first; r = |k| / max |k| with integer frequencies k.
//
// An Accumulator takes batches of any size; it sums image by image in float64, so its result does not depend on how a data set
// was cut into batches, nor on the number of threads.
//
//	a := metrics.New(70, 70, metrics.Config{})
//	err := a.Add(pred.Data, target.Data)
//	json.NewEncoder(w).Encode(a.Result())
package metrics
