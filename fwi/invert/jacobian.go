package invert

import "github.com/spamoe/spamoe/internal/kernel"

// jacobian collects rows of J.
type jacobian struct {
	*spectra
	n, cells int       // columns, and cells with the strip
	spans    []span    // the columns that cells belong to
	used     int       // rows
	j        []float32 // rows x n
	product  []float32 // 2 nf x n
	back     []float32 // rows x 2 nf, weighted
	scratch  kernel.Scratch[float32]
}

// span are cells [from, to) of one column, or of one after the other from column on.
type span struct {
	from, to, column int
	each             bool
}

// newSpans returns those of the columns of cells.
func newSpans(column []int) (all []span) {
	for i := 0; i < len(column); {
		r := span{from: i, to: i + 1, column: column[i]}
		r.each = r.to < len(column) && column[r.to] == r.column+1
		for r.to < len(column) && (r.each && column[r.to] == r.column+r.to-i || !r.each && column[r.to] == r.column) {
			r.to++
		}
		all = append(all, r)
		i = r.to
	}
	return all
}

// fold adds the cells of src to the columns of dst that they belong to.
func fold(dst, src []float32, spans []span) {
	for _, r := range spans {
		cells := src[r.from:r.to]
		if r.each {
			columns := dst[r.column:][:len(cells)]
			for i, v := range cells {
				columns[i] += v
			}
			continue
		}
		var a, b, c, d float32
		for ; len(cells) >= 4; cells = cells[4:] {
			a += cells[0]
			b += cells[1]
			c += cells[2]
			d += cells[3]
		}
		for _, v := range cells {
			a += v
		}
		dst[r.column] += a + b + c + d
	}
}

// add appends the rows of a trace, from the spectra of its source and its receiver and with the weights of its samples.
func (j *jacobian) add(source, response, weight []float32) {
	nf, n, cells := j.nf, j.n, j.cells
	if j.product == nil {
		j.product, j.back = make([]float32, 2*nf*n), make([]float32, len(j.spectra.back))
	}
	clear(j.product)
	kernel.Parallel(nf, 1, func(lo, hi int) {
		plain, mixed := j.scratch.Get(cells), j.scratch.Get(cells)
		for k := lo; k < hi; k++ {
			ar, ai, br, bi := source[k*cells:][:cells], source[(nf+k)*cells:][:cells], response[k*cells:][:cells], response[(nf+k)*cells:][:cells]
			kernel.Mul(plain, ar, br)
			kernel.Mul(mixed, ai, bi)
			kernel.Sub(plain, plain, mixed)
			fold(j.product[k*n:][:n], plain, j.spans)
			kernel.Mul(mixed, ar, bi)
			kernel.MulAdd(mixed, ai, br)
			fold(j.product[(nf+k)*n:][:n], mixed, j.spans)
		}
		j.scratch.Put(plain)
		j.scratch.Put(mixed)
	})
	for i, w := range weight {
		for k, b := range j.spectra.back[i*2*nf:][:2*nf] {
			j.back[i*2*nf+k] = w * b
		}
	}
	rows := j.rows()
	if more := (j.used+rows)*n - len(j.j); more > 0 { // several traces of a shot have this place
		j.j = append(j.j, make([]float32, more)...)
	}
	kernel.Gemm(false, false, rows, n, 2*nf, j.back, 2*nf, j.product, n, j.j[j.used*n:], n, false)
	j.used += rows
}

// square adds J'J to the lower triangle of h, block by block. The rounding of J to bfloat16 is noise that averages out over its rows; J'J remains without
// negative eigenvalues, as it is that of another J.
func (j *jacobian) square(h []float32) {
	blocks := min(squareBlocks, j.n)
	for b := range blocks {
		lo, hi := b*j.n/blocks, (b+1)*j.n/blocks
		kernel.GemmBF16(true, false, j.n-lo, hi-lo, j.used, j.j[lo:], j.n, j.j[lo:], j.n, h[lo*j.n+lo:], j.n, true, nil)
	}
}

// squareBlocks are blocks of columns, of which a product spares what lies above the diagonal.
const squareBlocks = 8
