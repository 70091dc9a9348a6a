package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// namedFile is a file that a flag names. Without a path there is none.
type namedFile struct{ flag, path string }

// modelFile is the file of the model that -model names, by itself or by its run folder.
func modelFile(model string) namedFile {
	if model != "" {
		model, _ = modelPath(model) // what is not there cannot be replaced
	}
	return namedFile{"-model", model}
}

// checkOutputs refuses, before any work, outputs that cannot be written, that are also inputs, or that are one file. A folder
// among the inputs has arrays.
func checkOutputs(outputs, inputs []namedFile) error {
	for i, out := range outputs {
		if out.path == "" {
			continue
		}
		for _, other := range append(outputs[:i:i], inputs...) {
			if sameFile(out.path, other.path) {
				return misuse("%s and %s are the same file, %s", other.flag, out.flag, out.path)
			}
			if filepath.Ext(out.path) == ".npy" && sameFile(filepath.Dir(out.path), other.path) {
				return misuse("%s %s is in the folder of %s", out.flag, out.path, other.flag)
			}
		}
		if info, err := os.Stat(filepath.Dir(out.path)); err != nil {
			return fmt.Errorf("%s %s: %w", out.flag, out.path, err)
		} else if !info.IsDir() {
			return fmt.Errorf("%s %s: %s is no folder", out.flag, out.path, filepath.Dir(out.path))
		}
		if info, err := os.Stat(out.path); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s %s: wanted a file, there is %v", out.flag, out.path, info.Mode().Type())
		}
	}
	return nil
}

// sameFile reports whether two paths name one file, which need not be there.
func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	a, errA = filepath.Abs(a)
	b, errB = filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}
