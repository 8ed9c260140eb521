// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"filippo.io/bigmod"
	"github.com/go-jose/go-jose/v4"
)

// Key is one verification key. It is immutable: neither its fields nor its material
// may be changed, and it is safe for concurrent use.
type Key struct {
	id       string
	alg      string // declared `alg`, or ""
	kty      string
	crv      string
	issuer   string // the member issuer, or ""
	material any
	modulus  *bigmod.Modulus // of an RSA key, if keepModulus
	fits     uint16          // bit i: algorithms[i] fits
}

// New makes a key without ID or algorithm from *rsa.PublicKey, *ecdsa.PublicKey,
// ed25519.PublicKey or []byte (a symmetric secret, copied), after the checks that the
// package comment lists.
func New(material any) (*Key, error) {
	k := &Key{material: material}
	var err error
	switch m := material.(type) {
	case *rsa.PublicKey:
		if k.kty, err = "RSA", checkRSA(m); err == nil {
			k.modulus = newModulus(m)
		}
	case *ecdsa.PublicKey:
		k.kty = "EC"
		k.crv, err = checkEC(m)
	case ed25519.PublicKey:
		k.kty, k.crv, err = "OKP", "Ed25519", checkEd25519(m)
	case []byte:
		k.kty, k.material, err = "oct", slices.Clone(m), checkSecret(m)
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		err = ErrPrivate
	default:
		err = fmt.Errorf("%s is not supported: use RSA, EC (P-256, P-384, P-521), Ed25519 or a secret", TypeName(material))
	}
	if err != nil {
		return nil, err
	}
	k.fits = k.fitting()
	return k, nil
}

// Symmetric makes an HMAC key from a secret's raw bytes, 32 to 1024 of them. Nothing
// is decoded or trimmed: a trailing newline is part of the secret.
func Symmetric(secret []byte) (*Key, error) { return New(secret) }

// ID returns the key's `kid`; "" fits any kid.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's declared `alg`; "" allows every one that fits its type.
func (k *Key) Algorithm() string { return k.alg }

// Type returns the key's `kty`: RSA, EC, OKP or oct.
func (k *Key) Type() string { return k.kty }

// Issuer returns the non-standard JWK member issuer, "" if absent. In the key sets of Entra
// ID it names whose tokens the key signs; it may hold `{tenantid}`.
func (k *Key) Issuer() string { return k.issuer }

// Material returns *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or []byte: what
// [Alg].Method.Verify takes. The caller must not change it.
func (k *Key) Material() any { return k.material }

// Verify checks a signature over input with an algorithm that the key must fit. An error says
// no more than that it does not verify.
func (k *Key) Verify(alg Alg, input string, sig []byte) error {
	if err := k.Fits(alg.Name); err != nil {
		return err
	}
	if _, ok := alg.Method.(keptModulus); ok && k.modulus != nil {
		return alg.Method.Verify(input, sig, k.modulus)
	}
	return alg.Method.Verify(input, sig, k.material)
}

// Fits reports with nil that the key may verify a signature of that algorithm; else the
// error says what of key and algorithm does not match.
func (k *Key) Fits(alg string) error {
	i := algorithmIndex(alg)
	if i >= 0 && k.fits&(1<<i) != 0 {
		return nil
	}
	if i < 0 {
		return errors.New("algorithm is not supported")
	}
	return k.misfit(&algorithms[i])
}

// misfit says why the key does not fit a, or nil.
func (k *Key) misfit(a *Alg) error {
	switch {
	case k.kty != a.Type:
		return fmt.Errorf("%s needs a key of type %s, this one is %s", a.Name, a.Type, k.kty)
	case k.crv != a.Curve:
		return fmt.Errorf("%s needs curve %s, this key is on %s", a.Name, a.Curve, k.crv)
	case k.alg != "" && k.alg != a.Name:
		return fmt.Errorf("the key is for %s, not %s", k.alg, a.Name)
	}
	if secret, ok := k.material.([]byte); ok && len(secret) < a.MinSecret {
		return fmt.Errorf("%s needs a secret of at least %d bytes, this one has %d (RFC 7518 §3.2)", a.Name, a.MinSecret, len(secret))
	}
	return nil
}

func (k *Key) fitting() uint16 {
	var bits uint16
	for i := range algorithms {
		if k.misfit(&algorithms[i]) == nil {
			bits |= 1 << i
		}
	}
	return bits
}

// With returns a copy with another key ID and algorithm: keyID and algorithm of a
// policy's key source. "" keeps what the key has. The error names an unknown algorithm
// or one that does not fit.
func (k *Key) With(id, alg string) (*Key, error) {
	c := *k
	if id != "" {
		c.id = id
	}
	if alg != "" {
		c.alg = alg
	}
	if err := c.settle(); err != nil {
		return nil, err
	}
	return &c, nil
}

// settle checks ID and algorithm and computes what fits.
func (k *Key) settle() error {
	if len(k.id) > maxKeyIDLength {
		return fmt.Errorf("kid has %d bytes, at most %d are allowed", len(k.id), maxKeyIDLength)
	}
	if k.alg != "" {
		i := algorithmIndex(k.alg)
		if i < 0 {
			return fmt.Errorf("alg %s does not verify signatures: use one of %v or leave it out", quote(k.alg), AlgorithmNames())
		}
		if err := k.misfit(&algorithms[i]); err != nil {
			return err
		}
	}
	k.fits = k.fitting()
	return nil
}

// Equal reports whether both have the same material, ID, algorithm and issuer.
func (k *Key) Equal(other *Key) bool {
	return k.id == other.id && k.alg == other.alg && k.issuer == other.issuer && k.sameMaterial(other)
}

func (k *Key) sameMaterial(other *Key) bool {
	switch m := k.material.(type) {
	case interface{ Equal(crypto.PublicKey) bool }:
		return m.Equal(other.material)
	case []byte:
		o, ok := other.material.([]byte)
		return ok && subtle.ConstantTimeCompare(m, o) == 1
	default:
		return false
	}
}

// MarshalJSON writes the key as a JWK with a fixed member order, without use, key_ops
// and certificates. [ParseKey] reads it back equal. A symmetric key's JWK holds the
// secret: it belongs in a Secret only.
func (k *Key) MarshalJSON() ([]byte, error) {
	text, err := k.jose().MarshalJSON()
	if err != nil || k.issuer == "" {
		return text, err
	}
	issuer, err := json.Marshal(k.issuer)
	if err != nil {
		return nil, err
	}
	return slices.Concat(text[:len(text)-1], []byte(`,"issuer":`), issuer, []byte("}")), nil
}

// Thumbprint returns the key's RFC 7638 SHA-256 thumbprint, base64url. A secret's
// thumbprint could confirm guesses, so a symmetric key has none: "".
func (k *Key) Thumbprint() string {
	if k.kty == "oct" {
		return ""
	}
	return thumbprint(k.jose())
}

func (k *Key) jose() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: k.material, KeyID: k.id, Algorithm: k.alg}
}

// String names the key by type and ID, never by its bytes.
func (k *Key) String() string { return fmt.Sprintf("%s key %q", k.kty, k.id) }

// GoString keeps %#v from printing key bytes.
func (k *Key) GoString() string { return k.String() }

// LogValue keeps log handlers from printing key bytes through MarshalJSON.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
