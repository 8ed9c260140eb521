// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// maxKey is the longest text of a key, in bytes.
const maxKey = 64 << 10

// Key is a private key that signs assertions. It is immutable.
type Key struct {
	id        string
	algorithm string
	method    jwt.SigningMethod
	private   crypto.Signer
}

// algorithms are what each type of key signs with; the first is the default.
var algorithms = map[string][]jwt.SigningMethod{
	"RSA": {
		jwt.SigningMethodRS256, jwt.SigningMethodRS384, jwt.SigningMethodRS512,
		jwt.SigningMethodPS256, jwt.SigningMethodPS384, jwt.SigningMethodPS512,
	},
	"P-256":   {jwt.SigningMethodES256},
	"P-384":   {jwt.SigningMethodES384},
	"P-521":   {jwt.SigningMethodES512},
	"Ed25519": {jwt.SigningMethodEdDSA},
}

// ParseKey reads a private key: one JWK (RFC 7517), or one PEM block of PKCS#8, PKCS#1 or SEC 1, before which EC PARAMETERS may stand. A JWK's alg and kid are used; other
// keys sign with the first algorithm of their type (RSA: RS256) and without kid. The error says what is wrong and holds nothing of the key.
func ParseKey(text []byte) (*Key, error) {
	if len(text) > maxKey {
		return nil, fmt.Errorf("the private key has %d bytes, at most %d are allowed", len(text), maxKey)
	}
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		return parseJWK(text)
	}
	private, err := parsePEM(text)
	if err != nil {
		return nil, err
	}
	return newKey(private, "", "")
}

func parseJWK(text []byte) (*Key, error) {
	members, err := jwk.ReadMembers(text)
	if err != nil {
		return nil, fmt.Errorf("reading the private JWK: %w", err)
	}
	for _, name := range []string{"kty", "crv", "alg", "kid", "use"} {
		if _, err := members.Text(name); err != nil {
			return nil, fmt.Errorf("reading the private JWK: %w", err)
		}
	}
	if kty, _ := members.Text("kty"); !slices.Contains([]string{"RSA", "EC", "OKP"}, kty) {
		return nil, errors.New("reading the private JWK: kty is not supported: use RSA, EC (P-256, P-384, P-521) or OKP (Ed25519)")
	}
	if _, ok := members["d"]; !ok {
		return nil, errors.New("reading the private JWK: it is a public key: the private one has a member d")
	}
	if err := members.CheckUse("sig", "sign"); err != nil {
		return nil, fmt.Errorf("reading the private JWK: %w", err)
	}
	var parsed jose.JSONWebKey
	if parsed.UnmarshalJSON(text) != nil { // whose words may hold a number of the key
		return nil, errors.New("reading the private JWK: the members do not make a valid private key")
	}
	private, ok := parsed.Key.(crypto.Signer)
	if !ok {
		return nil, errors.New("reading the private JWK: the members do not make a valid private key")
	}
	id, _ := members.Text("kid")
	algorithm, _ := members.Text("alg")
	return newKey(private, id, algorithm)
}

func parsePEM(text []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(text)
	if block != nil && block.Type == "EC PARAMETERS" { // which openssl ecparam -genkey writes before the key
		block, rest = pem.Decode(rest)
	}
	switch {
	case block == nil:
		return nil, errors.New("the private key is neither a JWK nor PEM: expected a block that begins with -----BEGIN PRIVATE KEY-----")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("the private key's PEM has something after its first block: leave only the private key")
	}
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the private key is encrypted: store it without a password, as in openssl pkcs8 -topk8 -nocrypt")
	default:
		return nil, errors.New("the PEM block is no private key: expected PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY")
	}
	private, ok := parsed.(crypto.Signer)
	if err != nil || !ok || block.Headers["Proc-Type"] != "" {
		return nil, errors.New("the PEM block does not hold a private key that can be read")
	}
	return private, nil
}

// newKey checks a private key by its public half, with the rules of package jwk.
func newKey(private crypto.Signer, id, algorithm string) (*Key, error) {
	public, err := jwk.New(private.Public())
	if err != nil {
		return nil, fmt.Errorf("checking the private key: %w", err)
	}
	if _, err := public.With(id, ""); err != nil {
		return nil, fmt.Errorf("checking the private key: %w", err)
	}
	fits := algorithms[kindOf(private)]
	if algorithm == "" && len(fits) > 0 {
		algorithm = fits[0].Alg()
	}
	for _, method := range fits {
		if method.Alg() == algorithm {
			return &Key{id: id, algorithm: algorithm, method: method, private: private}, nil
		}
	}
	return nil, errors.New("alg of the private key does not fit its type: leave it out, or use one of the type's (RSA: RS256 to PS512, P-256: ES256, P-384: ES384, P-521: ES512, Ed25519: EdDSA)")
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

// Public returns the public half: what the other side verifies with.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// JWK returns the private key as a JWK with alg, in a fixed order of members: what a rendered configuration holds. It is secret.
func (k *Key) JWK() ([]byte, error) {
	return (&jose.JSONWebKey{Key: k.private, KeyID: k.id, Algorithm: k.algorithm, Use: "sig"}).MarshalJSON()
}

// String names the key by algorithm and ID, never by its bytes.
func (k *Key) String() string { return fmt.Sprintf("%s private key %q", k.algorithm, k.id) }

// GoString keeps %#v from printing key bytes.
func (k *Key) GoString() string { return k.String() }

// LogValue keeps log handlers from printing key bytes.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
