package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrFinished is returned by a Writer that was committed or aborted before.
var ErrFinished = errors.New("the file is already committed or aborted")

const bufferSize = 1 << 18

// Write replaces the file at path with what body writes. If body fails, or anything after it, the old file stays. Errors name the file and
// not this package, for they reach users through others.
func Write(path string, body func(w io.Writer) error) error {
	w, err := Create(path)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := body(w); err != nil {
		return err
	}
	return w.Commit()
}

// Writer is a file that appears under its name when it is committed. It is buffered, and for one goroutine at a time.
type Writer struct {
	path string // where the file will live, symbolic links resolved
	tmp  string
	file *os.File // nil once finished
	buf  *bufio.Writer
	err  error // the first failed write: such a file must not be committed
}

// Create starts the replacement of the file at path. A symbolic link is followed, so that the file it names is replaced, or made, and
// the permissions of an existing file are kept. A path that names a folder, a device or a pipe is refused.
func Create(path string) (*Writer, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("cannot replace %s: it is no regular file but %s", path, kind(info.Mode()))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("cannot write %s: %w", path, err)
	}
	target, err := follow(path)
	if err != nil {
		return nil, err
	}
	removeLeftovers(target)
	f, err := createTemp(target)
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", path, err)
	}
	w := &Writer{path: target, tmp: f.Name(), file: f, buf: bufio.NewWriterSize(f, bufferSize)}
	if info != nil {
		if err := f.Chmod(info.Mode().Perm()); err != nil && !chmodUnsupported {
			w.Abort()
			return nil, fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	return w, nil
}

// follow returns the file that a path names when symbolic links in its last place are followed, whether it is there or not.
func follow(path string) (string, error) {
	const deepest = 40 // links, as Linux has it
	target := path
	for range deepest {
		next, err := os.Readlink(target)
		if err != nil {
			return target, nil // it is no link; what else may be wrong with it the caller finds out
		}
		if !filepath.IsAbs(next) {
			// The folder may be a link itself, so that .. in next counts from where it leads.
			dir, err := filepath.EvalSymlinks(filepath.Dir(target))
			if err != nil {
				return "", fmt.Errorf("atomicfile: %w", err)
			}
			next = filepath.Join(dir, next)
		}
		target = next
	}
	return "", fmt.Errorf("atomicfile: cannot write %s: it leads through more than %d symbolic links", path, deepest)
}

// Write appends p.
func (w *Writer) Write(p []byte) (int, error) {
	if w.file == nil {
		return 0, ErrFinished
	}
	n, err := w.buf.Write(p)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, w.named(err)
}

// Sync forces what was written so far to the disk. Who replaces several files that belong together syncs all of them before the
// first Commit, which then takes no time in which the process could be killed between two.
func (w *Writer) Sync() error {
	if w.file == nil {
		return ErrFinished
	}
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	if w.err == nil {
		w.err = w.file.Sync()
	}
	return w.named(w.err)
}

// Commit forces what was written to the disk and puts it in place of the old file. If it fails, or if a Write failed before,
// the temporary file is removed and the old file stays.
func (w *Writer) Commit() error {
	if w.file == nil {
		return ErrFinished
	}
	if err := w.Sync(); err != nil {
		w.Abort()
		return err
	}
	f := w.file
	w.file = nil
	var err error
	if renameOpen {
		// The lock is held until the new name stands, so that nobody takes the file for a leftover.
		err = os.Rename(w.tmp, w.path)
		err = errors.Join(err, f.Close())
	} else {
		err = f.Close()
		if err == nil {
			err = os.Rename(w.tmp, w.path)
		}
	}
	if err != nil {
		os.Remove(w.tmp)
		return w.named(err)
	}
	if err := syncDir(filepath.Dir(w.path)); err != nil {
		return w.named(err)
	}
	return nil
}

// Abort drops what was written. After Commit, or a second time, it does nothing, so that it can be deferred.
func (w *Writer) Abort() {
	if w.file == nil {
		return
	}
	w.file.Close()
	w.file = nil
	os.Remove(w.tmp)
}

func (w *Writer) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot write %s: %w", w.path, err)
}

// createTemp makes a locked file with a free temporary name beside target.
func createTemp(target string) (*os.File, error) {
	dir, base := filepath.Split(target)
	for try := 0; ; try++ {
		name := dir + "." + base + "." + strconv.FormatUint(rand.Uint64(), 36) + ".tmp"
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		if err != nil {
			return nil, err
		}
		lock(f)
		// Between its creation and the lock another writer may have taken it for a leftover.
		if _, err := os.Lstat(name); err == nil || try >= 100 {
			return f, nil
		}
		f.Close()
	}
}

// removeLeftovers removes the temporary files of target that no living process holds.
func removeLeftovers(target string) {
	dir, base := filepath.Split(target)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // creating the file there will say what is wrong
	}
	for _, e := range entries {
		random, ok := strings.CutPrefix(e.Name(), "."+base+".")
		if !ok || !e.Type().IsRegular() {
			continue
		}
		random, ok = strings.CutSuffix(random, ".tmp")
		if _, err := strconv.ParseUint(random, 36, 64); !ok || err != nil {
			continue
		}
		removeUnheld(filepath.Join(dir, e.Name()))
	}
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	}
	return "of mode " + m.String()
}
