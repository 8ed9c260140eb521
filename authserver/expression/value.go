// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// fromJSON turns a JSON value into CEL's. raw is valid and bounded in depth, which package token has made sure of; of text
// that is not, the outcome is an error value. Objects are read further when they are looked into.
func fromJSON(raw string) ref.Val {
	if raw == "" {
		return errValue()
	}
	switch raw[0] {
	case '"':
		text, ok := unquote(raw)
		if !ok {
			return errValue()
		}
		return types.String(text)
	case 't', 'f':
		return types.Bool(raw == "true")
	case 'n':
		return types.NullValue
	case '[':
		return listFromJSON(raw)
	case '{':
		return objectFromJSON(raw)
	}
	return numberFromJSON(raw)
}

func errValue() ref.Val { return types.NewErrFromString("a claim cannot be read") }

// unquote returns the content of a JSON string, without copying it where nothing in it is escaped.
func unquote(raw string) (string, bool) {
	if len(raw) < 2 {
		return "", false
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), err == nil
}

// exactBelow is 2⁵³: below it every reader of JSON holds every integer exactly (RFC 8259 §6).
const exactBelow = 1 << 53

// numberFromJSON keeps integers exact within 64 bits, with a sign or without. A number with a fraction or exponent is a
// double if it is within ±2⁵³ and the shortest decimal that stands for that double is the number as written. Every other
// is an error, never its neighbour: so no two claims that differ are equal here, or become one text.
func numberFromJSON(raw string) ref.Val {
	if i, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return types.Int(i)
	}
	if u, err := strconv.ParseUint(raw, 10, 64); err == nil {
		return types.Uint(u)
	}
	f, err := strconv.ParseFloat(raw, 64) // longer integers are beyond ±2⁵³ too
	if err != nil || !(math.Abs(f) < exactBelow) || digits(raw) != digits(strconv.FormatFloat(f, 'e', -1, 64)) {
		return errValue()
	}
	return types.Double(f)
}

// digits are the digits of a decimal without sign, point, exponent and the zeros around them. Two that round to the same
// double are equal if these are: a power of ten apart, they would not.
func digits(number string) string {
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		number = number[:i]
	}
	number = strings.TrimPrefix(number, "-")
	return strings.Trim(strings.ReplaceAll(number, ".", ""), "0")
}

// claimFromJSON is fromJSON for a whole claim. One that holds a number that cannot be held, at any depth, is an error
// altogether: cel-go compares lists that have errors in them as if those were equal.
func claimFromJSON(raw string) ref.Val {
	if !readable(raw) {
		return errValue()
	}
	return fromJSON(raw)
}

// alwaysExact is the length up to which a number without exponent can always be held, sign and point included.
const alwaysExact = 15

func readable(raw string) bool {
	r := scanner{raw: raw}
	for r.at < len(raw) {
		switch c := raw[r.at]; {
		case c == '"':
			r.skipString()
		case c == '-' || '0' <= c && c <= '9':
			number := r.value()
			if (len(number) > alwaysExact || strings.ContainsAny(number, "eE")) && types.IsError(numberFromJSON(number)) {
				return false
			}
		default:
			r.at++
		}
	}
	return true
}

func listFromJSON(raw string) ref.Val {
	var elements []ref.Val
	r := scanner{raw, 1}
	for r.more(']') {
		elements = append(elements, fromJSON(r.value()))
	}
	return types.NewRefValList(types.DefaultTypeAdapter, elements)
}

// scanner walks the elements of a valid JSON array or object.
type scanner struct {
	raw string
	at  int
}

// more skips what stands between elements and tells whether another follows.
func (r *scanner) more(end byte) bool {
	for r.at < len(r.raw) {
		switch c := r.raw[r.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.at++
		default:
			return c != end
		}
	}
	return false
}

// value returns the value that starts here and moves behind it.
func (r *scanner) value() string {
	start, depth := r.at, 0
	for r.at < len(r.raw) {
		switch r.raw[r.at] {
		case '"':
			r.skipString()
			if depth == 0 {
				return r.raw[start:r.at]
			}
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return r.raw[start:r.at]
			}
			if depth--; depth == 0 {
				r.at++
				return r.raw[start:r.at]
			}
		case ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				return r.raw[start:r.at]
			}
		}
		r.at++
	}
	return r.raw[start:r.at]
}

func (r *scanner) skipString() {
	for r.at++; r.at < len(r.raw) && r.raw[r.at] != '"'; r.at++ {
		if r.raw[r.at] == '\\' {
			r.at++
		}
	}
	r.at = min(r.at+1, len(r.raw))
}
