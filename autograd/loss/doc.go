// Package loss holds training objectives: functions of a prediction x and a target y of one shape that return a scalar.
// Gradients flow into both.
//
//	L1          mean |x - y|
//	MSE         mean (x - y)^2
//	L1L2        a L1 + b MSE
//	RelativeL2  mean over samples of ||x - y|| / (||y|| + eps)
//	Lp          the same per sample and channel, p = 1 or 2, relative or with quadrature weights
//	H1          as Lp with p = 2, of the function and its first derivatives
//	GradientL1  mean | |grad x| - |grad y| |, with Sobel or Scharr derivatives
//	SSIM        mean structural similarity, 1 where x = y
//	CrossEntropy  mean over samples of -log softmax(x)[label], with label smoothing
//
// Each is one pass over the data with sums in float64, in an order that does not depend on the number of threads.
//
//	y := loss.L1L2(pred, target, 0.6, 0.4)
//	grads := y.Backward()
package loss
