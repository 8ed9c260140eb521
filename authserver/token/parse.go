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
}

// Token is a parsed token. Its claims are out of reach until Verify has succeeded. A Token
// is for one goroutine.
type Token struct {
	raw      string
	signed   int // raw[:signed] is the JWS signing input
	header   header
	payload  object
	sig      []byte
	verified bool
}

// Parse checks everything about a token that needs no key, in the order of DESIGN §7: the
// steps are its statements, those of open included. Nothing in the result is trusted yet.
// An error is an [*Error].
func Parse(raw string, r *Rules) (*Token, error) {
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

// open takes the token apart. The payload may be anything: this far it is a JWS.
func open(raw string) (t *Token, payload []byte, err error) {
	if err := checkLength(raw); err != nil {
		return nil, nil, err
	}
	if err := checkCharacters(raw); err != nil {
		return nil, nil, err
	}
	parts, err := split(raw)
	if err != nil {
		return nil, nil, err
	}
	head, payload, sig, err := decode(parts)
	if err != nil {
		return nil, nil, err
	}
	t = &Token{raw: raw, signed: len(parts[0]) + 1 + len(parts[1]), sig: sig}
	if t.header, err = readHeader(head); err != nil {
		return nil, nil, inPart("header", err)
	}
	return t, payload, nil
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

// split returns header, payload and signature.
func split(raw string) (parts [3]string, err error) {
	switch strings.Count(raw, ".") {
	case 2:
	case 4:
		return parts, refuse(ReasonEncrypted, "the token is a JWE; this server accepts signed tokens only")
	default:
		return parts, refuse(ReasonSegments, "a signed token has three segments")
	}
	head, rest, _ := strings.Cut(raw, ".")
	payload, sig, _ := strings.Cut(rest, ".")
	if head == "" || sig == "" { // an empty payload is a JWS, and no JSON object
		return parts, refuse(ReasonSegments, "header or signature is empty")
	}
	return [3]string{head, payload, sig}, nil
}

// strictBase64 refuses padding and non-zero trailing bits, so that a token has exactly one
// spelling (RFC 7515 §2, RFC 4648 §3.5). Line breaks, which it would pass over, are no
// allowed characters.
var strictBase64 = base64.RawURLEncoding.Strict()

// decode decodes the three segments into one buffer.
func decode(parts [3]string) (head, payload, sig []byte, err error) {
	size := 0
	for _, p := range parts {
		size += strictBase64.DecodedLen(len(p))
	}
	buf := make([]byte, size)
	var out [3][]byte
	for i, p := range parts {
		n, err := strictBase64.Decode(buf, []byte(p))
		if err != nil {
			return nil, nil, nil, refuse(ReasonBase64, "each segment is base64url without padding and without stray bits")
		}
		out[i], buf = buf[:n:n], buf[n:]
	}
	return out[0], out[1], out[2], nil
}

// inPart says in which part of the token a refusal arose.
func inPart(part string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Reason: e.Reason, Detail: part + ": " + e.Detail}
	}
	return err
}

// Algorithm returns the header's alg, one of the rules'.
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
// have one, its kid. Only after it has returned nil does Claims work.
func (t *Token) Verify(key *jwk.Key) error {
	t.verified = false
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
	if err := alg.Method.Verify(t.raw[:t.signed], t.sig, key.Material()); err != nil {
		return refuse(ReasonSignature, "")
	}
	t.verified = true
	return nil
}
