package conform

import (
	"fmt"
	"math"
	"regexp"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/mno"
)

// filterName is how a file of multiwavelet filters names them: "legendre_k4_H0".
var filterName = regexp.MustCompile(`^(\w+)_k(\d+)_(H0|H1|G0|G1|PHI0|PHI1)$`)

// filters compares multiwavelet filters with stored ones, which lose digits as k grows.
func filters(c *testCase) (string, error) {
	var upTo6, above float64
	if err := c.tolerances(map[string]*float64{"rel_to_max_k_up_to_6": &upTo6, "rel_to_max_k_7_8": &above}); err != nil {
		return "", err
	}
	file, err := checkpoint.Read(c.path("filters.safetensors"))
	if err != nil {
		return "", err
	}
	names := file.Names()
	if len(names) == 0 {
		return "", fmt.Errorf("filters.safetensors is empty")
	}
	worst := 0.0
	for _, name := range names {
		m := filterName.FindStringSubmatch(name)
		if m == nil {
			return "", fmt.Errorf("filters.safetensors holds %q, which names no filter", name)
		}
		k, err := strconv.Atoi(m[2])
		if err != nil {
			return "", err
		}
		f, err := mno.NewFilters(mno.Basis(m[1]), k)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		got := map[string]*mat.Dense{"H0": f.H0, "H1": f.H1, "G0": f.G0, "G1": f.G1, "PHI0": f.PHI0, "PHI1": f.PHI1}[m[3]]
		stored, _ := file.Tensor(name)
		want := stored.Float64()
		if len(want) != k*k {
			return "", fmt.Errorf("%s has shape %v, want %d x %d", name, stored.Shape, k, k)
		}
		tol := upTo6
		if k > 6 {
			tol = above
		}
		largest := maxAbs(want)
		for i, w := range want {
			e := ratio(math.Abs(got.At(i/k, i%k)-w), tol*largest)
			if e > 1 {
				return "", fmt.Errorf("%s, element (%d, %d): %.9g, want %.9g", name, i/k, i%k, got.At(i/k, i%k), w)
			}
			worst = max(worst, e)
		}
	}
	return fmt.Sprintf("%d filters within %.2g of the tolerance", len(names), worst), nil
}
