// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// MaxLength is the longest token that is looked at, in bytes.
const MaxLength = 16 << 10

// Rules are what a policy demands of a token's form. They are read only and may be shared.
type Rules struct {
	// Algorithms are the accepted `alg` values, compared exactly; empty accepts none.
	Algorithms []string
	// Types are the accepted `typ` values in lower case without `application/`; ""
	// accepts a token without typ. Empty accepts none.
	Types []string
	// Leeway is the allowed difference of clocks for exp, nbf and iat; a negative one only narrows.
	Leeway time.Duration
	// Encryption says which encrypted tokens are opened; nil accepts none.
	Encryption *Encryption
}

// Token is a parsed token. Its claims are out of reach until Verify has succeeded. A Token
// is for one goroutine.
type Token struct {
	raw      string
	signed   int // raw[:signed] is the JWS signing input
	header   header
	payload  object
	sig      []byte
	jwe      *jweHeader // of an encrypted token; header and the rest are those of the token inside
	direct   bool       // the claims are directly inside the encryption
	verified bool
}

// Parse checks everything about a token that needs no verification key, in the order of
// DESIGN §7: the steps are its statements, those of parseSigned and parseEncrypted included.
// Nothing in the result is trusted yet. An error is an [*Error].
func Parse(raw string, r *Rules) (*Token, error) {
	segments, err := checkForm(raw)
	if err != nil {
		return nil, err
	}
	if segments == 5 {
		return parseEncrypted(raw, r)
	}
	if err := r.Encryption.checkRequired(); err != nil {
		return nil, err
	}
	return parseSigned(raw, r)
}

// checkForm checks length and characters and returns the number of segments, 3 or 5.
func checkForm(raw string) (segments int, err error) {
	if err := checkLength(raw); err != nil {
		return 0, err
	}
	if err := checkCharacters(raw); err != nil {
		return 0, err
	}
	segments = strings.Count(raw, ".") + 1
	if segments != 3 && segments != 5 {
		return 0, refuse(ReasonSegments, "a signed token has three segments, an encrypted one five")
	}
	return segments, nil
}

// parseSigned checks a string of three segments.
func parseSigned(raw string, r *Rules) (*Token, error) {
	t, payload, err := open(raw)
	if err != nil {
		return nil, err
	}
	if t.payload, err = readObject(payload); err != nil {
		return nil, inPart("payload", err)
	}
	if err := t.header.check(r); err != nil {
		return nil, err
	}
	return t, nil
}

// open takes three segments apart. The payload may be anything: this far it is a JWS.
func open(raw string) (t *Token, payload []byte, err error) {
	parts := split(raw)
	if parts[0] == "" || parts[2] == "" { // an empty payload is a JWS, and no JSON object
		return nil, nil, refuse(ReasonSegments, "header or signature is empty")
	}
	out, err := decode(parts[:3])
	if err != nil {
		return nil, nil, err
	}
	t = &Token{raw: raw, signed: len(parts[0]) + 1 + len(parts[1]), sig: out[2]}
	members, err := readObject(out[0])
	if err == nil {
		t.header, err = readHeader(members)
	}
	if err != nil {
		return nil, nil, inPart("header", err)
	}
	return t, out[1], nil
}

func checkLength(raw string) error {
	if len(raw) > MaxLength {
		return refuse(ReasonTooLong, "at most "+strconv.Itoa(MaxLength)+" bytes are allowed")
	}
	return nil
}

func checkCharacters(raw string) error {
	for i := 0; i < len(raw); i++ {
		if !allowed[raw[i]] {
			return refuse(ReasonCharacters, "only A-Z, a-z, 0-9, '-', '_' and '.' are allowed")
		}
	}
	return nil
}

// allowed marks the bytes of a compact serialization.
var allowed = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_." {
		set[c] = true
	}
	return set
}()

// split returns the segments, of which there are at most five.
func split(raw string) (parts [5]string) {
	for i := range parts {
		parts[i], raw, _ = strings.Cut(raw, ".")
	}
	return parts
}

// strictBase64 refuses padding and non-zero trailing bits, so that a token has exactly one
// spelling (RFC 7515 §2, RFC 4648 §3.5). Line breaks, which it would pass over, are no
// allowed characters.
var strictBase64 = base64.RawURLEncoding.Strict()

// decode decodes the segments into one buffer.
func decode(parts []string) (out [5][]byte, err error) {
	size := 0
	for _, p := range parts {
		size += strictBase64.DecodedLen(len(p))
	}
	buf := make([]byte, size)
	for i, p := range parts {
		n, err := strictBase64.Decode(buf, []byte(p))
		if err != nil {
			return out, refuse(ReasonBase64, "each segment is base64url without padding and without stray bits")
		}
		out[i], buf = buf[:n:n], buf[n:]
	}
	return out, nil
}

// inPart says in which part of the token a refusal arose.
func inPart(part string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Reason: e.Reason, Detail: part + ": " + e.Detail}
	}
	return err
}

// Algorithm returns the header's alg, one of the rules': of an encrypted token that of the
// one inside, of a Direct one the key management algorithm.
func (t *Token) Algorithm() string { return t.header.alg }

// KeyID returns the header's kid and whether there is one; it may be the empty string.
func (t *Token) KeyID() (kid string, present bool) { return t.header.kid, t.header.hasKid }

// UnverifiedIssuer returns the payload's iss before anything vouches for it, "" if it is
// absent or not a string. Use it to choose whose keys are tried, nothing else.
func (t *Token) UnverifiedIssuer() string {
	v, _ := t.payload.lookup("iss")
	iss, _ := v.Text()
	return iss
}

// Select returns the one key of the set for this token. An error is a refusal, as of
// [SelectError].
func (t *Token) Select(set *jwk.Set) (*jwk.Key, error) {
	key, err := set.Select(t.header.alg, t.header.kid, t.header.hasKid)
	if err != nil {
		return nil, SelectError(err)
	}
	return key, nil
}

// Verify checks the signature with key, which must fit the token's algorithm and, if both
// have one, its kid. Only after it has returned nil does Claims work, but for a Direct token,
// which has no signature.
func (t *Token) Verify(key *jwk.Key) error {
	t.verified = false
	if t.direct {
		return refuse(ReasonNestedRequired, "there is no signature inside the encryption")
	}
	if key == nil {
		return refuse(ReasonUnknownKey, "there is no key")
	}
	if err := key.Fits(t.header.alg); err != nil {
		return refuse(ReasonKeyMismatch, err.Error())
	}
	if t.header.hasKid && key.ID() != "" && key.ID() != t.header.kid {
		return refuse(ReasonUnknownKey, "the key has another kid than the token")
	}
	alg, ok := jwk.Algorithm(t.header.alg)
	if !ok {
		return refuse(ReasonAlgorithm, "the algorithm is not supported")
	}
	if err := key.Verify(alg, t.raw[:t.signed], t.sig); err != nil {
		return refuse(ReasonSignature, "")
	}
	t.verified = true
	return nil
}
