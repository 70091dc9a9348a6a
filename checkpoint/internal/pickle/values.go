package pickle

import (
	"fmt"
	"math/big"
)

// Tuple is a tuple or a frozen set.
type Tuple []any

// List is a list or a set. It is a pointer wherever it is a value, since pickles go on filling what they have used.
type List struct{ Items []any }

// Pair is an entry of a dictionary.
type Pair struct{ Key, Value any }

// Dict is a dictionary in the order of insertion.
type Dict struct {
	Pairs []Pair
	index map[any]int
}

// NewDict returns an empty dictionary.
func NewDict() *Dict { return &Dict{index: map[any]int{}} }

// Get returns the value of a key that is a text.
func (d *Dict) Get(key string) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Pairs[i].Value, true
}

// set stores a value. Keys that Go cannot compare, such as tuples, are never replaced.
func (d *Dict) set(key, value any) {
	switch key.(type) {
	case nil, bool, int64, float64, string:
		if i, ok := d.index[key]; ok {
			d.Pairs[i].Value = value
			return
		}
		d.index[key] = len(d.Pairs)
	}
	d.Pairs = append(d.Pairs, Pair{key, value})
}

// Budget is the memory that reading may take, in bytes.
type Budget struct{ left, whole int }

// NewBudget returns a budget of n bytes.
func NewBudget(n int) *Budget { return &Budget{n, n} }

// Spend takes n bytes from the budget, and fails when it has less.
func (b *Budget) Spend(n int) error {
	if n < 0 || n > b.left {
		b.left = 0
		return fmt.Errorf("what it builds takes more than %d MB", b.whole>>20)
	}
	b.left -= n
	return nil
}

// What values cost, generously: slices grow by doubling, numbers are boxed.
const (
	pushCost  = 48
	itemCost  = 48
	memoCost  = 96
	dictCost  = 128
	entryCost = 192
)

// Set stores an entry in a dictionary and pays for it.
func (b *Budget) Set(d *Dict, key, value any) error {
	cost := entryCost
	if s, ok := key.(string); ok {
		cost += len(s) / 8 // for the time to hash it
	}
	if err := b.Spend(cost); err != nil {
		return err
	}
	d.set(key, value)
	return nil
}

// TypeName says what a value is, in Python's words; values of the host's own types say it by their String method.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case float64:
		return "float"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case int64, *big.Int:
		return "int"
	}
	return fmt.Sprint(v) // the host's own
}
