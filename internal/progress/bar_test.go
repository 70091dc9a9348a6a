package progress

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The clock of these tests is that of a synctest bubble: it stands still while anything runs.

func wide() int { return 100 }

// screen gives what a terminal shows after the bytes of s: each carriage return goes back to the start of its line.
func screen(s string) []string {
	var lines []string
	for _, l := range strings.Split(s, "\n") {
		var row []rune
		for _, part := range strings.Split(l, "\r") {
			for i, r := range []rune(part) {
				if i < len(row) {
					row[i] = r
				} else {
					row = append(row, r)
				}
			}
		}
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return lines
}

func TestShortJobsAreSilent(t *testing.T) {
	for _, columns := range []func() int{nil, wide} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			b := start(&out, "short", 10, columns)
			for range 10 {
				time.Sleep(190 * time.Millisecond)
				b.Add(1)
			}
			b.Done()
			require.Empty(t, out.String())
		})
	}
}

func TestTerminalShowsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, "training", 1000, wide)
		for range 310 {
			time.Sleep(100 * time.Millisecond)
			b.Add(1)
		}
		b.Note("loss\n%.4f", 0.0412)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"training  [#########.....................]   31 %  310/1000  0:32, 1:11 left  loss 0.0412"}, screen(out.String()))

		b.Add(690)
		b.Note("")
		b.Done()
		b.Done()
		require.Equal(t, []string{"training  [##############################]  100 %  1000/1000  0:32", ""}, screen(out.String()))
		shown := out.Len()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, shown, out.Len(), "nothing after Done")
	})
}

func TestLineFitsTheTerminal(t *testing.T) {
	for _, n := range []int{1, 2, 20, 60, 79} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			b := start(&out, "a long label of a long job", 10, func() int { return n })
			b.Note("and a long note as well – with a dash")
			time.Sleep(5 * time.Second)
			b.Done()
			for _, part := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
				require.Less(t, len([]rune(part)), n)
			}
		})
	}
}

func TestPlainLinesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, "test", 100, nil)
		for range 100 {
			time.Sleep(time.Second / 2)
			b.Add(1)
		}
		b.Done()
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		require.Len(t, lines, 10, out.String())
		require.Equal(t, "test  100 %  100/100  0:50", lines[9])
		require.NotContains(t, out.String(), "\r")
		for i, l := range lines[:9] {
			require.Regexp(t, `^test   [1-9]\d %  \d+/100  0:\d\d, 0:\d\d left$`, l, "line %d", i)
		}
	})
}

func TestPlainLinesComeAtLeastEveryHalfMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, "slow", 100, nil)
		time.Sleep(95 * time.Second)
		b.Done()
		require.Equal(t, []string{
			"slow    0 %  0/100  0:30, ? left", "slow    0 %  0/100  1:00, ? left", "slow    0 %  0/100  1:30, ? left",
			"slow    0 %  0/100  1:35", "",
		}, strings.Split(out.String(), "\n"))
	})
}

func TestUnknownTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, "", 0, wide)
		b.Add(7)
		time.Sleep(3 * time.Second)
		b.Done()
		require.Equal(t, []string{"7  0:03", ""}, screen(out.String()))
	})
}

func TestMoreThanTheTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, "x", 4, nil)
		b.Add(5)
		time.Sleep(3 * time.Second)
		b.Done()
		require.Equal(t, "x  100 %  5/4  0:03\n", out.String())
	})
}

func TestManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := start(&out, "x", 800, wide)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := range 100 {
					time.Sleep(50 * time.Millisecond)
					b.Add(1)
					b.Note("%d", i)
				}
			})
		}
		all.Wait()
		b.Done()
		got := screen(out.String())
		require.Len(t, got, 2)
		require.Equal(t, "x  [##############################]  100 %  800/800  0:05  99", got[0])
	})
}

// broken is a writer that fails.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestNobodyWatching(t *testing.T) {
	var none *Bar
	none.Add(1)
	none.Note("x")
	none.Done()
	synctest.Test(t, func(t *testing.T) {
		b := start(broken{}, "x", 2, wide)
		time.Sleep(5 * time.Second)
		b.Done()
	})
}

func TestFilesAreNoTerminals(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer f.Close()
	require.Nil(t, terminal(f))
	require.Nil(t, terminal(&bytes.Buffer{}))
}

func TestSpan(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0:00": 0, "0:08": 7600 * time.Millisecond, "12:34": 754 * time.Second, "1:02:03": 3723 * time.Second,
		"3d 04h": 76*time.Hour + 10*time.Minute,
	} {
		require.Equal(t, want, span(d))
	}
}
