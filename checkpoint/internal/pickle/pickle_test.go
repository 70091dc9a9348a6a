package pickle

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a host that writes down what a pickle asks for.
type recorder struct{ asked []string }

func (r *recorder) Find(module, name string) (any, error) {
	if module == "forbidden" {
		return nil, errors.New("no")
	}
	return global(module + "." + name), nil
}

func (r *recorder) Call(callable any, args Tuple) (any, error) {
	r.asked = append(r.asked, fmt.Sprint("call ", callable, args))
	return NewDict(), nil
}

func (r *recorder) Build(object, state any) error {
	r.asked = append(r.asked, fmt.Sprint("build ", TypeName(object), " ", state))
	return nil
}

func (r *recorder) Persistent(id any) (any, error) {
	r.asked = append(r.asked, fmt.Sprint("persistent ", id))
	return id, nil
}

type global string

func (g global) String() string { return "global " + string(g) }

func load(t *testing.T, data string) (any, *recorder) {
	t.Helper()
	var r recorder
	v, n, err := Load([]byte(data+"rest"), &r, NewBudget(1<<20))
	require.NoError(t, err)
	require.Equal(t, len(data), n)
	return v, &r
}

// Pickles as CPython writes them, and what they hold.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		data string
		want any
	}{
		{"\x80\x02N.", nil},
		{"\x80\x02\x88.", true},
		{"\x80\x02\x89.", false},
		{"\x80\x02K\xff.", int64(255)},
		{"\x80\x02M\x00\x01.", int64(256)},
		{"\x80\x02J\xff\xff\xff\xff.", int64(-1)},
		{"\x80\x02\x8a\x00.", int64(0)},
		{"\x80\x02\x8a\x05\x00\x00\x00\x00\x01.", int64(1 << 32)},
		{"\x80\x02\x8a\x01\xfe.", int64(-2)},
		{"\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", int64(math.MinInt64)},
		{"\x80\x02\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\x00.", int64(math.MaxInt64)},
		{"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", new(big.Int).Lsh(big.NewInt(1), 64)},
		{"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\xff.", new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 64))},
		{"\x80\x02\x8b\x02\x00\x00\x00\xe8\x03.", int64(1000)},
		{"\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"\x80\x02X\x03\x00\x00\x00\xc3\xbcaq\x00.", "üa"},
		{"\x80\x02U\x02ab.", "ab"},
		{"\x80\x02T\x02\x00\x00\x00ab.", "ab"},
		{"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.", "a"},
		{"\x80\x04\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.", "a"},
		{"\x80\x04C\x02\x00\xff.", []byte{0, 255}},
		{"\x80\x03B\x01\x00\x00\x00a.", []byte("a")},
		{"\x80\x04\x8e\x01\x00\x00\x00\x00\x00\x00\x00a.", []byte("a")},
		{"\x80\x02).", Tuple(nil)},
		{"\x80\x02K\x01\x85.", Tuple{int64(1)}},
		{"\x80\x02K\x01K\x02\x86.", Tuple{int64(1), int64(2)}},
		{"\x80\x02K\x01K\x02K\x03\x87.", Tuple{int64(1), int64(2), int64(3)}},
		{"\x80\x02(K\x01K\x02(K\x03ttq\x00.", Tuple{int64(1), int64(2), Tuple{int64(3)}}},
		{"\x80\x02]q\x00(K\x01Ne.", &List{Items: []any{int64(1), nil}}},
		{"\x80\x02]K\x01a.", &List{Items: []any{int64(1)}}},
		{"\x80\x04\x8f\x94(K\x01K\x02\x90.", &List{Items: []any{int64(1), int64(2)}}},
		{"\x80\x04(K\x01K\x02\x91\x94.", Tuple{int64(1), int64(2)}},
		{"\x80\x02K\x01K\x020.", int64(1)},
		{"\x80\x02K\x01(K\x02K\x031.", int64(1)},
		{"\x80\x02K\x012\x86.", Tuple{int64(1), int64(1)}},
		{"\x80\x02K\x01r\x00\x01\x00\x00j\x00\x01\x00\x00\x86.", Tuple{int64(1), int64(1)}},
		{"\x80\x02cmath\npi\n.", global("math.pi")},
		{"\x80\x04\x8c\x04math\x8c\x02pi\x93.", global("math.pi")},
	} {
		v, r := load(t, c.data)
		require.Equal(t, c.want, v, "%q", c.data)
		require.Empty(t, r.asked)
	}
}

func TestDicts(t *testing.T) {
	v, _ := load(t, "\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01K\x02K\x03)K\x04)K\x05X\x01\x00\x00\x00aK\x06u.")
	d := v.(*Dict)
	require.Equal(t, []Pair{{"a", int64(6)}, {int64(2), int64(3)}, {Tuple(nil), int64(4)}, {Tuple(nil), int64(5)}}, d.Pairs)
	x, ok := d.Get("a")
	require.True(t, ok)
	require.Equal(t, int64(6), x)
	_, ok = d.Get("b")
	require.False(t, ok)

	// What is filled after it was used is the same everywhere, and may hold itself.
	v, _ = load(t, "\x80\x02]q\x00h\x00a.")
	l := v.(*List)
	require.Len(t, l.Items, 1)
	require.Same(t, l, l.Items[0])
}

func TestHostIsAsked(t *testing.T) {
	_, r := load(t, "\x80\x02cx\ny\n(K\x01K\x02tR}X\x01\x00\x00\x00sb.")
	require.Equal(t, []string{"call global x.y[1 2]"}, r.asked[:1])
	require.Contains(t, r.asked[1], "build dict s")
	v, r := load(t, "\x80\x02cx\ny\n)\x81X\x02\x00\x00\x00idQ\x86.")
	require.Equal(t, []string{"call global x.y[]", "persistent id"}, r.asked)
	require.Equal(t, "id", v.(Tuple)[1])
}

func TestErrors(t *testing.T) {
	for data, want := range map[string]string{
		"":                         "byte 0: truncated: 1 bytes are wanted, 0 are left",
		"\x80":                     "byte 0: truncated",
		"\x80\x02cab":              "byte 2: truncated",
		"\x80\x02cforbidden\nx\n.": "byte 2: no",
		"\x80\x02NN\x93.":          "the name of a global is no text",
		"\x80\x02NNR.":             "the arguments of a call are no tuple",
		"\x80\x02)R.":              "the stack is empty",
		"\x80\x02b.":               "the stack is empty",
		"\x80\x02N\x86.":           "the stack is empty",
		"\x80\x02u.":               "there is no mark",
		"\x80\x02q\x00.":           "the stack is empty",
		"\x80\x02Q.":               "the stack is empty",
		"\x80\x02\x8a\x05ab.":      "5 bytes are wanted, 3 are left",
		"\x80\x02I1\n.":            `opcode 'I' is of protocol 0 or 1`,
		"\x80\x05\x97.":            "opcode 0x97 is not supported",
		"\x80\x02c" + strings.Repeat("a", 300) + "\nb\n.":             "the name of a global has 301 bytes",
		"\x80\x02X\xe8\x03\x00\x00" + strings.Repeat("a", 1000) + ".": "what it builds takes more than 0 MB",
	} {
		v, _, err := Load([]byte(data), &recorder{}, NewBudget(900))
		require.ErrorContains(t, err, want, "%q", data)
		require.ErrorContains(t, err, "pickle, byte ")
		require.Nil(t, v)
	}
}

func TestTypeNames(t *testing.T) {
	for want, v := range map[string]any{"None": nil, "bool": true, "int": int64(1), "float": 1.0, "str": "", "bytes": []byte{}, "tuple": Tuple{}, "list": &List{},
		"dict": NewDict(), "global x": global("x")} {
		require.Equal(t, want, TypeName(v))
	}
	require.Equal(t, "int", TypeName(big.NewInt(1)))
}
