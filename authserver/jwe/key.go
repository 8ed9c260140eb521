// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// maxKeyIDLength is the bound of a kid in bytes, as of verification keys.
const maxKeyIDLength = 1024

// Key is one key that decrypts. It is immutable and safe for concurrent use.
type Key struct {
	id       string
	alg      string // declared `alg`, or ""
	kty      string
	material any              // *rsa.PrivateKey, *ecdsa.PrivateKey or []byte
	agree    *ecdh.PrivateKey // of an EC key
	fits     uint64           // bit of fitBit
}

// New makes a key without ID or algorithm from *rsa.PrivateKey, *ecdsa.PrivateKey or []byte (a
// symmetric key, copied), after the checks that the package comment lists. The private key
// must not be changed afterwards.
func New(material any) (*Key, error) {
	k := &Key{material: material}
	var err error
	switch m := material.(type) {
	case *rsa.PrivateKey:
		k.kty, err = "RSA", checkRSA(m)
	case *ecdsa.PrivateKey:
		k.kty = "EC"
		k.agree, err = checkEC(m)
	case []byte:
		k.kty, k.material, err = "oct", slices.Clone(m), checkSecret(m)
	case *rsa.PublicKey, *ecdsa.PublicKey:
		err = errPublic
	default:
		err = fmt.Errorf("%s is not supported: use RSA, EC (P-256, P-384, P-521) or a symmetric key", jwk.TypeName(material))
	}
	if err != nil {
		return nil, err
	}
	if err := k.settle(); err != nil {
		return nil, err
	}
	return k, nil
}

// Symmetric makes a key from its raw bytes: 16, 24 or 32 of them for key wrap, for dir as many
// as the content algorithm takes. Nothing is decoded or trimmed.
func Symmetric(raw []byte) (*Key, error) { return New(raw) }

var errPublic = errors.New("this is a public key: decryption needs the private one")

func checkRSA(k *rsa.PrivateKey) error {
	if k == nil || k.D == nil {
		return errors.New("RSA key is empty")
	}
	if _, err := jwk.New(&k.PublicKey); err != nil {
		return err
	}
	if len(k.Primes) != 2 {
		return fmt.Errorf("RSA key has %d primes: use one of two", len(k.Primes))
	}
	if k.Validate() != nil { // whose words may hold a number of the key
		return errors.New("the parts of the RSA key do not belong together")
	}
	k.Precompute()
	return nil
}

func checkEC(k *ecdsa.PrivateKey) (*ecdh.PrivateKey, error) {
	if k == nil {
		return nil, errors.New("EC key is empty")
	}
	if _, err := jwk.New(&k.PublicKey); err != nil {
		return nil, err
	}
	agree, err := k.ECDH()
	if err != nil {
		return nil, errors.New("the private half of the EC key is out of range")
	}
	if public, err := k.PublicKey.ECDH(); err != nil || !agree.PublicKey().Equal(public) {
		return nil, errors.New("private and public half of the EC key do not belong together")
	}
	return agree, nil
}

func checkSecret(secret []byte) error {
	switch len(secret) {
	case 16, 24, 32, 64:
		return nil
	}
	return fmt.Errorf("symmetric key has %d bytes: A128KW, A192KW and A256KW take 16, 24 and 32, dir takes 16, 24, 32 or 64 as the content algorithm does", len(secret))
}

// ID returns the key's `kid`; "" fits any kid.
func (k *Key) ID() string { return k.id }

// Algorithm returns the key's declared `alg`; "" allows every one that fits its type.
func (k *Key) Algorithm() string { return k.alg }

// Type returns the key's `kty`: RSA, EC or oct.
func (k *Key) Type() string { return k.kty }

// Fits reports with nil that the key may decrypt with that key management and that content
// algorithm; else the error says what does not match.
func (k *Key) Fits(alg, enc string) error {
	i, j := keyAlgorithmIndex(alg), contentAlgorithmIndex(enc)
	switch {
	case i < 0:
		return errors.New("the key management algorithm is not supported")
	case j < 0:
		return errors.New("the content algorithm is not supported")
	case k.fits&fitBit(i, j) != 0:
		return nil
	}
	return k.misfit(&keyAlgorithms[i], &contentAlgorithms[j])
}

// fitBit is the bit of Key.fits for a row of keyAlgorithms and one of contentAlgorithms.
func fitBit(i, j int) uint64 { return 1 << (i*len(contentAlgorithms) + j) }

// misfit says why the key does not fit, or nil.
func (k *Key) misfit(a *keyAlgorithm, c *contentAlgorithm) error {
	if k.kty != a.kty {
		return fmt.Errorf("%s needs a key of type %s, this one is %s", a.name, a.kty, k.kty)
	}
	direct := a.direct()
	if k.alg != "" && k.alg != a.name && !(direct && k.alg == c.name) {
		return fmt.Errorf("the key is for %s, not %s with %s", k.alg, a.name, c.name)
	}
	secret, ok := k.material.([]byte)
	switch {
	case ok && direct && len(secret) != c.key:
		return fmt.Errorf("dir with %s needs a key of %d bytes, this one has %d", c.name, c.key, len(secret))
	case ok && !direct && len(secret) != a.kek:
		return fmt.Errorf("%s needs a key of %d bytes, this one has %d", a.name, a.kek, len(secret))
	}
	return nil
}

// With returns a copy with another key ID and algorithm: keyID and algorithm of a policy's
// key source. "" keeps what the key has. The error names an unknown algorithm or one that
// does not fit.
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
	if k.alg != "" && keyAlgorithmIndex(k.alg) < 0 && contentAlgorithmIndex(k.alg) < 0 {
		return fmt.Errorf("alg %s does not decrypt: use one of %v or leave it out", quote(k.alg), KeyAlgorithms())
	}
	k.fits = 0
	var misfit error
	for i := range keyAlgorithms {
		for j := range contentAlgorithms {
			err := k.misfit(&keyAlgorithms[i], &contentAlgorithms[j])
			if err == nil {
				k.fits |= fitBit(i, j)
			} else if k.alg == keyAlgorithms[i].name || (k.alg == contentAlgorithms[j].name && keyAlgorithms[i].direct()) {
				misfit = err
			}
		}
	}
	if k.fits == 0 {
		return misfit
	}
	return nil
}

// Equal reports whether both have the same material, ID and algorithm.
func (k *Key) Equal(other *Key) bool {
	return k.id == other.id && k.alg == other.alg && k.sameMaterial(other)
}

func (k *Key) sameMaterial(other *Key) bool {
	switch m := k.material.(type) {
	case *rsa.PrivateKey: // public halves tell keys apart, whatever the order of the primes
		o, ok := other.material.(*rsa.PrivateKey)
		return ok && m.PublicKey.Equal(&o.PublicKey)
	case *ecdsa.PrivateKey:
		o, ok := other.material.(*ecdsa.PrivateKey)
		return ok && m.PublicKey.Equal(&o.PublicKey)
	default:
		a, _ := k.material.([]byte)
		b, ok := other.material.([]byte)
		return ok && subtle.ConstantTimeCompare(a, b) == 1
	}
}

// MarshalJSON writes the key as a JWK with a fixed member order, without use and key_ops.
// [ParseKey] reads it back equal. It holds the private key: it belongs in a Secret only.
func (k *Key) MarshalJSON() ([]byte, error) {
	return (&jose.JSONWebKey{Key: k.material, KeyID: k.id, Algorithm: k.alg}).MarshalJSON()
}

// String names the key by type and ID, never by its bytes.
func (k *Key) String() string { return fmt.Sprintf("%s decryption key %q", k.kty, k.id) }

// GoString keeps %#v from printing key bytes.
func (k *Key) GoString() string { return k.String() }

// LogValue keeps log handlers from printing key bytes through MarshalJSON.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
