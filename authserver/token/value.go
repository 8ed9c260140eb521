// SPDX-License-Identifier: Apache-2.0

package token

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Value is the JSON value of a claim, as written. The zero Value is no value.
type Value struct{ raw string }

// JSON returns the value's JSON text; that of null, true and false is all there is to them.
func (v Value) JSON() string { return v.raw }

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

// Strings returns the elements of a JSON array of strings, in order; false for every other
// value, an array with another element included. The text is valid JSON, which the reader
// made sure of.
func (v Value) Strings() ([]string, bool) {
	if v.raw == "" || v.raw[0] != '[' {
		return nil, false
	}
	list := []string{}
	for i := 1; i < len(v.raw); i++ {
		switch c := v.raw[i]; c {
		case ' ', '\t', '\r', '\n', ',':
		case ']':
			return list, true
		case '"':
			end := stringEnd(v.raw, i)
			element, ok := Value{v.raw[i : end+1]}.Text()
			if !ok {
				return nil, false
			}
			list, i = append(list, element), end
		default:
			return nil, false
		}
	}
	return nil, false
}
