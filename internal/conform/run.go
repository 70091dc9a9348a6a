package conform

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Status is how a case ended.
type Status string

const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped" // this module has no such operation
)

// Result is the outcome of one case.
type Result struct {
	Name   string // of the case, or of its folder where case.json cannot be read
	Op     string
	Status Status
	Detail string // the mistake, or how much of the tolerance was used
}

// runner runs a case and returns what to say of one that passes.
type runner func(c *testCase) (detail string, err error)

// Options change how cases are run; the zero value compares with their tolerances.
type Options struct {
	// BFloat16 runs networks on tapes of bfloat16 and reports how far, relative to the root of the sum of squares, outputs and all
	// gradients together are off. More than outputLimit or gradientLimit fails.
	BFloat16 bool
}

// Run runs the case in a folder.
func Run(dir string, o Options) Result {
	r := Result{Name: filepath.Base(dir), Status: Failed}
	c, err := readCase(dir)
	if err != nil {
		r.Detail = err.Error()
		return r
	}
	c.bf16 = o.BFloat16
	r.Op = c.Op
	if c.Name != "" {
		r.Name = c.Name
	}
	run, ok := runners[c.Op]
	if !ok {
		r.Status, r.Detail = Skipped, fmt.Sprintf("no operation %q", c.Op)
		return r
	}
	if r.Detail, err = guarded(run, c); err != nil {
		r.Detail = err.Error()
		return r
	}
	r.Status = Passed
	return r
}

// guarded runs a case and turns a panic, which is how operations refuse shapes, into an error.
func guarded(run runner, c *testCase) (detail string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run(c)
}

// RunAll runs, with the given options, the cases in all folders below dir, dir included, that hold a case.json, in the order of their paths, and hands
// each result to each. It returns early, with ctx's error, when ctx ends; a folder without any case is an error.
func RunAll(ctx context.Context, dir string, o Options, each func(Result)) (passed, failed, skipped int, err error) {
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow a link, not even its root
	if err != nil {
		return 0, 0, 0, fmt.Errorf("conform: %w", err)
	}
	var folders []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == "case.json" {
			folders = append(folders, filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		return 0, 0, 0, fmt.Errorf("conform: %w", err)
	}
	if len(folders) == 0 {
		return 0, 0, 0, fmt.Errorf("conform: no case.json in or below %s", dir)
	}
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return passed, failed, skipped, err
		}
		r := Run(folder, o)
		switch r.Status {
		case Passed:
			passed++
		case Failed:
			failed++
		default:
			skipped++
		}
		each(r)
	}
	return passed, failed, skipped, nil
}
