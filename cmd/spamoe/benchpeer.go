package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// peerRun measures another program beside this one.
type peerRun struct {
	command string // of the other program, split at spaces
	rounds  int
}

// best is the smallest time of a measurement in milliseconds and the largest memory in MB; the time is infinite where there was none.
type best struct {
	ms float64
	mb int
}

// rival is a measurement of both sides: the peer's and ours.
type rival struct {
	name  string
	sides [2]best
}

// compare runs both programs in turn, once per name and round, and prints a table of what both have measured.
func (p *peerRun) compare(b *bencher, names []string, threads int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := strings.Fields(p.command)
	if len(command) == 0 {
		return misuse("-peer %q names no command", p.command)
	}
	common := []string{"-t", strconv.Itoa(threads), "-r", strconv.Itoa(b.repeats)}
	ours := append([]string{self, "bench", "-only", b.only, "-recompute=" + strconv.FormatBool(b.recompute), "-bf16=" + strconv.FormatBool(b.bf16)}, common...)
	var rivals []rival
	for range p.rounds {
		for _, name := range names {
			for side, c := range [2][]string{slices.Concat(command, common), ours} {
				if err := measured(b.ctx, append(slices.Clip(c), name), func(m measurement) { rivals = enter(rivals, side, m) }); err != nil {
					return err
				}
			}
		}
	}
	return table(b.out, rivals)
}

// measured runs a command and calls f with the measurements that it prints.
func measured(ctx context.Context, command []string, f func(measurement)) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, bytes.TrimSpace(complaint.Bytes()))
	}
	for line := range bytes.Lines(out) {
		var m measurement
		if err := json.Unmarshal(line, &m); err != nil || m.Name == "" || !(m.MinMS > 0) {
			return fmt.Errorf("%s printed %q; wanted a measurement as JSON with name, min_ms and peak_mb", strings.Join(command, " "), bytes.TrimSpace(line))
		}
		f(m)
	}
	return nil
}

// enter adds a measurement of one side to the list, which has every name once.
func enter(rivals []rival, side int, m measurement) []rival {
	i := slices.IndexFunc(rivals, func(r rival) bool { return r.name == m.Name })
	if i < 0 {
		i = len(rivals)
		none := best{ms: math.Inf(1)}
		rivals = append(rivals, rival{m.Name, [2]best{none, none}})
	}
	s := &rivals[i].sides[side]
	s.ms, s.mb = min(s.ms, m.MinMS), max(s.mb, m.PeakMB)
	return rivals
}

// table prints, in Markdown, what both sides have measured; a ratio above 1 means that ours is faster.
func table(w io.Writer, rivals []rival) error {
	text := "| bench | ratio | peer ms | ours ms | peer MB | ours MB |\n| --- | --- | --- | --- | --- | --- |\n"
	for _, r := range rivals {
		if peer, ours := r.sides[0], r.sides[1]; !math.IsInf(peer.ms, 0) && !math.IsInf(ours.ms, 0) {
			text += fmt.Sprintf("| %s | %.2f | %s | %s | %d | %d |\n", r.name, peer.ms/ours.ms, milliseconds(peer.ms), milliseconds(ours.ms), peer.mb, ours.mb)
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

// milliseconds writes a time with three digits or more.
func milliseconds(t float64) string {
	return strconv.FormatFloat(t, 'f', max(0, 2-int(math.Floor(math.Log10(t)))), 64)
}
