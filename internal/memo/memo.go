// Package memo keeps what is expensive to make and depends on a key only: plans for the sizes of a grid, tables, windows.
package memo

import "sync"

// Map holds values by key, 64 at most: where a further one comes it forgets them all and starts again, so that a program that meets ever
// new sizes does not grow. Its zero value is empty; many goroutines may use it. Other than a sync.Map it looks a key up without an
// allocation.
type Map[K comparable, V any] struct {
	mu     sync.RWMutex
	values map[K]V
}

// most is how many values a Map holds: more than a model meets in one pass.
const most = 64

// Get returns the value of key, which it takes from create the first time. Where several goroutines ask for a new key at once all of them
// call create and get what the first to be done has made. A value that comes with an error is not kept.
func (m *Map[K, V]) Get(key K, create func() (V, error)) (V, error) {
	m.mu.RLock()
	v, ok := m.values[key]
	m.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := create()
	if err != nil {
		return v, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if first, ok := m.values[key]; ok {
		return first, nil
	}
	if m.values == nil {
		m.values = make(map[K]V)
	}
	if len(m.values) == most {
		clear(m.values)
	}
	m.values[key] = v
	return v, nil
}
