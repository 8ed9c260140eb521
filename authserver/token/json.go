// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a token's JSON (DESIGN §7).
const (
	maxDepth   = 16  // nested objects and arrays, the outermost included
	maxMembers = 256 // of each object
	maxNumber  = 32  // bytes of a number's text
)

// member is a member of a JSON object; name and value are parts of the decoded token.
type member struct {
	name  string
	value Value
}

// object is a JSON object in its order. It has at most maxMembers members and is asked for
// few of them, so looking one up walks it; a map would cost more.
type object []member

func (o object) lookup(name string) (Value, bool) {
	for i := range o {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return Value{}, false
}

func (o object) all() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i := range o {
			if !yield(o[i].name, o[i].value) {
				return
			}
		}
	}
}

// reader is a JSON decoder that is used again.
type reader struct {
	dec *jsontext.Decoder
	src *bytes.Buffer // what dec reads; the decoder looks into it without copying
	all string        // the same text, which names and values are parts of
}

var readers = sync.Pool{New: func() any {
	src := new(bytes.Buffer)
	return &reader{dec: jsontext.NewDecoder(src), src: src}
}}

// release forgets the token and gives the reader back.
func (r *reader) release() {
	*r.src, r.all = bytes.Buffer{}, ""
	r.dec.Reset(r.src)
	readers.Put(r)
}

// readObject reads one JSON object (RFC 8259) within the bounds, and nothing after it.
// jsontext refuses duplicate names, invalid UTF-8 and half surrogates at every depth.
func readObject(text []byte) (object, error) {
	all := string(text)
	if err := checkBounds(all); err != nil {
		return nil, err
	}
	r := readers.Get().(*reader)
	defer r.release()
	*r.src, r.all = *bytes.NewBuffer(text), all

	if r.dec.PeekKind() != '{' {
		return nil, refuse(ReasonJSON, "not a JSON object")
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, jsonError(err)
	}
	members := make(object, 0, 12)
	for r.dec.PeekKind() != '}' {
		m, err := r.member()
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, jsonError(err)
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		return nil, refuse(ReasonJSON, "there is something after the JSON object")
	}
	return members, nil
}

// member reads the next name and value.
func (r *reader) member() (m member, err error) {
	name, err := r.read()
	if err != nil {
		return m, err
	}
	var ok bool
	if m.name, ok = name.Text(); !ok {
		return m, refuse(ReasonJSON, "a member name is not a string")
	}
	if m.value, err = r.read(); err != nil {
		return m, err
	}
	return m, nil
}

// read reads the next value.
func (r *reader) read() (Value, error) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		return Value{}, jsonError(err)
	}
	end := int(r.dec.InputOffset())
	return Value{r.all[end-len(raw) : end]}, nil
}

// checkBounds checks depth, members and numbers by a walk over the bytes that knows only
// strings. For valid JSON that is exact; other text is refused by one step or the other.
// It comes before the decoder so that no token makes it build a deep stack.
func checkBounds(text string) error {
	depth := 0
	var commas [maxDepth + 1]int // of the object open at each depth
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			i = stringEnd(text, i)
		case '{', '[':
			if depth++; depth > maxDepth {
				return refuse(ReasonJSONLimits, "objects and arrays are nested deeper than "+strconv.Itoa(maxDepth))
			}
			commas[depth] = 0
			if c == '[' {
				commas[depth] = -len(text) // arrays are bounded by the token's length alone
			}
		case '}', ']':
			depth = max(depth-1, 0)
		case ',':
			if commas[depth]++; commas[depth] >= maxMembers {
				return refuse(ReasonJSONLimits, "an object has more than "+strconv.Itoa(maxMembers)+" members")
			}
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := numberEnd(text, i)
			if end-i > maxNumber {
				return refuse(ReasonJSONLimits, "a number has more than "+strconv.Itoa(maxNumber)+" characters")
			}
			i = end - 1
		}
	}
	return nil
}

// stringEnd returns the index of the closing quote of the string that starts at i, or at
// least len(text) if there is none.
func stringEnd(text string, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}

// numberEnd returns the index after the number that starts at i.
func numberEnd(text string, i int) int {
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case '0' <= c && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
		default:
			return i
		}
	}
	return i
}

// jsonError turns the decoder's error, whose text may quote the token, into a refusal.
func jsonError(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return refuse(ReasonDuplicateMember, "an object has a member name twice")
	}
	return refuse(ReasonJSON, "not a valid JSON object in UTF-8")
}
