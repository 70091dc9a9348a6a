package wave

import "math"

// plain simulates one shot as the formulas of the package comment read, in float64 and without any of the solver's means, together with the
// derivative of every sample for a change dvel of the velocities, dw of the wavelet and, where vmin is set, of the damping.
func plain(cfg Config, nz, nx, shot int, vel, dvel, dw []float64, vmin bool) (gather, tangent []float64) {
	cfg, err := cfg.complete(nz, nx)
	if err != nil {
		panic(err)
	}
	strip := func(free bool) int {
		if free {
			return 0
		}
		return cfg.Pad
	}
	up, left := strip(cfg.Free.Top), strip(cfg.Free.Left)
	h, w := nz+up+strip(cfg.Free.Bottom), nx+left+strip(cfg.Free.Right)
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
			at := min(max(i-up, 0), nz-1)*nx + min(max(j-left, 0), nx-1)
			r := cfg.Dt / cfg.Dx
			alpha[i*w+j] = vel[at] * vel[at] * r * r
			dalpha[i*w+j] = 2 * vel[at] * dvel[at] * r * r
			out := max(left-1-j, j-left-nx)
			if out < 0 {
				out = max(up-1-i, i-up-nz)
			}
			if out > 0 {
				a := float64(cfg.Pad-1) * cfg.Dx
				d := 3 * math.Log(1e7) / (2 * a) * math.Pow(float64(out)*cfg.Dx/a, 2) * cfg.Dt
				kappa[i*w+j] = least * d
				dkappa[i*w+j] = dleast * d
			}
		}
	}
	weights := textbook[cfg.Order]
	lap := func(p []float64, i, j int) float64 {
		at := func(di, dj int) float64 {
			i, si := beyond(i+di, h, cfg.Free.Top || cfg.Free.Bottom)
			j, sj := beyond(j+dj, w, cfg.Free.Left || cfg.Free.Right)
			if si*sj == 0 {
				return 0
			}
			return si * sj * p[i*w+j]
		}
		sum := 2 * weights[0] * at(0, 0)
		for d := 1; d < len(weights); d++ {
			sum += weights[d] * (at(-d, 0) + at(d, 0) + at(0, -d) + at(0, d))
		}
		return sum
	}
	src := cfg.Sources[shot]
	at, v := (src.Row+up)*w+src.Col+left, vel[src.Row*nx+src.Col]
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
			k := (p.Row+up)*w + p.Col + left
			gather[n*len(receivers)+r], tangent[n*len(receivers)+r] = p2[k], t2[k]
		}
		p0, p1, t0, t1 = p1, p2, t1, t2
	}
	return gather, tangent
}

// beyond returns where the field beyond an edge is found again and its sign there, for a ring or between mirrors at -1 and size.
func beyond(i, size int, mirrors bool) (int, float64) {
	if !mirrors {
		return (i + size) % size, 1
	}
	switch {
	case i == -1 || i == size:
		return 0, 0
	case i < 0:
		return -2 - i, -1
	case i > size:
		return 2*size - i, -1
	}
	return i, 1
}
