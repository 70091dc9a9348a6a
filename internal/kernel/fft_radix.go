package kernel

// One pass of Stockham's algorithm. With s elements between the points of a column, m columns and radix r,
//
//	y[q + s(r p + j)] = w^(j p) * sum over k of x[q + s(p + m k)] exp(-2 pi i j k / r),   w = exp(-2 pi i / (r m)),
//
// for q < s, p < m, j < r. The points of one butterfly lie in planes of s contiguous elements.

func radix2[T Float](st *fftStage[T], xr, xi, yr, yi []T, s int) {
	m := st.m
	for p := range m {
		wr, wi := st.twiddle[2*p], st.twiddle[2*p+1]
		ar, ai := xr[s*p:][:s], xi[s*p:][:s]
		br, bi := xr[s*(p+m):][:s], xi[s*(p+m):][:s]
		ur, ui := yr[s*2*p:][:s], yi[s*2*p:][:s]
		vr, vi := yr[s*(2*p+1):][:s], yi[s*(2*p+1):][:s]
		for q := range ar {
			dr, di := ar[q]-br[q], ai[q]-bi[q]
			ur[q], ui[q] = ar[q]+br[q], ai[q]+bi[q]
			vr[q], vi[q] = dr*wr-di*wi, dr*wi+di*wr
		}
	}
}

func radix3[T Float](st *fftStage[T], xr, xi, yr, yi []T, s int) {
	const h = 0.866025403784438646763723170752936183 // sin(pi/3)
	m := st.m
	for p := range m {
		w := st.twiddle[4*p:][:4]
		ar, ai := xr[s*p:][:s], xi[s*p:][:s]
		br, bi := xr[s*(p+m):][:s], xi[s*(p+m):][:s]
		cr, ci := xr[s*(p+2*m):][:s], xi[s*(p+2*m):][:s]
		y0r, y0i := yr[s*3*p:][:s], yi[s*3*p:][:s]
		y1r, y1i := yr[s*(3*p+1):][:s], yi[s*(3*p+1):][:s]
		y2r, y2i := yr[s*(3*p+2):][:s], yi[s*(3*p+2):][:s]
		for q := range ar {
			tr, ti := br[q]+cr[q], bi[q]+ci[q]
			dr, di := h*(br[q]-cr[q]), h*(bi[q]-ci[q])
			er, ei := ar[q]-tr/2, ai[q]-ti/2
			y0r[q], y0i[q] = ar[q]+tr, ai[q]+ti
			ur, ui := er+di, ei-dr
			vr, vi := er-di, ei+dr
			y1r[q], y1i[q] = ur*w[0]-ui*w[1], ur*w[1]+ui*w[0]
			y2r[q], y2i[q] = vr*w[2]-vi*w[3], vr*w[3]+vi*w[2]
		}
	}
}

func radix4[T Float](st *fftStage[T], xr, xi, yr, yi []T, s int) {
	m := st.m
	for p := range m {
		w := st.twiddle[6*p:][:6]
		ar, ai := xr[s*p:][:s], xi[s*p:][:s]
		br, bi := xr[s*(p+m):][:s], xi[s*(p+m):][:s]
		cr, ci := xr[s*(p+2*m):][:s], xi[s*(p+2*m):][:s]
		dr, di := xr[s*(p+3*m):][:s], xi[s*(p+3*m):][:s]
		y0r, y0i := yr[s*4*p:][:s], yi[s*4*p:][:s]
		y1r, y1i := yr[s*(4*p+1):][:s], yi[s*(4*p+1):][:s]
		y2r, y2i := yr[s*(4*p+2):][:s], yi[s*(4*p+2):][:s]
		y3r, y3i := yr[s*(4*p+3):][:s], yi[s*(4*p+3):][:s]
		for q := range ar {
			er, ei := ar[q]+cr[q], ai[q]+ci[q]
			fr, fi := ar[q]-cr[q], ai[q]-ci[q]
			gr, gi := br[q]+dr[q], bi[q]+di[q]
			hr, hi := br[q]-dr[q], bi[q]-di[q]
			y0r[q], y0i[q] = er+gr, ei+gi
			ur, ui := fr+hi, fi-hr
			y1r[q], y1i[q] = ur*w[0]-ui*w[1], ur*w[1]+ui*w[0]
			ur, ui = er-gr, ei-gi
			y2r[q], y2i[q] = ur*w[2]-ui*w[3], ur*w[3]+ui*w[2]
			ur, ui = fr-hi, fi+hr
			y3r[q], y3i[q] = ur*w[4]-ui*w[5], ur*w[5]+ui*w[4]
		}
	}
}

func radix5[T Float](st *fftStage[T], xr, xi, yr, yi []T, s int) {
	c1, s1 := st.roots[2], -st.roots[3]
	c2, s2 := st.roots[4], -st.roots[5]
	m := st.m
	for p := range m {
		w := st.twiddle[8*p:][:8]
		ar, ai := xr[s*p:][:s], xi[s*p:][:s]
		br, bi := xr[s*(p+m):][:s], xi[s*(p+m):][:s]
		cr, ci := xr[s*(p+2*m):][:s], xi[s*(p+2*m):][:s]
		dr, di := xr[s*(p+3*m):][:s], xi[s*(p+3*m):][:s]
		er, ei := xr[s*(p+4*m):][:s], xi[s*(p+4*m):][:s]
		y0r, y0i := yr[s*5*p:][:s], yi[s*5*p:][:s]
		y1r, y1i := yr[s*(5*p+1):][:s], yi[s*(5*p+1):][:s]
		y2r, y2i := yr[s*(5*p+2):][:s], yi[s*(5*p+2):][:s]
		y3r, y3i := yr[s*(5*p+3):][:s], yi[s*(5*p+3):][:s]
		y4r, y4i := yr[s*(5*p+4):][:s], yi[s*(5*p+4):][:s]
		for q := range ar {
			// Sums and differences of the points that see conjugate roots.
			t1r, t1i := br[q]+er[q], bi[q]+ei[q]
			t2r, t2i := cr[q]+dr[q], ci[q]+di[q]
			d1r, d1i := br[q]-er[q], bi[q]-ei[q]
			d2r, d2i := cr[q]-dr[q], ci[q]-di[q]
			y0r[q], y0i[q] = ar[q]+t1r+t2r, ai[q]+t1i+t2i
			ur, ui := ar[q]+c1*t1r+c2*t2r, ai[q]+c1*t1i+c2*t2i
			vr, vi := s1*d1r+s2*d2r, s1*d1i+s2*d2i
			zr, zi := ur+vi, ui-vr
			y1r[q], y1i[q] = zr*w[0]-zi*w[1], zr*w[1]+zi*w[0]
			zr, zi = ur-vi, ui+vr
			y4r[q], y4i[q] = zr*w[6]-zi*w[7], zr*w[7]+zi*w[6]
			ur, ui = ar[q]+c2*t1r+c1*t2r, ai[q]+c2*t1i+c1*t2i
			vr, vi = s2*d1r-s1*d2r, s2*d1i-s1*d2i
			zr, zi = ur+vi, ui-vr
			y2r[q], y2i[q] = zr*w[2]-zi*w[3], zr*w[3]+zi*w[2]
			zr, zi = ur-vi, ui+vr
			y3r[q], y3i[q] = zr*w[4]-zi*w[5], zr*w[5]+zi*w[4]
		}
	}
}

func radix7[T Float](st *fftStage[T], xr, xi, yr, yi []T, s int) {
	c1, s1 := st.roots[2], -st.roots[3]
	c2, s2 := st.roots[4], -st.roots[5]
	c3, s3 := st.roots[6], -st.roots[7]
	m := st.m
	for p := range m {
		w := st.twiddle[12*p:][:12]
		var x, y [7][]T
		var u, v [7][]T
		for k := range 7 {
			x[k], u[k] = xr[s*(p+k*m):][:s], xi[s*(p+k*m):][:s]
			y[k], v[k] = yr[s*(7*p+k):][:s], yi[s*(7*p+k):][:s]
		}
		x0, x1, x2, x3, x4, x5, x6 := x[0], x[1][:s], x[2][:s], x[3][:s], x[4][:s], x[5][:s], x[6][:s]
		u0, u1, u2, u3, u4, u5, u6 := u[0][:s], u[1][:s], u[2][:s], u[3][:s], u[4][:s], u[5][:s], u[6][:s]
		for q := range x0 {
			ar, ai := x0[q], u0[q]
			t1r, t1i, d1r, d1i := x1[q]+x6[q], u1[q]+u6[q], x1[q]-x6[q], u1[q]-u6[q]
			t2r, t2i, d2r, d2i := x2[q]+x5[q], u2[q]+u5[q], x2[q]-x5[q], u2[q]-u5[q]
			t3r, t3i, d3r, d3i := x3[q]+x4[q], u3[q]+u4[q], x3[q]-x4[q], u3[q]-u4[q]
			y[0][q], v[0][q] = ar+t1r+t2r+t3r, ai+t1i+t2i+t3i

			er, ei := ar+c1*t1r+c2*t2r+c3*t3r, ai+c1*t1i+c2*t2i+c3*t3i
			fr, fi := s1*d1r+s2*d2r+s3*d3r, s1*d1i+s2*d2i+s3*d3i
			zr, zi := er+fi, ei-fr
			y[1][q], v[1][q] = zr*w[0]-zi*w[1], zr*w[1]+zi*w[0]
			zr, zi = er-fi, ei+fr
			y[6][q], v[6][q] = zr*w[10]-zi*w[11], zr*w[11]+zi*w[10]

			er, ei = ar+c2*t1r+c3*t2r+c1*t3r, ai+c2*t1i+c3*t2i+c1*t3i
			fr, fi = s2*d1r-s3*d2r-s1*d3r, s2*d1i-s3*d2i-s1*d3i
			zr, zi = er+fi, ei-fr
			y[2][q], v[2][q] = zr*w[2]-zi*w[3], zr*w[3]+zi*w[2]
			zr, zi = er-fi, ei+fr
			y[5][q], v[5][q] = zr*w[8]-zi*w[9], zr*w[9]+zi*w[8]

			er, ei = ar+c3*t1r+c1*t2r+c2*t3r, ai+c3*t1i+c1*t2i+c2*t3i
			fr, fi = s3*d1r-s1*d2r+s2*d3r, s3*d1i-s1*d2i+s2*d3i
			zr, zi = er+fi, ei-fr
			y[3][q], v[3][q] = zr*w[4]-zi*w[5], zr*w[5]+zi*w[4]
			zr, zi = er-fi, ei+fr
			y[4][q], v[4][q] = zr*w[6]-zi*w[7], zr*w[7]+zi*w[6]
		}
	}
}

// radixOdd serves any odd radix up to fftMaxRadix, by the definition, with the points that see conjugate roots joined.
func radixOdd[T Float](st *fftStage[T], xr, xi, yr, yi []T, s int) {
	r, m := st.radix, st.m
	h := (r - 1) / 2
	var tr, ti, dr, di [fftMaxRadix / 2]T
	for p := range m {
		w := st.twiddle[2*(r-1)*p:][:2*(r-1)]
		for q := range s {
			ar, ai := xr[s*p+q], xi[s*p+q]
			sr, si := ar, ai
			for k := 1; k <= h; k++ {
				a, b := s*(p+m*k)+q, s*(p+m*(r-k))+q
				tr[k-1], ti[k-1] = xr[a]+xr[b], xi[a]+xi[b]
				dr[k-1], di[k-1] = xr[a]-xr[b], xi[a]-xi[b]
				sr += tr[k-1]
				si += ti[k-1]
			}
			yr[s*r*p+q], yi[s*r*p+q] = sr, si
			for j := 1; j <= h; j++ {
				er, ei := ar, ai
				var fr, fi T
				for k, e := 0, 0; k < h; k++ {
					if e += j; e >= r {
						e -= r
					}
					c, sn := st.roots[2*e], st.roots[2*e+1]
					er += c * tr[k]
					ei += c * ti[k]
					fr += sn * dr[k]
					fi += sn * di[k]
				}
				zr, zi := er-fi, ei+fr
				wr, wi := w[2*j-2], w[2*j-1]
				a := s*(r*p+j) + q
				yr[a], yi[a] = zr*wr-zi*wi, zr*wi+zi*wr
				zr, zi = er+fi, ei-fr
				wr, wi = w[2*(r-j)-2], w[2*(r-j)-1]
				a = s*(r*p+r-j) + q
				yr[a], yi[a] = zr*wr-zi*wi, zr*wi+zi*wr
			}
		}
	}
}
