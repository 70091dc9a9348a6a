package invert

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/spamoe/spamoe/checkpoint"
)

// state is what an inversion that was stopped goes on from: the beginning of a round and what was simulated since.
type state struct {
	Stage, Round int
	Finished     bool
	Damping      float64 `json:",omitempty"` // of steps of Gauss-Newton
	Stratified   bool    `json:",omitempty"` // the map was last found, or cut, without contradiction to constant rows
	Uncut        float64 `json:",omitempty"` // misfit of the map before it was cut into regions, for settle
	Refused      float64 `json:",omitempty"` // misfit of the map, whose cut into regions was refused; zero: it was not
	RefusedLoss  float64 `json:",omitempty"` // the Loss at which it was
	History      []Point // of the rounds that are over

	start   []float32 // the map that the inversion began with
	u       []float64 // the map at the beginning of the round
	weight  []float64 // of the unknowns; nil before they are known
	wavelet []float64 // that was estimated; nil: none was
	uncut   []float64 // the map that Uncut belongs to
	journal journal
}

// Point is the end of a round in the history of an inversion.
type Point struct {
	Stage      int     `json:"stage"`
	Round      int     `json:"round"`
	Iterations int     `json:"iterations"`
	Before     float64 `json:"before"` // misfit at the beginning, L2 as relative error
	After      float64 `json:"after"`
}

// Keys of a state file.
const (
	stateKey    = "spamoe.invert"
	identityKey = "spamoe.invert.problem"
)

// save replaces the state file.
func (s *state) save(path, identity string) error {
	meta, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tensors := map[string]checkpoint.Tensor{"start": checkpoint.FromFloat32(s.start, len(s.start)), "u": checkpoint.FromFloat64(s.u, len(s.u))}
	if s.weight != nil {
		tensors["weight"] = checkpoint.FromFloat64(s.weight, len(s.weight))
	}
	if s.wavelet != nil {
		tensors["wavelet"] = checkpoint.FromFloat64(s.wavelet, len(s.wavelet))
	}
	if s.uncut != nil {
		tensors["uncut"] = checkpoint.FromFloat64(s.uncut, len(s.uncut))
	}
	if n := len(s.journal.misfit); n > 0 {
		var all []float32
		for _, g := range s.journal.grad {
			all = append(all, g...)
		}
		tensors["journal.misfit"] = checkpoint.FromFloat64(s.journal.misfit, n)
		tensors["journal.gradient"] = checkpoint.FromFloat32(all, n, len(s.u))
	}
	return checkpoint.Write(path, tensors, map[string]string{stateKey: string(meta), identityKey: identity})
}

// load reads a state file, if there is one. It refuses one of another problem.
func (s *state) load(path, identity string) (found bool, err error) {
	f, err := checkpoint.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if f.Metadata[stateKey] == "" {
		return false, fmt.Errorf("invert: %s is not the state of an inversion", path)
	}
	if f.Metadata[identityKey] != identity {
		return false, fmt.Errorf("invert: %s is the state of an inversion of other data or with other settings; remove it or name another file", path)
	}
	if err := json.Unmarshal([]byte(f.Metadata[stateKey]), s); err != nil {
		return false, fmt.Errorf("invert: %s: %w", path, err)
	}
	read := func(name string) []float64 {
		if t, ok := f.Tensor(name); ok {
			return t.Float64()
		}
		return nil
	}
	s.u, s.weight, s.wavelet, s.uncut = read("u"), read("weight"), read("wavelet"), read("uncut")
	t, ok := f.Tensor("start")
	if !ok {
		return false, fmt.Errorf("invert: %s does not say where the inversion started; remove it or name another file", path)
	}
	s.start = t.Float32()
	s.journal = journal{misfit: read("journal.misfit")}
	if t, ok := f.Tensor("journal.gradient"); ok {
		all := t.Float32()
		if len(all) != len(s.journal.misfit)*len(s.u) {
			return false, fmt.Errorf("invert: %s: %d gradients have %d values, want %d each", path, len(s.journal.misfit), len(all), len(s.u))
		}
		for i := range s.journal.misfit {
			s.journal.grad = append(s.journal.grad, all[i*len(s.u):][:len(s.u)])
		}
	}
	return true, nil
}

// identity tells problems and settings apart.
func identity(p *Problem, c *Config) (string, error) {
	text, err := json.Marshal(struct {
		Problem any
		Config  *Config
	}{struct {
		Survey any
		NZ, NX int
	}{p.Survey, p.NZ, p.NX}, c})
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(text)
	var b [4]byte
	for _, x := range [][]float32{p.Data, p.Start} {
		for _, v := range x {
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
			h.Write(b[:])
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16]), nil
}
