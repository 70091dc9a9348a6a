// Package pickle reads Python's pickles of protocol 2 to 5 without running anything.
//
// A pickle is a program for a stack machine. Its numbers, texts and containers become plain Go values here. The opcodes that import a
// name, call it or change an object by it go to a Host, which knows the few names that it allows and does in Go what they do; nothing
// else can happen. All that a pickle makes is paid for from a Budget before it is made, so that a small file cannot take much
// memory: a pickle of n bytes takes time and memory that are bounded by n and the budget.
//
//	None, True, 7, 1.5, 'text', b'bytes'   nil, bool, int64 (*big.Int where it does not fit), float64, string, []byte
//	(1, 2)                                 Tuple
//	[1, 2], {1, 2}                         *List
//	{'a': 1}                               *Dict, in order
//
// Values that a pickle names twice are shared, and containers may contain themselves: who walks them must bound the walk.
//
// Format: https://docs.python.org/3/library/pickle.html and the comments in CPython's Lib/pickletools.py.
package pickle
