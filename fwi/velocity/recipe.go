package velocity

// Least and Most bound every velocity, in metres per second.
const (
	Least = 1500
	Most  = 4500
)

// recipe is what sets one family apart. Lengths are fractions of the depth of the map unless said otherwise. The weights, the
// extent and the trend are set so that mean and standard deviation over many maps are those of OpenFWI.
type recipe struct {
	layers []int // numbers of layers, equally likely
	sorted bool  // velocity grows with depth inside a block; otherwise layers are independent
	curve  [2]float64
	fault  faulting
	extent float64 // depth of the stack of layers; what lies below 1 is cut off
	top    float64 // mean thickness of the first layer relative to those between
	bottom float64 // and of the last
	smooth field   // Style only
}

type faulting int

const (
	noFault  faulting = iota
	oneShift          // the same layers on both sides, shifted along the fault
	twoSides          // other layers on either side, and a second fault that shifts
)

// field is a smooth random field around a trend that grows linearly with depth.
type field struct {
	length     float64 // correlation length in cells of a map 70 cells deep
	sigma      float64 // m/s
	noise      float64 // m/s, independent from cell to cell
	mid        float64 // velocity at half depth, m/s
	spread     float64 // its standard deviation over maps
	trend      float64 // velocity gained from top to bottom, m/s
	trendSigma float64 // its standard deviation over maps
}

var (
	flat      = [2]float64{}
	gentle    = [2]float64{0.04, 0.11} // range of the amplitude of curved layers
	strong    = [2]float64{0.07, 0.18}
	velLayers = []int{3, 4, 5, 6, 7, 8}
	fewLayers = []int{2, 3, 4}
	many      = []int{6, 7, 8}
)

var recipes = map[Family]recipe{
	FlatVelA:    {layers: velLayers, sorted: true, curve: flat, extent: 1.21, top: 1, bottom: 1},
	FlatVelB:    {layers: velLayers, curve: flat, extent: 1, top: 1, bottom: 1},
	CurveVelA:   {layers: velLayers, sorted: true, curve: gentle, extent: 1.21, top: 1, bottom: 1},
	CurveVelB:   {layers: velLayers, curve: gentle, extent: 1, top: 1, bottom: 1},
	FlatFaultA:  {layers: fewLayers, sorted: true, curve: flat, fault: oneShift, extent: 1, top: 0.75, bottom: 1.15},
	FlatFaultB:  {layers: many, sorted: true, curve: flat, fault: twoSides, extent: 1, top: 0.9, bottom: 1.4},
	CurveFaultA: {layers: fewLayers, sorted: true, curve: strong, fault: oneShift, extent: 1, top: 0.75, bottom: 1.15},
	CurveFaultB: {layers: many, sorted: true, curve: strong, fault: twoSides, extent: 1, top: 1.05, bottom: 1.45},
	StyleA:      {smooth: field{length: 3.48, sigma: 183, mid: 2710, spread: 250, trend: 2120, trendSigma: 300}},
	StyleB:      {smooth: field{length: 1.96, sigma: 158, noise: 58, mid: 2825, spread: 250, trend: 1980, trendSigma: 300}},
}
