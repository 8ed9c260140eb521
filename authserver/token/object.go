// SPDX-License-Identifier: Apache-2.0

package token

import (
	"iter"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Object is a JSON object that is no token's payload, read as strictly as one: exact member names, none twice at any depth, valid UTF-8, bounded depth,
// members and numbers. What its members mean is the caller's to judge. The zero Object is empty.
type Object struct{ members object }

// ReadObject reads one JSON object of at most limit bytes, and nothing after it.
func ReadObject(text []byte, limit int) (*Object, error) {
	if err := checkLimit(text, limit); err != nil {
		return nil, err
	}
	members, err := readObject(text)
	if err != nil {
		return nil, err
	}
	return &Object{members}, nil
}

// Lookup returns the member with exactly that name.
func (o *Object) Lookup(name string) (Value, bool) { return o.members.lookup(name) }

// All ranges over the members in their order.
func (o *Object) All() iter.Seq2[string, Value] { return o.members.all() }

// ReadList reads one JSON array of at most limit bytes, and nothing after it, with the strictness of [ReadObject], and returns its elements.
func ReadList(text []byte, limit int) ([]Value, error) {
	if err := checkLimit(text, limit); err != nil {
		return nil, err
	}
	raw := strings.TrimLeft(string(text), " \t\r\n")
	if !strings.HasPrefix(raw, "[") {
		return nil, refuse(ReasonJSON, "not a JSON array")
	}
	// Reading it as the only member of an object checks all of it at once. A depth is lost to that object.
	whole, err := readObject([]byte(`{"list":` + raw + `}`))
	if err != nil {
		return nil, err
	}
	if len(whole) != 1 {
		return nil, refuse(ReasonJSON, "there is something after the JSON array")
	}
	return elements(whole[0].value.raw)
}

// elements splits an array that has been checked.
func elements(raw string) ([]Value, error) {
	dec := jsontext.NewDecoder(strings.NewReader(raw))
	if _, err := dec.ReadToken(); err != nil {
		return nil, jsonError(err)
	}
	list := []Value{}
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, jsonError(err)
		}
		end := int(dec.InputOffset())
		list = append(list, Value{raw[end-len(value) : end]})
	}
	return list, nil
}

// List makes the JSON array of values that were read.
func List(values []Value) Value {
	texts := make([]string, len(values))
	for i := range values {
		texts[i] = values[i].raw
	}
	return Value{"[" + strings.Join(texts, ",") + "]"}
}

// Value returns the object as a value.
func (o *Object) Value() Value {
	var b strings.Builder
	b.WriteByte('{')
	for i := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := jsontext.AppendQuote(nil, o.members[i].name)
		if err != nil {
			return Value{} // names were read from valid UTF-8
		}
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(o.members[i].value.raw)
	}
	b.WriteByte('}')
	return Value{b.String()}
}

func checkLimit(text []byte, limit int) error {
	if len(text) > limit {
		return refuse(ReasonTooLong, "at most "+strconv.Itoa(limit)+" bytes are allowed")
	}
	return nil
}
