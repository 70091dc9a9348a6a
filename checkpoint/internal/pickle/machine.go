package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
)

// Host does what a pickle can only ask for by name.
type Host interface {
	// Find returns what the global module.name stands for. Names that are not allowed are errors.
	Find(module, name string) (any, error)
	// Call calls what Find returned, or anything else that the pickle tries to call.
	Call(callable any, args Tuple) (any, error)
	// Build sets the state of an object.
	Build(object, state any) error
	// Persistent returns the object that lies outside the pickle under id.
	Persistent(id any) (any, error)
}

// Load reads the pickle that data begins with and returns its value and length.
func Load(data []byte, host Host, budget *Budget) (value any, length int, err error) {
	m := &machine{data: data, host: host, budget: budget, memo: map[uint32]any{}}
	for {
		start := m.at
		op := m.take(1)
		if m.err == nil {
			if value, done := m.step(op[0]); done && m.err == nil {
				return value, m.at, nil
			}
		}
		if m.err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", start, m.err)
		}
	}
}

// machine runs one pickle. The first error stays in err, and what is popped or read after it is empty.
type machine struct {
	data   []byte
	at     int
	stack  []any
	marks  []int // heights of the stack
	memo   map[uint32]any
	host   Host
	budget *Budget
	err    error
}

func (m *machine) fail(format string, a ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, a...)
	}
}

func (m *machine) spend(n int) bool {
	if m.err == nil {
		m.err = m.budget.Spend(n)
	}
	return m.err == nil
}

// take reads n bytes of the pickle. When it cannot, a number that is read from the result is 0.
func (m *machine) take(n uint64) []byte {
	if left := len(m.data) - m.at; n > uint64(left) {
		m.fail("truncated: %d bytes are wanted, %d are left", n, left)
		return make([]byte, min(n, 8))
	}
	b := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return b
}

func (m *machine) u8() uint64  { return uint64(m.take(1)[0]) }
func (m *machine) u16() uint64 { return uint64(binary.LittleEndian.Uint16(m.take(2))) }
func (m *machine) u32() uint64 { return uint64(binary.LittleEndian.Uint32(m.take(4))) }
func (m *machine) u64() uint64 { return binary.LittleEndian.Uint64(m.take(8)) }

// line reads up to the end of a line.
func (m *machine) line() string {
	for i := m.at; i < len(m.data); i++ {
		if m.data[i] == '\n' {
			s := string(m.data[m.at:i])
			m.at = i + 1
			return s
		}
	}
	m.fail("truncated")
	return ""
}

func (m *machine) push(v any) {
	if m.spend(pushCost) {
		m.stack = append(m.stack, v)
	}
}

// floor is the height above which values may be popped: that of the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// top returns the last value of the stack without taking it.
func (m *machine) top() any {
	if len(m.stack) <= m.floor() {
		m.fail("the stack is empty")
		return nil
	}
	return m.stack[len(m.stack)-1]
}

func (m *machine) pop() any {
	v := m.top()
	if m.err == nil {
		m.stack[len(m.stack)-1] = nil
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v
}

// popMark takes the values above the last mark, and the mark. They lie in the stack's memory, until the next push.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		m.fail("there is no mark")
		return nil
	}
	h := m.floor()
	items := m.stack[h:]
	m.marks = m.marks[:len(m.marks)-1]
	m.stack = m.stack[:h]
	return items
}

// tuple pushes a tuple of copies of items.
func (m *machine) tuple(items []any) {
	if m.spend(16 * len(items)) {
		t := make(Tuple, len(items))
		copy(t, items)
		m.push(t)
	}
}

// tupleOf replaces the last n values by a tuple of them.
func (m *machine) tupleOf(n int) {
	h := len(m.stack) - n
	if h < m.floor() {
		m.fail("the stack is empty")
		return
	}
	items := m.stack[h:]
	m.stack = m.stack[:h]
	m.tuple(items)
}

func (m *machine) extend(items []any) {
	l, ok := m.top().(*List)
	if !ok {
		m.fail("items are added to %s, want a list or a set", TypeName(m.top()))
		return
	}
	if m.spend(itemCost * len(items)) {
		l.Items = append(l.Items, items...)
	}
}

func (m *machine) setItems(items []any) {
	d, ok := m.top().(*Dict)
	switch {
	case !ok:
		m.fail("items are set in %s, want a dict", TypeName(m.top()))
	case len(items)%2 != 0:
		m.fail("a key without a value")
	}
	for i := 0; i < len(items) && m.err == nil; i += 2 {
		m.err = m.budget.Set(d, items[i], items[i+1])
	}
}

func (m *machine) put(key uint64) {
	if v := m.top(); m.spend(memoCost) {
		m.memo[uint32(key)] = v
	}
}

func (m *machine) get(key uint64) {
	v, ok := m.memo[uint32(key)]
	if !ok {
		m.fail("nothing was stored under %d", key)
	}
	m.push(v)
}

func (m *machine) text(n uint64) {
	if b := m.take(n); m.spend(len(b)) {
		m.push(string(b))
	}
}

func (m *machine) bytes(n uint64) {
	if b := m.take(n); m.spend(len(b)) {
		m.push(append([]byte{}, b...))
	}
}

// long pushes an integer in two's complement, little endian.
func (m *machine) long(n uint64) {
	if n > 255 {
		m.fail("an integer of %d bytes, want at most 255", n)
		return
	}
	b := m.take(n)
	if n <= 8 {
		x := uint64(0)
		for i, c := range b {
			x |= uint64(c) << (8 * i)
		}
		if n > 0 {
			shift := 64 - 8*n
			x = uint64(int64(x<<shift) >> shift)
		}
		m.push(int64(x))
		return
	}
	if m.err != nil || !m.spend(2*len(b)) {
		return
	}
	reversed := make([]byte, len(b))
	for i, c := range b {
		reversed[len(b)-1-i] = c
	}
	x := new(big.Int).SetBytes(reversed)
	if reversed[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if x.IsInt64() {
		m.push(x.Int64())
	} else {
		m.push(x)
	}
}

func (m *machine) float() { m.push(math.Float64frombits(binary.BigEndian.Uint64(m.take(8)))) }
