// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
)

// skew is how far iat may be from now.
const skew = time.Minute

// expected is what a JWT must be, to the last member.
type expected struct {
	algorithm, keyID, typ     string
	key                       any
	issuer, subject, audience string
	header, claims            map[string]any
	lifetime                  time.Duration // exactly; 0 for at most longest
	longest                   time.Duration
}

// checkGrant demands what RFC 7523 §3 does, and that nothing is there that the options do not name.
func (e *Endpoint) checkGrant(assertion string) *fault {
	o := &e.options
	id, cause := expected{
		algorithm: o.Algorithm, keyID: o.KeyID, typ: o.Type, key: o.Key, issuer: o.Issuer, subject: o.Subject, audience: o.Audience,
		header: o.Header, claims: o.Claims, lifetime: o.Lifetime, longest: time.Hour,
	}.check(assertion, o.Now())
	if cause != "" {
		return badGrant(cause)
	}
	if !e.spend("grant " + id) {
		return badGrant("jti was used before")
	}
	return nil
}

// check returns the jti of a JWT, or what is wrong with it.
func (x expected) check(assertion string, now time.Time) (id, cause string) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return "", "it is no JWS in compact form"
	}
	header, cause := object(parts[0])
	if cause != "" {
		return "", "its header " + cause
	}
	claims, cause := object(parts[1])
	if cause != "" {
		return "", "its claims " + cause
	}
	if cause := compare("header", header, x.wantedHeader()); cause != "" {
		return "", cause
	}
	signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(x.algorithm)})
	if err != nil {
		return "", "it cannot be parsed: " + err.Error()
	}
	if _, err := signed.Verify(x.key); err != nil {
		return "", "its signature does not verify"
	}
	return x.checkClaims(claims, now)
}

func (x expected) wantedHeader() map[string]any {
	want := map[string]any{"alg": x.algorithm}
	if x.typ != "" {
		want["typ"] = x.typ
	}
	if x.keyID != "" {
		want["kid"] = x.keyID
	}
	maps.Copy(want, x.header)
	return want
}

func (x expected) checkClaims(claims map[string]json.RawMessage, now time.Time) (id, cause string) {
	if json.Unmarshal(claims["jti"], &id) != nil || len(id) < 16 {
		return "", "jti is missing or too short to be unique"
	}
	issued, err := strconv.ParseInt(string(claims["iat"]), 10, 64)
	if err != nil {
		return "", "iat is missing or no integer"
	}
	expires, err := strconv.ParseInt(string(claims["exp"]), 10, 64)
	if err != nil {
		return "", "exp is missing or no integer"
	}
	life := time.Duration(expires-issued) * time.Second
	switch at := time.Unix(issued, 0); {
	case at.After(now.Add(skew)) || at.Before(now.Add(-skew)):
		return "", "iat is not now"
	case !time.Unix(expires, 0).After(now):
		return "", "exp has passed"
	case x.lifetime != 0 && life != x.lifetime:
		return "", fmt.Sprintf("it lives %s, not %s", life, x.lifetime)
	case x.lifetime == 0 && life > x.longest:
		return "", fmt.Sprintf("it lives %s, longer than %s", life, x.longest)
	}
	want := map[string]any{"jti": id, "iat": issued, "exp": expires}
	for name, value := range map[string]string{"iss": x.issuer, "sub": x.subject, "aud": x.audience} {
		if value != "" {
			want[name] = value
		}
	}
	maps.Copy(want, x.claims)
	return id, compare("claims", claims, want)
}

// compare demands exactly the wanted members, with the values they have as JSON: numbers by their digits.
func compare(where string, got map[string]json.RawMessage, want map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, ok := got[name]
		if !ok {
			return where + ": " + name + " is missing"
		}
		text, err := json.Marshal(want[name])
		if err != nil {
			return where + ": " + name + " cannot be compared: " + err.Error()
		}
		if !bytes.Equal(canonical(value), canonical(text)) {
			return where + ": " + name + " is another one"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			return where + ": " + name + " was not asked for"
		}
	}
	return ""
}

// canonical writes JSON without spaces, needless escapes and the order of members, but leaves numbers as they are: RFC 8785 would round them.
func canonical(text []byte) []byte {
	value := jsontext.Value(slices.Clone(text))
	if err := value.Format(jsontext.ReorderRawObjects(true), jsontext.Multiline(false), jsontext.EscapeForHTML(false), jsontext.PreserveRawStrings(false)); err != nil {
		return text
	}
	return value
}

// object reads a part of a JWT: base64url without padding, and one JSON object without a name twice.
func object(part string) (members map[string]json.RawMessage, cause string) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	switch {
	case err != nil || strings.ContainsAny(part, "\r\n"):
		return nil, "is not base64url"
	case !jsontext.Value(text).IsValid() || json.Unmarshal(text, &members) != nil || members == nil:
		return nil, "is not one JSON object with each name once"
	}
	return members, ""
}
