// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// bounds walks a document by tokens, independently of checkBounds, and reports whether it
// is within the bounds.
func bounds(text []byte) (within bool, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return false, err
		}
		depth := dec.StackDepth()
		if depth > maxDepth {
			return false, nil
		}
		if kind, length := dec.StackIndex(depth); kind == '{' && length > 2*maxMembers {
			return false, nil
		}
		if tok.Kind() == '0' && len(tok.String()) > maxNumber {
			return false, nil
		}
		if depth == 0 {
			return true, nil
		}
	}
}

// FuzzReadObject compares the reader with encoding/json and with another way to check the
// bounds, without base64 in between.
func FuzzReadObject(f *testing.F) {
	for _, text := range badJSON {
		f.Add([]byte(fill(text, goodPayload)))
	}
	for _, text := range []string{
		goodPayload, `{}`, `{"a":` + nest(15) + `}`, `{"a":` + nest(16) + `}`, `{"a":{` + names(256) + `}}`, `{"a":[{` + names(257) + `}]}`,
		`{` + names(256) + `}`, `{` + names(257) + `}`, `{"a":[-1.5E+10,"\"]{,1",{"\\":[]}]}`, `{"a":{"b":1,"b":2}}`, "{\"\xf0\x9f\x98\x80\":\"\\ud83d\\ude00\"}",
		`{"a":` + strings.Repeat("1", 32) + `,"b":[` + strings.Repeat("1", 33) + `]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > MaxLength {
			return
		}
		members, err := readObject(text)
		if err == nil {
			var want map[string]json.RawMessage
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatalf("encoding/json refuses: %v", err)
			}
			if len(want) != len(members) {
				t.Fatalf("%d members, want %d", len(members), len(want))
			}
			for _, m := range members {
				if string(want[m.name]) != m.value.JSON() {
					t.Fatalf("member %q is %q, want %q", m.name, m.value.JSON(), want[m.name])
				}
			}
			if within, err := bounds(text); !within || err != nil {
				t.Fatalf("accepted out of bounds: %v", err)
			}
			return
		}
		if reasonOf(err) == ReasonJSONLimits && json.Valid(text) {
			if within, err := bounds(text); within && err == nil {
				t.Fatal("refused within bounds")
			}
		}
	})
}

// TestReaderForgets guards that a reader, which is used again, keeps nothing of a token
// that was refused halfway.
func TestReaderForgets(t *testing.T) {
	for i := range 100 {
		if _, err := readObject([]byte(`{"a":[{"b":1,`)); reasonOf(err) != ReasonJSON {
			t.Fatal(err)
		}
		if _, err := readObject([]byte(`{"a":1,"a":2}`)); reasonOf(err) != ReasonDuplicateMember {
			t.Fatal(err)
		}
		members, err := readObject(fmt.Appendf(nil, `{"a":%d}`, i))
		if err != nil || len(members) != 1 || members[0].value.JSON() != fmt.Sprint(i) {
			t.Fatalf("%v %v", members, err)
		}
	}
}
