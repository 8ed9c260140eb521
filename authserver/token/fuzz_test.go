// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// FuzzParse guards four properties for any string: no panic; an accepted token has exactly
// one spelling; what we read of it is what encoding/json reads; and a signature verifies
// here only if golang-jwt's own parser says so too.
func FuzzParse(f *testing.F) {
	l := newLab()
	for _, row := range hostileTokens(f, l) {
		f.Add(row.raw)
	}
	f.Add(l.claims(f, goodPayload))
	f.Add(l.with(f, jwt.SigningMethodES256, `{"alg":"ES256","kid":"ec"}`, goodPayload))
	f.Add(l.with(f, jwt.SigningMethodHS256, `{"alg":"HS256","kid":"hs"}`, goodPayload))
	f.Add(l.with(f, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"ed"}`, goodPayload))
	set := jwk.NewSet(l.rsaKey, l.ecKey, l.edKey, l.hmacKey)
	f.Fuzz(func(t *testing.T, raw string) {
		tok, err := Parse(raw, l.every)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || !slices.Contains(allReasons(), e.Reason) {
				t.Fatalf("refused without a known reason: %v", err)
			}
			return
		}
		checkSpelling(t, raw)
		checkMembers(t, raw, tok)
		key, err := tok.Select(set)
		if err != nil {
			return
		}
		ours := tok.Verify(key)
		_, theirs := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithJSONNumber()).ParseWithClaims(raw, jwt.MapClaims{}, func(*jwt.Token) (any, error) {
			return key.Material(), nil
		})
		if ours == nil && theirs != nil {
			t.Fatalf("verified here, refused by golang-jwt: %v", theirs)
		}
		if ours != nil && theirs == nil && !strings.HasPrefix(tok.Algorithm(), "PS") { // whose PS takes any salt
			t.Fatalf("refused here, verified by golang-jwt: %v", ours)
		}
		if ours == nil {
			_, _ = tok.Claims(l.every, labNow)
		}
	})
}

// checkSpelling encodes the segments again.
func checkSpelling(t *testing.T, raw string) {
	t.Helper()
	parts := strings.Split(raw, ".")
	for i, part := range parts {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(text)
	}
	if again := strings.Join(parts, "."); again != raw || (len(parts) != 3 && len(parts) != 5) {
		t.Fatalf("%q is accepted, its canonical spelling is %q", raw, again)
	}
}

// checkMembers reads header and payload with encoding/json.
func checkMembers(t *testing.T, raw string, tok *Token) {
	t.Helper()
	parts := strings.Split(raw, ".")
	var head, payload map[string]any
	for i, into := range []*map[string]any{&head, &payload} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(into); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", text, err)
		}
	}
	kid, has := tok.KeyID()
	if wantKid, want := head["kid"].(string); head["alg"] != tok.Algorithm() || has != want || kid != wantKid {
		t.Fatalf("alg %q, kid %q, want %v, %v", tok.Algorithm(), kid, head["alg"], head["kid"])
	}
	if len(payload) != len(tok.payload) {
		t.Fatalf("%d claims, want %d", len(tok.payload), len(payload))
	}
	for name, want := range payload {
		got, ok := tok.payload.lookup(name)
		if !ok {
			t.Fatalf("claim %q is missing", name)
		}
		if text, isText := want.(string); isText {
			if have, ok := got.Text(); !ok || have != text {
				t.Fatalf("claim %q is %q, want %q", name, have, text)
			}
		}
		if list, isList := got.Strings(); isList && len(list) != len(want.([]any)) {
			t.Fatalf("claim %q has %d elements, want %d", name, len(list), len(want.([]any)))
		}
	}
}
