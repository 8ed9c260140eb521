// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Key signs assertions: a private key, or for HS256, HS384 and HS512 a secret. It is immutable.
type Key struct {
	id        string
	algorithm string
	method    jwt.SigningMethod
	material  any // crypto.Signer or []byte
}

// defaults are what a private key signs with where nothing names its algorithm.
var defaults = map[string]string{"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}

// newKey checks a key with the rules of package jwk: strength, and that algorithm and ID may go with it. Without an algorithm it is the first of its type.
func newKey(material any, id, algorithm string) (*Key, error) {
	public := material
	if private, ok := material.(crypto.Signer); ok {
		if err := checkHalves(private); err != nil {
			return nil, err
		}
		public = private.Public()
		if algorithm == "" {
			algorithm = defaults[kindOf(private)]
		}
	}
	verifier, err := jwk.New(public)
	if err != nil {
		return nil, fmt.Errorf("checking the key: %w", err)
	}
	if _, err := verifier.With(id, algorithm); err != nil {
		return nil, fmt.Errorf("checking the key: %w", err)
	}
	row, ok := jwk.Algorithm(algorithm)
	if !ok {
		return nil, errors.New("checking the key: algorithm is missing")
	}
	return &Key{id: id, algorithm: algorithm, method: row.Method, material: material}, nil
}

// checkHalves demands that the public half is that of the private one: an EC key's JWK holds both, and go-jose compares them for RSA and Ed25519 alone. It also prepares
// an RSA key, so that signing need not do so each time.
func checkHalves(private crypto.Signer) error {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		k.Precompute()
	case *ecdsa.PrivateKey:
		d, err := k.Bytes()
		if err != nil {
			return nil //nolint:nilerr // a curve that is not supported, which package jwk says better
		}
		if whole, err := ecdsa.ParseRawPrivateKey(k.Curve, d); err != nil || !whole.PublicKey.Equal(&k.PublicKey) {
			return errors.New("checking the key: the public members are not those of the private key")
		}
	}
	return nil
}

func kindOf(private crypto.Signer) string {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		return "RSA"
	case *ecdsa.PrivateKey:
		for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			if k.Curve == curve {
				return curve.Params().Name
			}
		}
	case ed25519.PrivateKey:
		return "Ed25519"
	}
	return ""
}

// ID returns the kid that assertions carry, "" for none.
func (k *Key) ID() string { return k.id }

// Algorithm returns the alg that assertions are signed with.
func (k *Key) Algorithm() string { return k.algorithm }

// Public returns the public half: what the other side verifies with. A secret has none: nil.
func (k *Key) Public() crypto.PublicKey {
	if private, ok := k.material.(crypto.Signer); ok {
		return private.Public()
	}
	return nil
}

// JWK returns the key as a private or oct JWK with alg, in a fixed order of members: what a rendered configuration holds. It is secret.
func (k *Key) JWK() ([]byte, error) {
	return (&jose.JSONWebKey{Key: k.material, KeyID: k.id, Algorithm: k.algorithm, Use: "sig"}).MarshalJSON()
}

// String names the key by algorithm and ID, never by its bytes.
func (k *Key) String() string { return fmt.Sprintf("%s private key %q", k.algorithm, k.id) }

// GoString keeps %#v from printing key bytes.
func (k *Key) GoString() string { return k.String() }

// LogValue keeps log handlers from printing key bytes.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
