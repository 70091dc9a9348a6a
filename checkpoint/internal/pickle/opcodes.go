package pickle

// step does one opcode. STOP ends the pickle with a value.
func (m *machine) step(op byte) (value any, done bool) {
	switch op {
	case 0x80: // PROTO
		if v := m.u8(); v < 2 || v > 5 {
			m.fail("protocol %d, want 2 to 5", v)
		}
	case 0x95: // FRAME: its length only helps who reads in pieces
		if n := m.u64(); m.err == nil && n > uint64(len(m.data)-m.at) {
			m.fail("a frame of %d bytes, but %d are left", n, len(m.data)-m.at)
		}
	case '.': // STOP
		return m.pop(), true

	case 'N': // NONE
		m.push(nil)
	case 0x88: // NEWTRUE
		m.push(true)
	case 0x89: // NEWFALSE
		m.push(false)
	case 'K': // BININT1
		m.push(int64(m.u8()))
	case 'M': // BININT2
		m.push(int64(m.u16()))
	case 'J': // BININT
		m.push(int64(int32(m.u32())))
	case 0x8a: // LONG1
		m.long(m.u8())
	case 0x8b: // LONG4
		m.long(m.u32())
	case 'G': // BINFLOAT
		m.float()
	case 'U', 0x8c: // SHORT_BINSTRING, which is Python 2's text, and SHORT_BINUNICODE
		m.text(m.u8())
	case 'T', 'X': // BINSTRING, BINUNICODE
		m.text(m.u32())
	case 0x8d: // BINUNICODE8
		m.text(m.u64())
	case 'C': // SHORT_BINBYTES
		m.bytes(m.u8())
	case 'B': // BINBYTES
		m.bytes(m.u32())
	case 0x8e: // BINBYTES8
		m.bytes(m.u64())

	case ')': // EMPTY_TUPLE
		m.push(Tuple(nil))
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		m.tupleOf(int(op) - 0x84)
	case 't', 0x91: // TUPLE, FROZENSET
		m.tuple(m.popMark())
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		m.push(&List{})
	case 'a': // APPEND
		v := m.pop()
		m.extend([]any{v})
	case 'e', 0x90: // APPENDS, ADDITEMS
		m.extend(m.popMark())
	case '}': // EMPTY_DICT
		if m.spend(dictCost) {
			m.push(NewDict())
		}
	case 's': // SETITEM
		v, k := m.pop(), m.pop()
		m.setItems([]any{k, v})
	case 'u': // SETITEMS
		m.setItems(m.popMark())

	case '(': // MARK
		if m.spend(pushCost) {
			m.marks = append(m.marks, len(m.stack))
		}
	case '0': // POP
		m.pop()
	case '1': // POP_MARK
		m.popMark()
	case '2': // DUP
		m.push(m.top())
	case 'q': // BINPUT
		m.put(m.u8())
	case 'r': // LONG_BINPUT
		m.put(m.u32())
	case 0x94: // MEMOIZE
		m.put(uint64(len(m.memo)))
	case 'h': // BINGET
		m.get(m.u8())
	case 'j': // LONG_BINGET
		m.get(m.u32())

	case 'c': // GLOBAL
		module, name := m.line(), m.line()
		m.global(module, name)
	case 0x93: // STACK_GLOBAL
		name, ok1 := m.pop().(string)
		module, ok2 := m.pop().(string)
		if !ok1 || !ok2 {
			m.fail("the name of a global is no text")
		}
		m.global(module, name)
	case 'R', 0x81: // REDUCE, NEWOBJ
		args, ok := m.pop().(Tuple)
		callable := m.pop()
		if !ok {
			m.fail("the arguments of a call are no tuple")
		}
		if m.err == nil {
			v, err := m.host.Call(callable, args)
			m.err = err
			m.push(v)
		}
	case 'b': // BUILD
		state := m.pop()
		object := m.top()
		if m.err == nil {
			m.err = m.host.Build(object, state)
		}
	case 'Q': // BINPERSID
		id := m.pop()
		if m.err == nil {
			v, err := m.host.Persistent(id)
			m.err = err
			m.push(v)
		}
	case 'F', 'I', 'L', 'P', 'S', 'V', 'd', 'g', 'i', 'l', 'o', 'p':
		m.fail("opcode %q is of protocol 0 or 1, want 2 to 5, which torch.save writes", op)
	default:
		m.fail("opcode %#02x is not supported", op)
	}
	return nil, false
}

// maxGlobal bounds the name of a global.
const maxGlobal = 256

func (m *machine) global(module, name string) {
	if len(module)+len(name) > maxGlobal {
		m.fail("the name of a global has %d bytes, want at most %d", len(module)+len(name), maxGlobal)
	}
	if m.err == nil {
		v, err := m.host.Find(module, name)
		m.err = err
		m.push(v)
	}
}
