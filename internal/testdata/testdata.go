// Package testdata finds the reference material that lies beside a checkout: golden cases and sample data that licences
// forbid to ship. Tests that need it skip, with a message that says what is absent, where it is not there.
package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Root returns the folder that holds the reference material: the environment variable SPAMOE_SHARED, or ../shared beside the
// checkout.
func Root() string {
	if dir := os.Getenv("SPAMOE_SHARED"); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
}

// Shared returns the path of elem below Root, and skips the test where it does not exist.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Root()}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("reference material is absent: %v (set SPAMOE_SHARED to the folder that holds it)", err)
	}
	return path
}
