// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// rsaBits is the size of new RSA keys: what every verifier takes, for keys that live a month or so.
const rsaBits = 2048

// generators is the list of signing algorithms: tokens.signingAlgorithm to what makes a key for it.
var generators = map[string]func() (crypto.Signer, error){
	"ES256": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"ES384": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
	"RS256": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, rsaBits) },
	"PS256": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, rsaBits) },
	"EdDSA": func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	},
}

// Generate makes a key for ES256, ES384, RS256, PS256 or EdDSA that signs from activeFrom on (kept in whole seconds, UTC).
func Generate(algorithm string, activeFrom time.Time) (config.SigningKey, error) {
	generate, ok := generators[algorithm]
	if !ok {
		return config.SigningKey{}, fmt.Errorf("making a signing key: algorithm %q is not ES256, ES384, RS256, PS256 or EdDSA", algorithm)
	}
	key, err := generate()
	if err != nil {
		return config.SigningKey{}, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return config.SigningKey{}, fmt.Errorf("encoding a signing key: %w", err)
	}
	id, err := thumbprint(key.Public())
	if err != nil {
		return config.SigningKey{}, err
	}
	return config.SigningKey{
		KeyID:      id,
		Algorithm:  algorithm,
		ActiveFrom: activeFrom.UTC().Truncate(time.Second),
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}, nil
}

// thumbprint is the RFC 7638 SHA-256 thumbprint of a public key in base64url.
func thumbprint(public crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("computing a key's thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// parse reads a signing key and checks that it fits its algorithm. Errors hold no key material.
func parse(k *config.SigningKey) (crypto.Signer, *jwk.Key, error) {
	if _, ok := generators[k.Algorithm]; !ok {
		return nil, nil, errors.New("alg is not ES256, ES384, RS256, PS256 or EdDSA")
	}
	block, rest := pem.Decode([]byte(k.PrivateKey))
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) != 0 {
		return nil, nil, errors.New("the private key is not one PKCS#8 PEM block")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, errors.New("the private key is not valid PKCS#8")
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("a key of type %T does not sign", private)
	}
	public, err := jwk.New(signer.Public())
	if err != nil {
		return nil, nil, err
	}
	public, err = public.With(k.KeyID, k.Algorithm)
	if err != nil {
		return nil, nil, err
	}
	return signer, public, nil
}
