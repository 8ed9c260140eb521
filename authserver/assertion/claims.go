// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of what an administrator may add to a JWT (DESIGN §2: any-JSON fields).
const (
	maxHeaders = 16
	maxClaims  = 64
	maxExtra   = 8 << 10 // bytes of all of them as compact JSON
	maxDepth   = 8       // levels of each value
)

// members is a JSON object in the order of its making, of which every value is JSON already: nothing is decoded on the way, so integers keep every digit.
type members struct{ text []byte }

// add appends a member whose value is valid JSON.
func (m *members) add(name string, value []byte) {
	if len(m.text) > 0 {
		m.text = append(m.text, ',')
	}
	m.text = append(quote(m.text, name), ':')
	m.text = append(m.text, value...)
}

// addText appends a member whose value is a string.
func (m *members) addText(name, value string) { m.add(name, quote(nil, value)) }

// quote appends text as a JSON string. What is not UTF-8 was refused by [Compile].
func quote(b []byte, text string) []byte {
	out, err := jsontext.AppendQuote(b, text)
	if err != nil {
		return append(out, `""`...)
	}
	return out
}

// addAll appends the members of an object, sorted by name, compacted.
func (m *members) addAll(all map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var compact bytes.Buffer
		if json.Compact(&compact, all[name]) == nil { // checkExtra has seen that it is JSON
			m.add(name, compact.Bytes())
		}
	}
}

// checkExtra checks headers or additional claims: bounds, strict JSON (RFC 7493: no name twice, valid UTF-8) and names that are not free.
func checkExtra(field string, all map[string]json.RawMessage, most int, taken func(name string) string) error {
	if len(all) > most {
		return invalid(field, fmt.Sprintf("it has %d members, at most %d are allowed", len(all), most))
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value := jsontext.Value(all[name])
		if name == "" || quoted(name) == "" {
			return invalid(field, "the name of a member is empty or not UTF-8")
		}
		if why := taken(name); why != "" {
			return invalid(field+"."+name, why)
		}
		switch {
		case !value.IsValid():
			return invalid(field, "the value of a member is not JSON, or has a name twice")
		case depth(value) > maxDepth:
			return invalid(field, fmt.Sprintf("it is nested deeper than %d levels", maxDepth))
		}
		size += len(name) + len(value) + len(`"":,`)
	}
	if size > maxExtra {
		return invalid(field, fmt.Sprintf("it has %d bytes, at most %d are allowed", size, maxExtra))
	}
	return nil
}

func quoted(text string) string {
	out, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return ""
	}
	return string(out)
}

// depth counts how deep objects and arrays of a valid value are nested.
func depth(v jsontext.Value) int {
	deepest, now, text := 0, 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && text:
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
