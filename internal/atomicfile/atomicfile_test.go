package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/spamoe/spamoe/internal/testdata"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestWriteReplacesTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	require.NoError(t, Write(path, text("first")))
	require.NoError(t, Write(path, text("second")))
	require.Equal(t, "second", read(t, path))
	require.Equal(t, []string{"a.txt"}, names(t, dir))
}

func TestFailedBodyLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	require.NoError(t, Write(path, text("old")))
	boom := errors.New("boom")
	err := Write(path, func(w io.Writer) error {
		_, err := w.Write(make([]byte, 3*bufferSize))
		require.NoError(t, err)
		return boom
	})
	require.ErrorIs(t, err, boom)
	require.Panics(t, func() { _ = Write(path, func(io.Writer) error { panic("body") }) })
	require.Equal(t, "old", read(t, path))
	require.Equal(t, []string{"a.txt"}, names(t, dir))
}

func TestNothingIsVisibleBeforeCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	w, err := Create(path)
	require.NoError(t, err)
	_, err = w.Write([]byte("new"))
	require.NoError(t, err)
	require.NoError(t, w.Sync())
	require.NoFileExists(t, path)
	for _, n := range names(t, dir) {
		require.Regexp(t, `^\.a\.txt\..+\.tmp$`, n)
	}
	require.NoError(t, w.Commit())
	require.Equal(t, "new", read(t, path))
	require.ErrorIs(t, w.Commit(), ErrFinished)
	require.ErrorIs(t, w.Sync(), ErrFinished)
	_, err = w.Write([]byte("late"))
	require.ErrorIs(t, err, ErrFinished)
	w.Abort()
	require.Equal(t, "new", read(t, path))
}

func TestAbortRemovesTheTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "a.txt"))
	require.NoError(t, err)
	w.Abort()
	w.Abort()
	require.Empty(t, names(t, dir))
	require.ErrorIs(t, w.Commit(), ErrFinished)
}

func TestLeftoversOfKilledWriters(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	dead := filepath.Join(dir, ".a.txt.3w5e11264sgsf.tmp")
	others := []string{".b.txt.3w5e11264sgsf.tmp", ".a.txt.notes!.tmp", ".a.txt.tmp"}
	require.NoError(t, os.WriteFile(dead, []byte("half"), 0o666))
	for _, n := range others {
		require.NoError(t, os.WriteFile(filepath.Join(dir, n), nil, 0o666))
	}
	live, err := Create(path)
	require.NoError(t, err)
	require.NoFileExists(t, dead)
	require.NoError(t, Write(path, text("second writer"))) // must not remove the file of the living one
	_, err = live.Write([]byte("first writer"))
	require.NoError(t, err)
	require.NoError(t, live.Commit())
	require.Equal(t, "first writer", read(t, path))
	require.ElementsMatch(t, append(others, "a.txt"), names(t, dir))
}

// A process that is killed while it writes leaves the old file, and a temporary one that the next writer removes.
func TestKilledProcess(t *testing.T) {
	if path := os.Getenv("ATOMICFILE_TEST_PATH"); path != "" {
		w, err := Create(path)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 2*bufferSize))
		require.NoError(t, err)
		os.Stdout.WriteString("ready\n")
		select {} // until it is killed
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	require.NoError(t, Write(path, text("old")))
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledProcess$")
	cmd.Env = append(os.Environ(), "ATOMICFILE_TEST_PATH="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Len(t, names(t, dir), 2)
	require.Equal(t, "old", read(t, path))
	require.NoError(t, Write(path, text("new")))
	require.Equal(t, []string{"a.txt"}, names(t, dir))
	require.Equal(t, "new", read(t, path))
}

func TestManyWritersOfOneName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			for range 10 {
				if err := Write(path, text(strings.Repeat(string(rune('a'+i)), 1000))); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	s := read(t, path)
	require.Equal(t, strings.Repeat(s[:1], 1000), s)
	require.Equal(t, []string{"a.txt"}, names(t, dir))
}

func TestPermissionsAndLinksAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions and symbolic links are those of unix")
	}
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.txt"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o666))
	require.NoError(t, os.Chmod(path, 0o640))
	require.NoError(t, os.Symlink("a.txt", link))
	require.NoError(t, Write(link, text("new")))
	require.Equal(t, "new", read(t, path))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
}

// A link to a file that is not there yet stays, and so does one through a link, from a folder that is a link itself.
func TestLinksToFilesToBe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links are those of unix")
	}
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "runs", "one"), 0o777))
	require.NoError(t, os.Symlink(filepath.Join("runs", "one"), filepath.Join(root, "last")))
	links := map[string]string{"absolute": filepath.Join(root, "runs", "a.txt"), "second": "absolute", "last/up": "../b.txt"}
	for link, to := range links {
		require.NoError(t, os.Symlink(to, filepath.Join(root, link)))
	}
	require.NoError(t, Write(filepath.Join(root, "second"), text("a")))
	require.NoError(t, Write(filepath.Join(root, "last", "up"), text("b")))
	require.Equal(t, "a", read(t, filepath.Join(root, "runs", "a.txt")))
	require.Equal(t, "b", read(t, filepath.Join(root, "runs", "b.txt")))
	for link, to := range links {
		found, err := os.Readlink(filepath.Join(root, link))
		require.NoError(t, err)
		require.Equal(t, to, found)
	}

	require.NoError(t, os.Symlink("loop", filepath.Join(root, "loop")))
	require.Error(t, Write(filepath.Join(root, "loop"), text("x")))
	_, err := follow(filepath.Join(root, "loop"))
	require.ErrorContains(t, err, "more than 40 symbolic links")
	require.NoError(t, os.Symlink(filepath.Join("absent", "a.txt"), filepath.Join(root, "nowhere")))
	require.ErrorContains(t, Write(filepath.Join(root, "nowhere"), text("x")), "absent")
}

func TestTargetsThatAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	require.EqualError(t, Write(dir, text("x")), "cannot replace "+dir+": it is no regular file but a folder")
	absent := filepath.Join(dir, "absent", "a.txt")
	require.ErrorContains(t, Write(absent, text("x")), "cannot write "+absent+": ")
	if _, err := os.Stat("/dev/null"); err == nil {
		require.ErrorContains(t, Write("/dev/null", text("x")), "it is no regular file but a device")
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, Write("a.txt", text("x")))
	require.NoError(t, Write("a.txt", text("y")))
	require.Equal(t, "y", read(t, "a.txt"))
}

// A full disk is met by a Write, by the flush or by the sync; whichever it is, the old file stays and the disk is freed.
func TestFullDisk(t *testing.T) {
	dir := testdata.SmallDisk(t, 1<<20)
	path := filepath.Join(dir, "a.txt")
	require.NoError(t, Write(path, text("old")))
	for _, size := range []int{1 << 20, 1<<20 + bufferSize/2, 4 << 20} {
		err := Write(path, func(w io.Writer) error {
			_, err := w.Write(make([]byte, size))
			return err
		})
		require.ErrorContains(t, err, "no space left on device")
		require.ErrorContains(t, err, "cannot write "+path)
		require.NotContains(t, err.Error(), "atomicfile")
		require.Equal(t, "old", read(t, path))
		require.Equal(t, []string{"a.txt"}, names(t, dir))
	}
	w, err := Create(path)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 4<<20))
	require.Error(t, err)
	require.Error(t, w.Sync())
	require.Error(t, w.Commit(), "a failed write must not be committed")
	require.Equal(t, "old", read(t, path))
	require.NoError(t, Write(path, text("fits again")))
}
