package wave

import "math"

// plain simulates one shot as SPEC-like formulas read, in float64 and without any of the solver's means, together with the
// derivative of every sample for a change dvel of the velocities, dw of the wavelet and, where vmin is set, of the damping.
func plain(cfg Config, nz, nx, shot int, vel, dvel, dw []float64, vmin bool) (gather, tangent []float64) {
	cfg, err := cfg.complete(nz, nx)
	if err != nil {
		panic(err)
	}
	pad := cfg.Pad
	h, w := nz+2*pad, nx+2*pad
	least, dleast := math.Inf(1), 0.0
	for i, v := range vel {
		if v < least {
			least, dleast = v, dvel[i]
		}
	}
	if !vmin {
		dleast = 0
	}
	alpha, dalpha, kappa, dkappa := make([]float64, h*w), make([]float64, h*w), make([]float64, h*w), make([]float64, h*w)
	for i := range h {
		for j := range w {
			at := min(max(i-pad, 0), nz-1)*nx + min(max(j-pad, 0), nx-1)
			r := cfg.Dt / cfg.Dx
			alpha[i*w+j] = vel[at] * vel[at] * r * r
			dalpha[i*w+j] = 2 * vel[at] * dvel[at] * r * r
			out := max(pad-1-j, j-pad-nx)
			if out < 0 {
				out = max(pad-1-i, i-pad-nz)
			}
			if out > 0 {
				a := float64(pad-1) * cfg.Dx
				d := 3 * math.Log(1e7) / (2 * a) * math.Pow(float64(out)*cfg.Dx/a, 2) * cfg.Dt
				kappa[i*w+j] = least * d
				dkappa[i*w+j] = dleast * d
			}
		}
	}
	lap := func(p []float64, i, j int) float64 {
		at := func(di, dj int) float64 { return p[(i+di+h)%h*w+(j+dj+w)%w] }
		near := at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1)
		far := at(-2, 0) + at(2, 0) + at(0, -2) + at(0, 2)
		return 4*near/3 - far/12 - 5*at(0, 0)
	}
	src := cfg.Sources[shot]
	at, v := (src.Row+pad)*w+src.Col+pad, vel[src.Row*nx+src.Col]
	dv := dvel[src.Row*nx+src.Col]
	receivers := cfg.Receivers
	if cfg.ShotReceivers != nil {
		receivers = cfg.ShotReceivers[shot]
	}
	gather, tangent = make([]float64, cfg.Samples*len(receivers)), make([]float64, cfg.Samples*len(receivers))
	p0, p1, t0, t1 := make([]float64, h*w), make([]float64, h*w), make([]float64, h*w), make([]float64, h*w)
	for n := range cfg.Steps {
		p2, t2 := make([]float64, h*w), make([]float64, h*w)
		for i := range h {
			for j := range w {
				k := i*w + j
				l := lap(p1, i, j)
				p2[k] = (2-kappa[k])*p1[k] - (1-kappa[k])*p0[k] + alpha[k]*l
				t2[k] = (2-kappa[k])*t1[k] - (1-kappa[k])*t0[k] + alpha[k]*lap(t1, i, j) + dalpha[k]*l - dkappa[k]*(p1[k]-p0[k])
			}
		}
		if n < len(cfg.Wavelet) {
			p2[at] += v * v * cfg.Dt * cfg.Dt * cfg.Wavelet[n]
			t2[at] += 2 * v * dv * cfg.Dt * cfg.Dt * cfg.Wavelet[n]
		}
		if dw != nil {
			t2[at] += v * v * cfg.Dt * cfg.Dt * dw[n]
		}
		for r, p := range receivers {
			k := (p.Row+pad)*w + p.Col + pad
			gather[n*len(receivers)+r], tangent[n*len(receivers)+r] = p2[k], t2[k]
		}
		p0, p1, t0, t1 = p1, p2, t1, t2
	}
	return gather, tangent
}
