// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Bounds of a key document (DESIGN §7).
const (
	maxSetLength = 512 << 10 // bytes
	maxSetKeys   = 100
)

// Problem tells of a key of a set that [ParseSet] passed over, or whose tokens
// [Set.Select] will refuse as ambiguous.
type Problem struct {
	// Index is the key's place in the document, from 0.
	Index int
	// KeyID is the key's kid as far as it could be read.
	KeyID string
	// Reason says what is wrong and how to put it right; it holds no key bytes.
	Reason string
}

// String formats the problem for a condition or a log line.
func (p Problem) String() string {
	if p.KeyID == "" {
		return fmt.Sprintf("keys[%d]: %s", p.Index, p.Reason)
	}
	return fmt.Sprintf("keys[%d] (kid %s): %s", p.Index, quote(p.KeyID), p.Reason)
}

// ParseSet reads a JWKS document (RFC 7517 §5): one JSON object without duplicate
// names whose member `keys` is an array of objects; at most 512 KiB and 100 keys.
//
// A key that cannot verify tokens is passed over and told as a Problem; a set may so
// end up empty. Problems are in the order of the document. A document that is malformed as a whole is an error. A symmetric key
// beside public ones is passed over: who publishes the document has published it too.
func ParseSet(jwks []byte) (*Set, []Problem, error) {
	return parseSet(jwks, true)
}

// ParsePublicSet is [ParseSet] for documents that anybody can read, as those fetched
// from a URL: it passes over every symmetric key.
func ParsePublicSet(jwks []byte) (*Set, []Problem, error) {
	return parseSet(jwks, false)
}

func parseSet(jwks []byte, symmetric bool) (*Set, []Problem, error) {
	raw, err := SplitSet(jwks)
	if err != nil {
		return nil, nil, fmt.Errorf("reading JWKS: %w", err)
	}
	found := make([]entry, 0, len(raw))
	var problems []Problem
	for i, text := range raw {
		key, id, err := parseKey(text)
		if err != nil {
			problems = append(problems, Problem{i, id, err.Error()})
			continue
		}
		found = append(found, entry{i, key})
	}
	found, more := dropSymmetric(found, symmetric)
	problems = append(problems, more...)
	found, more = findOverlaps(found)
	problems = append(problems, more...)
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Index, b.Index) })

	keys := make([]*Key, len(found))
	for i, e := range found {
		keys[i] = e.key
	}
	return NewSet(keys...), problems, nil
}

// entry is a key and its place in the document.
type entry struct {
	index int
	key   *Key
}

func (e entry) problem(reason string) Problem { return Problem{e.index, e.key.id, reason} }

// SplitSet returns the JSON text of each key of a JWKS document, as [ParseSet] bounds it.
func SplitSet(jwks []byte) ([][]byte, error) {
	if len(jwks) > maxSetLength {
		return nil, fmt.Errorf("the document has %d bytes, at most %d are allowed", len(jwks), maxSetLength)
	}
	members, err := ReadMembers(jwks)
	if err != nil {
		return nil, err
	}
	keys, ok := members["keys"]
	if !ok {
		if _, one := members["kty"]; one {
			return nil, errors.New(`this is one JWK: wrap it as {"keys":[...]}`)
		}
		return nil, errors.New("member keys is missing")
	}
	raw, err := readArray(keys)
	if err != nil {
		return nil, fmt.Errorf("member keys: %w", err)
	}
	if len(raw) > maxSetKeys {
		return nil, fmt.Errorf("the document has %d keys, at most %d are allowed", len(raw), maxSetKeys)
	}
	texts := make([][]byte, len(raw))
	for i, v := range raw {
		if v.Kind() != '{' {
			return nil, fmt.Errorf("keys[%d] is not an object", i)
		}
		texts[i] = v
	}
	return texts, nil
}

// dropSymmetric passes over symmetric keys where they are not allowed: in a public
// document, or beside public keys, which make the document look public.
func dropSymmetric(found []entry, allowed bool) (kept []entry, problems []Problem) {
	reason := "a symmetric key in a public document is no secret: publish public keys only"
	if allowed {
		reason = "a symmetric key beside public keys: keep it in a set of its own"
		for _, e := range found {
			allowed = allowed && e.key.kty == "oct"
		}
	}
	for _, e := range found {
		if e.key.kty == "oct" && !allowed {
			problems = append(problems, e.problem(reason))
			continue
		}
		kept = append(kept, e)
	}
	return kept, problems
}

// findOverlaps drops exact repetitions and tells of pairs of keys that one token could
// fit both. Such a pair is kept, so that a token for it is refused as ambiguous and not
// as unknown, which would make the server fetch the document again.
func findOverlaps(found []entry) (kept []entry, problems []Problem) {
next:
	for _, e := range found {
		for _, other := range kept {
			a, b := e.key, other.key
			if a.fits&b.fits == 0 || (a.id != b.id && a.id != "" && b.id != "") {
				continue
			}
			if a.Equal(b) {
				problems = append(problems, e.problem("repeats keys["+strconv.Itoa(other.index)+"]"))
				continue next
			}
			problems = append(problems, e.problem("a token that names it also fits keys["+strconv.Itoa(other.index)+
				"] and is refused: give each key a kid of its own"))
			break
		}
		kept = append(kept, e)
	}
	return kept, problems
}
