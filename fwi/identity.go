package fwi

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/spamoe/spamoe/checkpoint"
)

// identityKey names the identity of a run in the metadata of its checkpoint.
const identityKey = "spamoe.training.run"

// identity is what a training run depends on beside the configuration of its model: from the checkpoint of another no run may go on.
type identity struct {
	Training Training `json:"training"` // without what may change from one start to the next
	Train    int      `json:"train"`    // pairs
	Val      int      `json:"val"`
	Sample   string   `json:"sample"` // a hash of some pairs of both sets
}

func newIdentity(cfg Training, train, val Data) (identity, error) {
	cfg.Epochs, cfg.Patience, cfg.Recompute, cfg.CheckpointEvery = 0, 0, false, 0
	id := identity{Training: cfg, Train: train.Len(), Val: val.Len()}
	h := sha256.New()
	for _, d := range []Data{train, val} {
		xs, ys := d.Shapes()
		x, y := make([]float32, size(xs)), make([]float32, size(ys))
		for _, i := range []int{0, d.Len() / 2, d.Len() - 1} {
			if err := d.Read(i, x, y); err != nil {
				return id, err
			}
			binary.Write(h, binary.LittleEndian, x) // a hash takes all
			binary.Write(h, binary.LittleEndian, y)
		}
	}
	id.Sample = fmt.Sprintf("%x", h.Sum(nil)[:16])
	return id, nil
}

// check reports a checkpoint of a run of another identity, or of a model of another configuration.
func (id identity) check(f *checkpoint.File, cfg Config) error {
	text, ok := f.Metadata[identityKey]
	if !ok {
		return fmt.Errorf("%s does not say which run it is of (%q in its metadata); remove it to train anew", f.Name(), identityKey)
	}
	var was identity
	if err := json.Unmarshal([]byte(text), &was); err != nil {
		return fmt.Errorf("%s: %q in its metadata: %w", f.Name(), identityKey, err)
	}
	model, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	const advice = "remove it to train anew, or name another folder"
	switch {
	case !bytes.Equal(model, []byte(f.Metadata[checkpoint.ConfigKey])):
		return fmt.Errorf("%s is of a run with another model; %s", f.Name(), advice)
	case was.Training != id.Training:
		return fmt.Errorf("%s is of a run with other settings (%s); %s", f.Name(), differences(was.Training, id.Training), advice)
	case was.Train != id.Train || was.Val != id.Val:
		return fmt.Errorf("%s is of a run on %d pairs, validated on %d; these are %d and %d; %s", f.Name(), was.Train, was.Val, id.Train, id.Val, advice)
	case was.Sample != id.Sample:
		return fmt.Errorf("%s is of a run on other data; %s", f.Name(), advice)
	}
	return nil
}

// differences lists the settings that are not the same.
func differences(was, now Training) string {
	a, b := reflect.ValueOf(was), reflect.ValueOf(now)
	var list []string
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); x != y {
			list = append(list, fmt.Sprintf("%s %+v there, %+v here", a.Type().Field(i).Name, x, y))
		}
	}
	return strings.Join(list, "; ")
}
