package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spamoe/spamoe/fwi"
	"github.com/spamoe/spamoe/internal/atomicfile"
)

// Names of what a run folder holds beside the files of package fwi.
const (
	configFile  = "config.json"
	metricsFile = "metrics.json"
	mapsPicture = "maps.png"
	lossPicture = "loss.png"
	runsFolder  = "runs"
	lastFile    = "last" // names the last run, in runsFolder
)

// newRun makes the folder of a new run and notes it as the last one. Without a path it is runs/DATE-TIME-NAME.
func newRun(path, name string) (string, error) {
	if path == "" {
		path = filepath.Join(runsFolder, time.Now().Format("20060102-150405")+"-"+name)
	}
	for _, name := range []string{configFile, fwi.CheckpointFile} {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return "", fmt.Errorf("%s holds a run already, %s; -resume continues it, -out names another folder", path, name)
		}
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	return path, noteLast(path)
}

func noteLast(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(runsFolder, 0o755); err != nil {
		return err
	}
	base, err := filepath.Abs(runsFolder)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(base, abs); err == nil && !strings.HasPrefix(rel, "..") {
		abs = rel // so that the folders can be moved together
	}
	return atomicfile.Write(filepath.Join(runsFolder, lastFile), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, filepath.ToSlash(abs))
		return err
	})
}

// lastRun returns the folder of the last run started in this folder.
func lastRun() (string, error) {
	data, err := os.ReadFile(filepath.Join(runsFolder, lastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("there is no run in this folder yet: train a model first, or name one with -model")
	}
	if err != nil {
		return "", err
	}
	path := filepath.FromSlash(strings.TrimSpace(string(data)))
	if !filepath.IsAbs(path) {
		path = filepath.Join(runsFolder, path)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the last run is gone: %w; train a model, or name one with -model", err)
	}
	return path, nil
}

// openModel loads a model from a run folder or a model file; an empty path means the last run.
func openModel(path string) (*fwi.Model, string, error) {
	path, err := modelPath(path)
	if err != nil {
		return nil, "", err
	}
	m, err := fwi.Load(path)
	return m, path, err
}

// writeJSON writes v, indented.
func writeJSON(path string, v any) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// readJSON reads v and refuses fields that v does not have.
func readJSON(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows the JSON value", path)
	}
	return nil
}
