package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

const (
	quiet   = 2 * time.Second        // shorter jobs show nothing
	redraw  = 250 * time.Millisecond // between two looks at a job on a terminal
	look    = time.Second            // and elsewhere
	spacing = 2 * time.Second        // plain lines are not closer than this
	silence = 30 * time.Second       // nor farther apart than this
)

// Bar is the progress of one job. All methods may be called from several goroutines at once, and do nothing on a nil Bar, so that
// code which is to run silently needs no test. Errors of the writer are ignored: a job does not fail because nobody can watch it.
type Bar struct {
	label string
	total int64
	begun time.Time
	done  atomic.Int64
	note  atomic.Pointer[string]
	stop  func()

	mu       sync.Mutex // of all that follows
	w        io.Writer
	columns  func() int // width of the terminal; nil where w is none
	drawn    int        // characters of the line that stands on the terminal
	printed  time.Time  // when the last plain line appeared
	reached  int64      // what it told
	any      bool       // something was shown
	finished bool
}

// Start begins to show a job of total units; zero means that their number is unknown. Done must end it.
func Start(w io.Writer, label string, total int) *Bar { return start(w, label, total, terminal(w)) }

// terminal gives the width of the terminal that w is, nil if it is none on which a line can be redrawn.
func terminal(w io.Writer) func() int {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() int {
		n, _, err := term.GetSize(int(f.Fd()))
		if err != nil || n < 1 {
			return 80
		}
		return n
	}
}

func start(w io.Writer, label string, total int, columns func() int) *Bar {
	b := &Bar{label: label, total: int64(max(total, 0)), begun: time.Now(), w: w, columns: columns}
	b.printed = b.begun
	every := look
	if columns != nil {
		every = redraw
	}
	ticker, ended := time.NewTicker(every), make(chan struct{})
	b.stop = sync.OnceFunc(func() {
		ticker.Stop()
		close(ended)
	})
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				b.show()
			}
		}
	}()
	return b
}

// Add tells that n more units are done. It never waits for the writer.
func (b *Bar) Add(n int) {
	if b != nil {
		b.done.Add(int64(n))
	}
}

// Note sets the text at the end of the line, such as a loss.
func (b *Bar) Note(format string, args ...any) {
	if b != nil {
		// A line stays a line.
		s := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
		b.note.Store(&s)
	}
}

// Done ends the job: a last line tells what was done and how long it took, unless the job was short.
func (b *Bar) Done() {
	if b == nil {
		return
	}
	b.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.finished {
		return
	}
	b.finished = true
	spent := time.Since(b.begun)
	switch {
	case !b.any && spent < quiet:
	case b.columns != nil:
		b.draw(spent)
		io.WriteString(b.w, "\n")
	default:
		io.WriteString(b.w, b.line(spent, 0)+"\n")
	}
}

// show draws or prints what is due now.
func (b *Bar) show() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	spent := now.Sub(b.begun)
	if b.finished || spent < quiet {
		return
	}
	if b.columns != nil {
		b.draw(spent)
		return
	}
	done := b.done.Load()
	tenth := b.total > 0 && done < b.total && done*10/b.total > b.reached*10/b.total
	since := now.Sub(b.printed)
	if since >= silence || tenth && since >= spacing {
		io.WriteString(b.w, b.line(spent, 0)+"\n")
		b.printed, b.reached, b.any = now, done, true
	}
}

// draw replaces the line on the terminal.
func (b *Bar) draw(spent time.Duration) {
	room := b.columns() - 1 // a full line would wrap
	const narrow, wide = 10, 30
	line := []rune(b.line(spent, wide))
	if len(line) > room {
		line = []rune(b.line(spent, narrow))
	}
	if len(line) > room {
		line = line[:max(room, 0)]
	}
	io.WriteString(b.w, "\r"+pad(string(line), b.drawn))
	b.drawn, b.any = len(line), true
}

// pad appends blanks to s up to n characters, to cover what stood there.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-len([]rune(s)))) }
