package dense_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOnlyThisPackageCarriesGorgonia: nothing else of the module, programs aside, depends on gorgonia.org/tensor or on what it
// drags in.
func TestOnlyThisPackageCarriesGorgonia(t *testing.T) {
	const module = "github.com/spamoe/spamoe/"
	heavy := []string{"gorgonia.org/", "github.com/apache/arrow", "google.golang.org/protobuf", "github.com/golang/protobuf", "github.com/gogo/protobuf", "github.com/google/flatbuffers"}
	carries := func(deps []string) string {
		for _, d := range deps {
			for _, h := range heavy {
				if strings.HasPrefix(d, h) {
					return d
				}
			}
		}
		return ""
	}
	list := exec.Command("go", "list", "-e", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...")
	list.Dir = "../.."
	out, err := list.Output()
	require.NoError(t, err)
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		deps := strings.Fields(line)
		name := strings.TrimPrefix(deps[0], module)
		seen[name] = true
		switch {
		case name == "autograd/dense":
			require.NotEmpty(t, carries(deps), "the search would not find gorgonia where it is")
		case strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "cmd/"):
		default:
			require.Empty(t, carries(deps), "%s depends on it", name)
		}
	}
	for _, name := range []string{"autograd", "autograd/nn", "autograd/optim", "autograd/loss", "spectral"} {
		require.True(t, seen[name], "%s was not looked at", name)
	}
}
