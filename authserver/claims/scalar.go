// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// scalar returns a string's content, and a number, true or false as written; false for every other value.
func scalar(v token.Value) (string, bool) {
	if text, ok := v.Text(); ok {
		return text, true
	}
	if number, ok := v.Number(); ok {
		return number, true
	}
	if raw := v.JSON(); raw == "true" || raw == "false" {
		return raw, true
	}
	return "", false
}

// scalars returns the elements of an array of scalars; nil for every other value, an array with another element
// included.
func scalars(v token.Value) []string {
	raw := v.JSON()
	if raw == "" || raw[0] != '[' {
		return nil
	}
	if list, ok := v.Strings(); ok {
		return list
	}
	dec := jsontext.NewDecoder(strings.NewReader(raw))
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	var list []string
	for dec.PeekKind() != ']' {
		element, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		switch element.Kind() {
		case '"', '0', 't', 'f':
			list = append(list, element.String()) // of a number its text
		default:
			return nil
		}
	}
	return list
}
