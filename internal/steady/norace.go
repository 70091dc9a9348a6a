//go:build !race

package steady

// raced says that the race detector is at work, under which sync.Pool drops entries at random.
const raced = false
