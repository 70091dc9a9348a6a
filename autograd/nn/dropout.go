package nn

import "github.com/spamoe/spamoe/autograd"

// Dropout zeroes elements with probability P on training tapes and scales the others by 1/(1-P). The tape must have a Rand then.
type Dropout struct {
	P float32 `param:"-"`
}

// Forward applies it to x of any shape.
func (l *Dropout) Forward(x *autograd.Value) *autograd.Value { return autograd.Dropout(x, l.P) }
