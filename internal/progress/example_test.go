package progress_test

import (
	"os"

	"github.com/spamoe/spamoe/internal/progress"
)

// A job that is over at once shows nothing.
func Example() {
	bar := progress.Start(os.Stdout, "training", 3)
	defer bar.Done()
	for i := range 3 {
		bar.Note("loss %.2f", 1/float64(i+1))
		bar.Add(1)
	}
	// Output:
}
