// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
)

// ParseKey reads one JWK: a JSON object without duplicate names, at most 512 KiB. The
// error says which member is wrong and never holds key bytes.
func ParseKey(jwk []byte) (*Key, error) {
	if len(jwk) > maxSetLength {
		return nil, fmt.Errorf("reading JWK: it has %d bytes, at most %d are allowed", len(jwk), maxSetLength)
	}
	key, id, err := parseKey(jwk)
	switch {
	case err != nil && id != "":
		return nil, fmt.Errorf("reading JWK with kid %s: %w", quote(id), err)
	case err != nil:
		return nil, fmt.Errorf("reading JWK: %w", err)
	}
	return key, nil
}

// parseKey returns the key's ID also with an error, once it is read.
func parseKey(text []byte) (key *Key, id string, err error) {
	members, err := readObject(text)
	if err != nil {
		return nil, "", err
	}
	if id, err = members.text("kid"); err != nil {
		return nil, "", err
	}
	if len(id) > maxKeyIDLength {
		return nil, "", fmt.Errorf("kid has %d bytes, at most %d are allowed", len(id), maxKeyIDLength)
	}
	if err := members.check(); err != nil {
		return nil, id, err
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(members.essential()); err != nil {
		if errors.Is(err, jose.ErrUnsupportedKeyType) {
			return nil, id, errUnsupportedType
		}
		return nil, id, errors.New(bound(strings.TrimPrefix(err.Error(), "go-jose/go-jose: ")))
	}
	if key, err = New(parsed.Key); err != nil {
		return nil, id, err
	}
	key.id, key.alg = id, parsed.Algorithm
	if err := key.settle(); err != nil {
		return nil, id, err
	}
	return key, id, nil
}

// essential is the JWK with only the members that this package relies on: x5u is never
// fetched and thumbprints prove nothing, so neither can spoil a key. x5c stays, because it
// must carry the same key.
func (m object) essential() []byte {
	kept := object{}
	for _, name := range []string{"kty", "crv", "alg", "n", "e", "x", "y", "k", "x5c"} {
		if v, ok := m[name]; ok {
			kept[name] = v
		}
	}
	text, err := json.Marshal(kept)
	if err != nil { // cannot happen: each value was read from valid JSON
		return nil
	}
	return text
}

var errUnsupportedType = errors.New("kty or crv is not supported: use RSA, EC (P-256, P-384, P-521), OKP (Ed25519) or oct")

// material lists per `kty` the members that make up the key (RFC 7518 §6, RFC 8037 §2).
var material = map[string][]string{
	"RSA": {"n", "e"},
	"EC":  {"x", "y"},
	"OKP": {"x"},
	"oct": {"k"},
}

// privateMembers are members that only a private key has.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "priv"}

// check applies the rules on members that go-jose does not.
func (m object) check() error {
	for _, name := range []string{"kty", "use", "alg", "crv"} {
		if _, err := m.text(name); err != nil {
			return err
		}
	}
	kty, _ := m.text("kty")
	crv, _ := m.text("crv")
	if !slices.ContainsFunc(algorithms[:], func(a Alg) bool { return a.Type == kty && (a.Curve == crv || a.Curve == "") }) {
		return errUnsupportedType
	}
	for _, name := range privateMembers {
		if _, ok := m[name]; ok {
			return ErrPrivate
		}
	}
	if _, ok := m["k"]; ok && kty != "oct" {
		return fmt.Errorf("member k does not belong in a key of type %s", kty)
	}
	for _, name := range material[kty] {
		if err := m.checkBase64(name); err != nil {
			return err
		}
	}
	if _, ok := m["alg"]; ok {
		if alg, _ := m.text("alg"); algorithmIndex(alg) < 0 {
			return fmt.Errorf("alg %s does not verify signatures: use one of %v or leave it out", quote(alg), AlgorithmNames())
		}
	}
	return m.checkUse()
}

// checkUse demands that the key is meant to verify signatures (RFC 7517 §4.2, §4.3).
func (m object) checkUse() error {
	if _, ok := m["use"]; ok {
		if use, _ := m.text("use"); use != "sig" {
			return fmt.Errorf("use is %s: a verification key has sig or no use", quote(use))
		}
	}
	raw, ok := m["key_ops"]
	if !ok {
		return nil
	}
	var ops []string
	if raw.Kind() != '[' || json.Unmarshal(raw, &ops) != nil {
		return errors.New("key_ops is not an array of strings")
	}
	for i, op := range ops {
		if slices.Contains(ops[:i], op) {
			return errors.New("key_ops has a value twice (RFC 7517 §4.3)")
		}
	}
	if !slices.Contains(ops, "verify") {
		return errors.New("key_ops does not contain verify")
	}
	return nil
}

// checkBase64 demands a base64url string without padding or whitespace.
func (m object) checkBase64(name string) error {
	if _, ok := m[name]; !ok {
		return fmt.Errorf("member %s is missing", name)
	}
	text, err := m.text(name)
	if err != nil {
		return err
	}
	if strings.ContainsAny(text, "\r\n") { // encoding/base64 passes over these two
		return fmt.Errorf("member %s is not base64url without padding", name)
	}
	// Stray trailing bits are let pass: they do not make another key, and a key so written
	// must go on colliding with one of the same kid.
	if _, err := base64.RawURLEncoding.DecodeString(text); err != nil {
		return fmt.Errorf("member %s is not base64url without padding", name)
	}
	return nil
}

// text returns the string value of a member, "" if absent.
func (m object) text(name string) (string, error) {
	raw, ok := m[name]
	if !ok {
		return "", nil
	}
	if raw.Kind() != '"' {
		return "", fmt.Errorf("member %s is not a string", name)
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", fmt.Errorf("member %s is not a valid string", name)
	}
	return string(text), nil
}
