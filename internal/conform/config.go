package conform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// config reads a case's config key by key. The first mistake is kept until done, and so is every key that nobody asked for.
type config struct {
	raw   map[string]json.RawMessage
	asked map[string]bool
	err   error
}

func newConfig(text json.RawMessage) *config {
	c := &config{asked: map[string]bool{"note": true}}
	if len(text) > 0 {
		c.err = json.Unmarshal(text, &c.raw)
	}
	return c
}

// get decodes a key into dst and reports whether it is there. JSON's null counts as absent.
func (c *config) get(key string, dst any) bool {
	c.asked[key] = true
	text, ok := c.raw[key]
	if !ok || bytes.Equal(text, []byte("null")) {
		return false
	}
	if err := json.Unmarshal(text, dst); err != nil && c.err == nil {
		c.err = fmt.Errorf("config key %q: %w", key, err)
	}
	return true
}

// key returns the value of a key, or what the reference takes without it.
func key[T any](c *config, name string, otherwise T) T {
	v := otherwise
	c.get(name, &v)
	return v
}

// pair returns a key that holds one number for both axes, or a list of two.
func (c *config) pair(name string, otherwise int) [2]int {
	var list []int
	c.asked[name] = true
	if text := c.raw[name]; len(text) > 0 && text[0] == '[' {
		c.get(name, &list)
		if len(list) != 2 && c.err == nil {
			c.err = fmt.Errorf("config key %q is %s, want one number or two", name, text)
		}
	}
	if len(list) == 2 {
		return [2]int{list[0], list[1]}
	}
	n := otherwise
	if len(list) == 0 {
		n = key(c, name, otherwise)
	}
	return [2]int{n, n}
}

// rest returns, as JSON, all keys that nobody asked for yet, for code that reads configs of its own, and strictly.
func (c *config) rest() json.RawMessage {
	rest := map[string]json.RawMessage{}
	for k, text := range c.raw {
		if !c.asked[k] {
			rest[k] = text
			c.asked[k] = true
		}
	}
	text, err := json.Marshal(rest)
	if err != nil && c.err == nil {
		c.err = err
	}
	return text
}

// into decodes all keys that nobody asked for yet into dst. A key that dst has no field for is a mistake.
func (c *config) into(dst any) {
	d := json.NewDecoder(bytes.NewReader(c.rest()))
	d.DisallowUnknownFields()
	if err := d.Decode(dst); err != nil && c.err == nil {
		c.err = fmt.Errorf("config: %w", err)
	}
}

// done returns the first mistake, or an error that lists the keys that the operation does not know.
func (c *config) done() error {
	if c.err != nil {
		return c.err
	}
	var unknown []string
	for _, k := range slices.Sorted(maps.Keys(c.raw)) {
		if !c.asked[k] {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("config keys %q are not known to this operation", unknown)
	}
	return nil
}
