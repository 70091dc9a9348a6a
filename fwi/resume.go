package fwi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spamoe/spamoe/checkpoint"
)

// positionKey names the position of training in the metadata of a checkpoint.
const positionKey = "spamoe.training"

// checkpoint writes the state between two optimiser steps: the parameters, the optimiser, the averages, and the position.
func (t *trainer) checkpoint() error {
	where, err := json.Marshal(t.now)
	if err != nil {
		return err
	}
	who, err := json.Marshal(t.who)
	if err != nil {
		return err
	}
	path := filepath.Join(t.dir, CheckpointFile)
	err = checkpoint.SaveModel(path, t, checkpoint.Info{Kind: "training", Config: t.model.saved(),
		Metadata: map[string]string{positionKey: string(where), identityKey: string(who)}})
	if err != nil {
		return err
	}
	t.saved, t.last = path, time.Now()
	return nil
}

// resume continues from the checkpoint in the folder of the run, if there is one. It must be of this run.
func (t *trainer) resume() error {
	path := filepath.Join(t.dir, CheckpointFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return truncateLog(filepath.Join(t.dir, LogFile), 0)
	}
	f, err := checkpoint.Read(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(f.Metadata[positionKey]), &t.now); err != nil {
		return fmt.Errorf("%s: it is no checkpoint of a training run: %q in its metadata: %w", path, positionKey, err)
	}
	if err := t.who.check(f, t.model.saved()); err != nil {
		return err
	}
	if err := checkpoint.LoadParams(f, t); err != nil {
		return err
	}
	t.saved = path
	return truncateLog(filepath.Join(t.dir, LogFile), t.now.Lines)
}
