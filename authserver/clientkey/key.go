// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"crypto"
	"fmt"
	"log/slog"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Key is one private key that signs. It is immutable and safe for concurrent use.
type Key struct {
	signer crypto.Signer
	public *jwk.Key
	alg    string
}

// defaultAlgorithms are what a key without alg signs with: the first that fits.
var defaultAlgorithms = []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"}

// newKey checks the key by its public half, which package jwk knows the rules of.
func newKey(private any, id, alg string) (*Key, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s is no key that signs: use RSA, EC (P-256, P-384, P-521) or Ed25519", jwk.TypeName(private))
	}
	public, err := jwk.New(signer.Public())
	if err != nil {
		return nil, err
	}
	if public, err = public.With(id, alg); err != nil {
		return nil, err
	}
	for _, name := range append([]string{alg}, defaultAlgorithms...) {
		if name != "" && public.Fits(name) == nil {
			return &Key{signer: signer, public: public, alg: name}, nil
		}
	}
	return nil, fmt.Errorf("no algorithm fits the key: use RSA, EC (P-256, P-384, P-521) or Ed25519")
}

// ID is the JWK's kid, "" without one.
func (k *Key) ID() string { return k.public.ID() }

// Algorithm is the JWS algorithm that the key signs with, such as ES256.
func (k *Key) Algorithm() string { return k.alg }

// Private is the key itself, as golang-jwt's signing methods take it.
func (k *Key) Private() crypto.Signer { return k.signer }

// Thumbprint is the RFC 7638 SHA-256 thumbprint, base64url.
func (k *Key) Thumbprint() string { return k.public.Thumbprint() }

// MarshalJSON writes the key as a JWK, with what must be kept secret. [Parse] reads it back.
func (k *Key) MarshalJSON() ([]byte, error) {
	return (&jose.JSONWebKey{Key: k.signer, KeyID: k.public.ID(), Algorithm: k.alg, Use: "sig"}).MarshalJSON()
}

// String names the key without its bytes.
func (k *Key) String() string { return fmt.Sprintf("%s client key %q", k.public.Type(), k.public.ID()) }

// GoString is String.
func (k *Key) GoString() string { return k.String() }

// LogValue is String.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
