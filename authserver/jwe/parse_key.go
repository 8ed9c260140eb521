// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// ParseKey reads one private or symmetric JWK: a JSON object without duplicate names, at most
// 512 KiB. The error says which member is wrong and never holds key bytes.
func ParseKey(text []byte) (*Key, error) {
	key, id, err := parseKey(text)
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
	members, err := jwk.ReadMembers(text)
	if err != nil {
		return nil, "", err
	}
	if id, err = members.Text("kid"); err != nil {
		return nil, "", err
	}
	if len(id) > maxKeyIDLength {
		return nil, "", fmt.Errorf("kid has %d bytes, at most %d are allowed", len(id), maxKeyIDLength)
	}
	if err := checkMembers(members); err != nil {
		return nil, id, err
	}
	var parsed jose.JSONWebKey
	if parsed.UnmarshalJSON(essential(members)) != nil { // whose words may hold a number of the key
		return nil, id, errors.New("the members do not make a valid private key")
	}
	if key, err = New(parsed.Key); err != nil {
		return nil, id, err
	}
	key.id = id
	if _, ok := members["alg"]; ok {
		if key.alg, err = members.Text("alg"); err == nil && key.alg == "" {
			err = errors.New(`alg is "": use one of this server's algorithms or leave it out`)
		}
		if err != nil {
			return nil, id, err
		}
	}
	if err := key.settle(); err != nil {
		return nil, id, err
	}
	return key, id, nil
}

// material lists per `kty` the members that make up a key (RFC 7518 §6). The rest of a
// private RSA key, dp, dq and qi, is computed, and so are p and q if both are absent.
var material = map[string][]string{
	"RSA": {"n", "e", "d", "p", "q"},
	"EC":  {"x", "y", "d"},
	"oct": {"k"},
}

// checkMembers applies the rules on members that go-jose does not, and adds what it wants.
func checkMembers(m jwk.Members) error {
	for _, name := range []string{"kty", "use", "alg", "crv"} {
		if _, err := m.Text(name); err != nil {
			return err
		}
	}
	kty, _ := m.Text("kty")
	names, ok := material[kty]
	if !ok {
		return errors.New("kty is not supported: use RSA, EC or oct")
	}
	if err := checkPrivate(m, kty); err != nil {
		return err
	}
	_, p := m["p"]
	_, q := m["q"]
	if kty == "RSA" && !p && !q {
		return addPrimes(m)
	}
	for _, name := range names {
		if err := m.CheckBase64(name); err != nil {
			return err
		}
	}
	return nil
}

// checkPrivate demands a key for encryption, and the half that decrypts.
func checkPrivate(m jwk.Members, kty string) error {
	if err := m.CheckUse("enc", "decrypt", "unwrapKey", "deriveKey", "deriveBits"); err != nil {
		return err
	}
	if _, private := m["d"]; !private && kty != "oct" {
		return errPublic
	}
	if _, multi := m["oth"]; multi {
		return errors.New("RSA key has more than two primes: use one of two")
	}
	if crv, _ := m.Text("crv"); kty == "EC" && crv != "P-256" && crv != "P-384" && crv != "P-521" {
		return errors.New("crv is not supported: use P-256, P-384 or P-521")
	}
	return nil
}

// essential is the JWK with only the members that make up the key.
func essential(m jwk.Members) []byte {
	kty, _ := m.Text("kty")
	kept := jwk.Members{}
	for _, name := range append([]string{"kty", "crv"}, material[kty]...) {
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

// most is how many bytes of a document's string a message repeats.
const most = 64

// quote quotes a document's string for a message and bounds it.
func quote(s string) string {
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
