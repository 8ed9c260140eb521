package token

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Value is the JSON value of a claim, as written. The zero Value is no value.
type Value struct{ raw string }

// JSON returns the value's JSON text.
func (v Value) JSON() string { return v.raw }

// IsNull reports whether the value is JSON null.
func (v Value) IsNull() bool { return v.raw == "null" }

// Text returns a JSON string's content; false for every other type.
func (v Value) Text() (string, bool) {
	if v.raw == "" || v.raw[0] != '"' {
		return "", false
	}
	if strings.IndexByte(v.raw, '\\') < 0 {
		return v.raw[1 : len(v.raw)-1], true
	}
	text, err := jsontext.AppendUnquote(nil, v.raw)
	return string(text), err == nil
}

// Number returns a JSON number as written, every digit kept; false for other types.
func (v Value) Number() (string, bool) {
	if v.raw == "" || (v.raw[0] != '-' && (v.raw[0] < '0' || v.raw[0] > '9')) {
		return "", false
	}
	return v.raw, true
}

// Bool returns a JSON boolean; false, false for other types.
func (v Value) Bool() (value, ok bool) {
	return v.raw == "true", v.raw == "true" || v.raw == "false"
}

// Strings returns the elements of a JSON array of strings, in order; false for every other
// value, an array with another element included.
func (v Value) Strings() ([]string, bool) {
	if v.raw == "" || v.raw[0] != '[' {
		return nil, false
	}
	dec := jsontext.NewDecoder(strings.NewReader(v.raw))
	_, err := dec.ReadToken()
	list := []string{}
	for err == nil && dec.PeekKind() == '"' {
		var element jsontext.Token
		if element, err = dec.ReadToken(); err == nil {
			list = append(list, element.String())
		}
	}
	if err != nil || dec.PeekKind() != ']' {
		return nil, false
	}
	return list, true
}
