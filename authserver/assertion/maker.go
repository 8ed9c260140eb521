// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// DefaultGrant is the grant type of RFC 7523 §2.1.
const DefaultGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Bounds of a credential (DESIGN §2).
const (
	minLifetime = 10 * time.Second
	maxLifetime = 4400 * time.Hour
	maxToken    = 16 << 10 // bytes of a token, ours or the endpoint's
)

// Maker makes the tokens of one credential. It is immutable, holds the key, and prints and logs without it.
type Maker struct {
	object   string
	key      *Key
	header   string // in base64url
	claims   string // the members that do not change, without braces
	lifetime time.Duration
	exchange *exchange // nil: the JWT itself is the bearer token
}

// FieldError is a fault of a credential. Its text holds no value of the field.
type FieldError struct {
	// Field is the path within the block jwtBearer, such as headers.alg.
	Field string
	// Message says what is wrong and how to put it right.
	Message string
}

// Error returns field and message.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

func invalid(field, message string) error { return &FieldError{Field: field, Message: message} }

// Compile checks a credential and makes what does not change with each token. The error is a [*FieldError].
func Compile(c *config.Credential) (*Maker, error) {
	key, err := ParseKeyFor(c.Key, c.Algorithm, c.KeyID)
	if err != nil {
		return nil, invalid("keySecretRef", err.Error())
	}
	if err := check(c, key); err != nil {
		return nil, err
	}
	m := &Maker{object: c.Object, key: key, lifetime: c.Lifetime.Value().Truncate(time.Second)}
	m.header = headerOf(c, key)
	m.claims = claimsOf(c)
	if n := m.length(); n > maxToken {
		return nil, invalid("additionalClaims", fmt.Sprintf("the JWT would have %d bytes, at most %d are allowed: shorten headers or additionalClaims", n, maxToken))
	}
	if m.exchange, err = compileExchange(c); err != nil {
		return nil, err
	}
	return m, nil
}

// check demands what RFC 7523 §3 requires, and that headers and claims leave alone what is made here.
func check(c *config.Credential, key *Key) error {
	for _, row := range []struct {
		field, value string
		required     bool
	}{{"issuer", c.Issuer, true}, {"subject", c.Subject, c.TokenEndpoint != ""}, {"audience", c.Audience, c.TokenEndpoint != ""}, {"keyID", key.id, false}} {
		switch {
		case row.value == "" && row.required:
			return invalid(row.field, "it is required")
		case quoted(row.value) == "":
			return invalid(row.field, "it is not UTF-8")
		}
	}
	if l := c.Lifetime.Value(); l < minLifetime || l > maxLifetime {
		return invalid("lifetime", "must be 10s to 4400h")
	}
	if err := checkExtra("headers", c.Headers, maxHeaders, func(name string) string { return takenHeader(c, key, name) }); err != nil {
		return err
	}
	return checkExtra("additionalClaims", c.Claims, maxClaims, takenClaim)
}

// takenHeader tells why a header may not be set, "" if it may.
func takenHeader(c *config.Credential, key *Key, name string) string {
	text, isText := "", json.Unmarshal(c.Headers[name], new(string)) == nil
	if isText {
		_ = json.Unmarshal(c.Headers[name], &text)
	}
	switch name {
	case "alg":
		if text != key.algorithm {
			return "it must equal algorithm: leave it out"
		}
	case "kid":
		if text != key.id || text == "" {
			return "it must equal keyID: set keyID and leave it out here"
		}
	case "typ":
		if text == "" {
			return "it must be a string, such as JWT"
		}
	case "crit", "b64", "zip", "enc":
		return "it changes what a JWT is: leave it out"
	}
	return ""
}

func takenClaim(name string) string {
	switch name {
	case "iss", "sub", "aud":
		return "it has a field of its own: set issuer, subject or audience"
	case "iat", "exp", "jti":
		return "it is made for each JWT: leave it out"
	}
	return ""
}

func headerOf(c *config.Credential, key *Key) string {
	var m members
	m.addText("alg", key.algorithm)
	if _, ok := c.Headers["typ"]; !ok {
		m.addText("typ", "JWT")
	}
	if key.id != "" {
		m.addText("kid", key.id)
	}
	more := make(map[string]json.RawMessage, len(c.Headers))
	for name, value := range c.Headers {
		if !slices.Contains([]string{"alg", "kid"}, name) {
			more[name] = value
		}
	}
	m.addAll(more)
	return base64.RawURLEncoding.EncodeToString(slices.Concat([]byte("{"), m.text, []byte("}")))
}

func claimsOf(c *config.Credential) string {
	var m members
	for _, row := range []struct{ name, value string }{{"iss", c.Issuer}, {"sub", c.Subject}, {"aud", c.Audience}} {
		if row.value != "" {
			m.addText(row.name, row.value)
		}
	}
	m.addAll(c.Claims)
	return string(m.text)
}

// length is at least that of each JWT, in bytes: the longest signature is that of a 4096-bit RSA key, and times and jti have less than 128 bytes.
func (m *Maker) length() int {
	return len(m.header) + base64.RawURLEncoding.EncodedLen(len(m.claims)+128) + base64.RawURLEncoding.EncodedLen(512) + len("..")
}

// JWT makes and signs one: the credential's claims, iat, exp and a jti of 128 bits from random. Its life is that of the JWT.
func (m *Maker) JWT(now time.Time, random io.Reader) (Token, error) {
	id, err := NewID(random)
	if err != nil {
		return Token{}, fail(ReasonInternalError, "no random bytes for a jti")
	}
	issued := now.Truncate(time.Second)
	expires := issued.Add(m.lifetime)
	claims := make([]byte, 0, len(m.claims)+128)
	claims = append(append(append(claims, '{'), m.claims...), `,"iat":`...)
	claims = append(strconv.AppendInt(claims, issued.Unix(), 10), `,"exp":`...)
	claims = append(strconv.AppendInt(claims, expires.Unix(), 10), `,"jti":"`...)
	claims = append(append(claims, id...), `"}`...)
	signed, err := m.key.sign(m.header + "." + base64.RawURLEncoding.EncodeToString(claims))
	if err != nil {
		return Token{}, fail(ReasonInvalidSource, "keySecretRef: the key cannot sign with "+m.key.algorithm)
	}
	return Token{Value: signed, Type: Bearer, IssuedAt: issued, ExpiresAt: expires}, nil
}

// String names the credential, never its key.
func (m *Maker) String() string { return "credential of " + m.object }

// GoString keeps %#v from printing more.
func (m *Maker) GoString() string { return m.String() }
