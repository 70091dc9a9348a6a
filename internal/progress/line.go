package progress

import (
	"fmt"
	"strings"
	"time"
)

// line writes the state of the job, with a bar of the given number of characters.
func (b *Bar) line(spent time.Duration, bar int) string {
	done := b.done.Load()
	var parts []string
	if b.label != "" {
		parts = append(parts, b.label)
	}
	clock := span(spent)
	switch {
	case b.total == 0:
		parts = append(parts, fmt.Sprint(done))
	default:
		share := min(max(float64(done)/float64(b.total), 0), 1)
		if bar > 0 {
			full := int(share * float64(bar))
			parts = append(parts, "["+strings.Repeat("#", full)+strings.Repeat(".", bar-full)+"]")
		}
		parts = append(parts, fmt.Sprintf("%3d %%", int(100*share)), fmt.Sprintf("%d/%d", done, b.total))
		switch {
		case b.finished || done >= b.total:
		case done <= 0:
			clock += ", ? left"
		default:
			clock += ", " + span(time.Duration(float64(spent)*float64(b.total-done)/float64(done))) + " left"
		}
	}
	parts = append(parts, clock)
	if s := b.note.Load(); s != nil && *s != "" {
		parts = append(parts, *s)
	}
	return strings.Join(parts, "  ")
}

// span writes a duration as 0:07, 12:34, 1:02:03 or, beyond two days, 3d 04h.
func span(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%dd %02dh", s/86400, s/3600%24)
}
