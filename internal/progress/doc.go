// Package progress shows how far a long job is and when it will end.
//
//	bar := progress.Start(os.Stderr, "training", steps)
//	defer bar.Done()
//	for range steps {
//		loss := step()
//		bar.Note("loss %.4f", loss)
//		bar.Add(1)
//	}
//
// On a terminal one line is redrawn four times a second:
//
//	training  [#########.....................]   31 %  310/1000  0:12, 0:27 left  loss 0.0412
//
// Elsewhere (a file, a pipe, the log of a batch queue) plain lines appear, one for every tenth of the job and at least one every
// half minute. A job of less than two seconds shows nothing.
//
// The time left is t (n - k)/k for k of n units done in the time t: it supposes units of equal cost.
package progress
