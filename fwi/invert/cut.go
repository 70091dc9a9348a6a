package invert

import "slices"

// A map cut into regions replaces the one that it comes from where its misfit, once the regions have found their values, is at most a number of
// times that map's, the Loss of the stage, both less what noise accounts for. The numbers are of misfits as L2 has them, half of squares.
const (
	acceptedNoise = 0.05  // of the noise: the least excess over it that counts
	strictNoise   = 0.005 // the same for a Loss of at most strictLoss, where there is noise
	regionsFloor  = 5e-5  // a relative error of 1 %, or the square of the Loss times the map's misfit: taken for noise where there is less
	// A price is lowered by lowerPrice, so many times, while the cut map's misfit is more than tolerableLoss times the other's at first.
	tolerableLoss = 100
	lowerPrice    = 3
	triedPrices   = 3
	// Rows are preferred unless their misfit at first is tolerableRows times that of regions, and layers of rows to rows while theirs is
	// less than promisingLoss times the map's.
	tolerableRows = 4
	promisingLoss = 25
	// A fit of regions that has come to no less than hopefulLoss times the Loss after hopefulIterations, or hopefulSteps of gaussNewton, ends there.
	hopefulLoss       = 4
	hopefulIterations = 6
	hopefulSteps      = 2
)

// joinLimit returns the misfit that joined regions may have.
func joinLimit(before float64) float64 {
	return max(min(joinLoss*before, max(joinCertain*before, joinCeiling)), joinFloor)
}

const (
	joinLoss    = 16     // times the map's misfit, as far as that is at most joinCeiling
	joinCertain = 4      // times the map's misfit, in any case
	joinCeiling = 7.5e-4 // a relative error of 4 %; maps that explain less, or as much as there is noise, are not joined
	joinFloor   = 1e-5   // a relative error of 0.4 %, in any case
)

// cut returns the map of the state made of regions, nil where none promise anything, and keeps the misfit that the map itself has. The
// regions are rows, or layers of rows, where those fit the data about as well.
func (r *run) cut(stage Stage, data simulations) ([]float64, error) {
	if s := &r.state; s.Refused > 0 && stage.Prior == Regions && stage.Loss <= s.RefusedLoss {
		r.before = s.Refused
		return nil, nil
	}
	misfit := func(u []float64) (float64, error) { return data.misfit(r.ctx, r.bounds.velocities(u)) }
	var err error
	if r.before, err = misfit(r.state.u); err != nil {
		return nil, err
	}
	base, noise := max(r.before, regionsFloor), data.expected(r.noise)
	layered := rowMeans(r.state.u, r.p.NX)
	ofRows, err := misfit(layered)
	if err != nil {
		return nil, err
	}
	if stage.Prior == Strata {
		if ofRows >= base*tolerableLoss {
			return nil, nil
		}
		return layered, nil
	}
	var u []float64
	var m float64
	if r.curved(stage) && data[0].thin == nil && r.before < joinCeiling && noise < regionsFloor {
		if u, err = r.join(data, joinLimit(r.before)); err != nil {
			return nil, err
		}
		if m, err = misfit(u); err != nil {
			return nil, err
		}
		if m < base*tolerableLoss {
			return u, nil
		}
	}
	price := stage.Price
	for range triedPrices {
		u = slices.Clone(r.state.u)
		flatten(u, r.p.NX, price)
		if m, err = misfit(u); err != nil {
			return nil, err
		}
		if m < base*tolerableLoss {
			break
		}
		price /= lowerPrice
	}
	switch {
	case ofRows < min(m*tolerableRows, base*tolerableLoss):
		layers := slices.Clone(layered)
		flatten(layers, r.p.NX, stage.Price)
		if m, err = misfit(layers); err != nil {
			return nil, err
		}
		if m < base*promisingLoss {
			return layers, nil
		}
		return layered, nil
	case m >= base*tolerableLoss:
		return nil, nil
	}
	return u, nil
}

// explains reports whether a misfit is at most loss times another one, both less what noise accounts for.
func explains(misfit, other, noise, loss float64) bool {
	floor, least := max(noise, min(regionsFloor, loss*loss*other)), acceptedNoise
	if noise >= regionsFloor && loss <= strictLoss {
		least = strictNoise
	}
	if misfit-floor <= loss*max(other-floor, least*floor) {
		return true
	}
	return noise < regionsFloor && misfit <= loss*other
}

// A map that was cut at a Loss of more than strictLoss must explain the data that well in the end, or it becomes again what it was.
const strictLoss = 3

// settle is called at the end of a stage of cells, with the misfit that it ended with and that of the noise.
func (r *run) settle(stage Stage, misfit, noise float64) {
	s := &r.state
	if s.uncut != nil && stage.LowPass == 0 && !explains(misfit, s.Uncut, noise, strictLoss) {
		copy(s.u, s.uncut)
	}
	s.uncut, s.Uncut = nil, 0
}

// rowMeans returns u with the mean of every row in all its cells.
func rowMeans(u []float64, nx int) []float64 {
	means := make([]float64, len(u))
	for row := 0; row < len(u); row += nx {
		sum := 0.0
		for _, v := range u[row : row+nx] {
			sum += v
		}
		for i := range nx {
			means[row+i] = sum / float64(nx)
		}
	}
	return means
}
