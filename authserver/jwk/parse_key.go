// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// ParseKey reads one JWK: a JSON object without duplicate names, at most 512 KiB. The
// error says which member is wrong and never holds key bytes.
func ParseKey(jwk []byte) (*Key, error) {
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
	members, err := ReadMembers(text)
	if err != nil {
		return nil, "", err
	}
	if id, err = members.Text("kid"); err != nil {
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
	if key.issuer, err = members.issuer(); err != nil {
		return nil, id, err
	}
	if err := key.settle(); err != nil {
		return nil, id, err
	}
	return key, id, nil
}

// essential is the JWK with only the members that this package relies on: x5u is never
// fetched and thumbprints prove nothing, so neither can spoil a key. x5c stays, because it
// must carry the same key.
func (m Members) essential() []byte {
	kept := Members{}
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
func (m Members) check() error {
	for _, name := range []string{"kty", "use", "alg", "crv"} {
		if _, err := m.Text(name); err != nil {
			return err
		}
	}
	kty, _ := m.Text("kty")
	crv, _ := m.Text("crv")
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
		if err := m.CheckBase64(name); err != nil {
			return err
		}
	}
	if _, ok := m["alg"]; ok {
		if alg, _ := m.Text("alg"); algorithmIndex(alg) < 0 {
			return fmt.Errorf("alg %s does not verify signatures: use one of %v or leave it out", quote(alg), AlgorithmNames())
		}
	}
	return m.CheckUse("sig", "verify")
}

// issuer returns the member issuer, with which Entra ID says whose tokens the key signs. One
// that cannot be read spoils the key, which would else count for every issuer.
func (m Members) issuer() (string, error) {
	issuer, err := m.Text("issuer")
	if err == nil && len(issuer) > maxIssuerLength {
		err = fmt.Errorf("issuer has %d bytes, at most %d are allowed", len(issuer), maxIssuerLength)
	}
	return issuer, err
}
