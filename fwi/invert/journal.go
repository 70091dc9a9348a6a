package invert

// journal remembers what the simulations of a stage returned. An optimiser that starts again from the same point asks for the
// same simulations in the same order; it is given the remembered ones and arrives, without computing, at the state in which it
// was stopped, to the last bit. That is how an inversion resumes exactly with an optimiser whose state cannot be saved.
type journal struct {
	misfit []float64
	grad   [][]float32
	next   int // of the entries, the one to replay
}

func (j *journal) simulate(f func() (float64, []float32, error)) (float64, []float32, error) {
	if j == nil {
		return f()
	}
	if j.next < len(j.misfit) {
		j.next++
		return j.misfit[j.next-1], j.grad[j.next-1], nil
	}
	misfit, grad, err := f()
	if err != nil {
		return 0, nil, err
	}
	j.misfit = append(j.misfit, misfit)
	j.grad = append(j.grad, append([]float32(nil), grad...))
	j.next++
	return misfit, grad, nil
}
