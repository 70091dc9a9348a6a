package kernel

// Winograd's convolution F(2x2, 3x3) (Lavin and Gray, arXiv 1509.09308, section 4.1): two by two elements of y come from a window
// of four by four of x by
//
//	y = A' [ sum over c of (G w G') (B' x B) ] A,
//
//	    1  0 -1  0          1    0    0             1  1  1  0
//	B'= 0  1  1  0      G = 1/2  1/2  1/2      A' = 0  1 -1 -1
//	    0 -1  1  0          1/2 -1/2  1/2
//	    0  1  0 -1          0    0    1
//
// whose products, element by element, are 16 matrix products over the channels, 2.25 times less work than the convolution. Rounding
// errors are two to three times those of the sum of products.

const (
	winogradLanes    = 16 // tiles that the transforms take at once
	winogradPoints   = 16 // products per tile
	winogradChannels = 32 // of x and y, from which on transforms are worth it
	winogradRows     = 4  // of tiles, that one task works on
)

// winograd is such a convolution at work: u holds the transformed weights, 16 x Out x C.
type winograd struct {
	ConvShape
	y, x, bias, u []float32
	groups        int // of rows of tiles, per image
}

// suitsWinograd reports whether a convolution can be done so and is worth it.
func (s ConvShape) suitsWinograd() bool {
	return fastWinograd && s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 && s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1 &&
		s.OH%2 == 0 && s.OW%2 == 0 && s.OW >= 2*winogradLanes && s.C >= winogradChannels && s.Out >= winogradChannels
}

var winogradScratch Scratch[float32]

// winogradForward computes y = w * x + bias for sizes that suit.
func winogradForward(y, x, w, bias []float32, s ConvShape) {
	u := winogradScratch.Get(winogradPoints * s.Out * s.C)
	ParallelWith(s.Out*s.C, 1<<10, winogradWeights{u, w, s.Out * s.C})
	groups := (s.OH/2 + winogradRows - 1) / winogradRows
	ParallelWith(s.N*groups, 1, winograd{s, y, x, bias, u, groups})
	winogradScratch.Put(u)
}

func (s *winograd) Chunk(lo, hi int) {
	sc := takeConvScratch[float32]()
	defer sc.release()
	across := s.OW / 2
	buf := winogradScratch.Get(winogradPoints * (s.C + s.Out) * winogradRows * across)
	defer winogradScratch.Put(buf)
	for t := lo; t < hi; t++ {
		n, r0 := t/s.groups, t%s.groups*winogradRows
		rows := min(winogradRows, s.OH/2-r0)
		tiles := rows * across
		sc.image.load(s.ConvShape, s.x[n*s.C*s.H*s.W:][:s.C*s.H*s.W], 2*r0, 2*(r0+rows))
		v, m := buf[:winogradPoints*s.C*tiles], buf[winogradPoints*s.C*tiles:]
		for c := range s.C {
			for r := range rows {
				winogradInput(v[c*tiles+r*across:], sc.image.data[(c*sc.image.rows+2*r)*sc.image.pitch:], s.C*tiles, sc.image.pitch, across)
			}
		}
		for p := range winogradPoints {
			GemmSerial(false, false, s.Out, tiles, s.C, s.u[p*s.Out*s.C:], s.C, v[p*s.C*tiles:], tiles, m[p*s.Out*tiles:], tiles, false, nil)
		}
		for o := range s.Out {
			bias := float32(0)
			if s.bias != nil {
				bias = s.bias[o]
			}
			for r := range rows {
				winogradOutput(s.y[((n*s.Out+o)*s.OH+2*(r0+r))*s.OW:], m[o*tiles+r*across:], s.Out*tiles, s.OW, across, bias)
			}
		}
	}
}

// winogradWeights transforms weights: u[p*n + i] is product p of the 3 x 3 weights i.
type winogradWeights struct {
	u, w []float32
	n    int
}

func (s *winogradWeights) Chunk(lo, hi int) {
	for i := lo; i < hi; i++ {
		g := s.w[9*i:][:9]
		var rows [4][3]float32 // G w
		for j := range 3 {
			a, b, c := g[j], g[3+j], g[6+j]
			rows[0][j], rows[1][j], rows[2][j], rows[3][j] = a, (a+b+c)/2, (a-b+c)/2, c
		}
		for k, r := range rows {
			a, b, c := r[0], r[1], r[2]
			u := s.u[4*k*s.n+i:]
			u[0], u[s.n], u[2*s.n], u[3*s.n] = a, (a+b+c)/2, (a-b+c)/2, c
		}
	}
}

// winogradInput transforms n windows of four rows of src, pitch apart, that begin two columns apart: product p of window t goes to
// dst[p*stride + t].
func winogradInput(dst, src []float32, stride, pitch, n int) {
	_, _ = dst[15*stride+n-1], src[3*pitch+2*n+1]
	if fastWinograd && n >= winogradLanes {
		winogradInputFast(&dst[0], &src[0], uintptr(stride), uintptr(pitch), uintptr(n))
		return
	}
	for t := range n {
		var h [4][4]float32
		for r := range 4 {
			d := src[r*pitch+2*t:][:4]
			h[r] = [4]float32{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]}
		}
		for j := range 4 {
			for i, v := range [4]float32{h[0][j] - h[2][j], h[1][j] + h[2][j], h[2][j] - h[1][j], h[1][j] - h[3][j]} {
				dst[(4*i+j)*stride+t] = v
			}
		}
	}
}

// winogradOutput transforms n tiles back, whose product p lies at src[p*stride + t], adds bias and writes two rows of dst, pitch apart.
func winogradOutput(dst, src []float32, stride, pitch, n int, bias float32) {
	_, _ = src[15*stride+n-1], dst[pitch+2*n-1]
	if fastWinograd && n >= winogradLanes {
		winogradOutputFast(&dst[0], &src[0], uintptr(stride), uintptr(pitch), uintptr(n), bias)
		return
	}
	for t := range n {
		var s [2][4]float32
		for j := range 4 {
			m := func(i int) float32 { return src[(4*i+j)*stride+t] }
			s[0][j], s[1][j] = m(0)+m(1)+m(2), m(1)-m(2)-m(3)
		}
		for i, r := range s {
			dst[i*pitch+2*t], dst[i*pitch+2*t+1] = r[0]+r[1]+r[2]+bias, r[1]-r[2]-r[3]+bias
		}
	}
}
