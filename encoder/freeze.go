package encoder

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spamoe/spamoe/autograd"
)

// Freeze keeps parameters as they are: each pattern names a part of the model, "backbone.blocks.3", or several with a star for one
// element, "backbone.blocks.*.attn". A pattern that fits no parameter is an error; those that fit are in effect all the same.
func (m *Model) Freeze(patterns ...string) error {
	for _, pattern := range patterns {
		n := 0
		for name, p := range autograd.Params(m) {
			if within(name, pattern) {
				p.Frozen = true
				n++
			}
		}
		if n == 0 {
			return fmt.Errorf("encoder: freeze: no parameter is called %q or lies below it", pattern)
		}
	}
	return nil
}

// within reports whether name is the pattern or lies below it.
func within(name, pattern string) bool {
	have, want := strings.Split(name, "."), strings.Split(pattern, ".")
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if w != "*" && w != have[i] {
			return false
		}
	}
	return true
}

// freezeBlocks freezes what comes ahead of block n (of stage n of a ConvNeXt), -1 the whole backbone; 0 freezes nothing.
func (m *Model) freezeBlocks(n int) {
	if n == 0 {
		return
	}
	for name, p := range autograd.Params(m) {
		part, ok := strings.CutPrefix(name, "backbone.")
		if !ok || strings.HasPrefix(part, "head.fc.") {
			continue
		}
		list, rest, _ := strings.Cut(part, ".")
		number, _, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(number)
		inList := err == nil && (list == "blocks" || list == "stages")
		ends := list == "norm" || list == "head"
		if n < 0 || inList && i < n || !inList && !ends {
			p.Frozen = true
		}
	}
}
