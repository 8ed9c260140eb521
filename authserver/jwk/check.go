// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of keys and key documents (DESIGN §7).
const (
	minRSABits      = 2048
	maxRSABits      = 4096
	rsaExponent     = 65537
	minSecretLength = 32   // bytes
	maxSecretLength = 1024 // bytes
	maxKeyIDLength  = 1024 // bytes
	maxIssuerLength = 2048 // bytes
)

// ErrPrivate refuses a private key: verification needs, and the configuration should
// hold, only the public half.
var ErrPrivate = errors.New("this is a private key: give the public half, from `openssl pkey -in private.pem -pubout` for PEM, without d, p, q, dp, dq, qi and oth for a JWK")

func checkRSA(k *rsa.PublicKey) error {
	if k == nil || k.N == nil {
		return errors.New("RSA key is empty")
	}
	if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("RSA key has %d bits: use %d to %d", bits, minRSABits, maxRSABits)
	}
	if k.E != rsaExponent {
		return fmt.Errorf("RSA exponent is %d: use %d", k.E, rsaExponent)
	}
	if k.N.Bit(0) == 0 {
		return errors.New("RSA modulus is even: generate another key")
	}
	if isROCA(k.N) {
		return errors.New("RSA key has the ROCA weakness (CVE-2017-15361): generate another key")
	}
	return nil
}

// rocaPrimes are the primes of the ROCA fingerprint: modulo each, a weak modulus lies
// in the subgroup that 65537 generates (Nemec et al. 2017, §3.3).
var rocaPrimes = [...]int64{
	11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
}

// isROCA reports whether n has the fingerprint; a sound modulus has it by chance once
// in 2^27 or so.
func isROCA(n *big.Int) bool {
	for _, p := range rocaPrimes {
		r := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		if !powerOf(rsaExponent%p, r, p) {
			return false
		}
	}
	return true
}

// powerOf reports whether r is a power of g modulo p.
func powerOf(g, r, p int64) bool {
	x := int64(1)
	for range p {
		if x == r {
			return true
		}
		x = x * g % p
	}
	return false
}

func checkEC(k *ecdsa.PublicKey) (crv string, err error) {
	if k == nil || k.Curve == nil {
		return "", errors.New("EC key is empty")
	}
	switch k.Curve {
	case elliptic.P256(), elliptic.P384(), elliptic.P521():
	default:
		return "", errors.New("EC key is on an unsupported curve: use P-256, P-384 or P-521")
	}
	if _, err := k.Bytes(); err != nil { // refuses a point that is not on the curve
		return "", fmt.Errorf("EC point is not on %s", k.Curve.Params().Name)
	}
	return k.Curve.Params().Name, nil
}

// smallOrder lists the y coordinates (little endian, sign bit cleared) of the eight
// points of order 1, 2, 4 and 8, canonical or not. With such a key one signature fits
// many messages; no key generator makes one (RFC 8032 §5.1.7, RFC 8037 §6).
var smallOrder = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func checkEd25519(k ed25519.PublicKey) error {
	if len(k) != ed25519.PublicKeySize {
		return fmt.Errorf("Ed25519 key has %d bytes, it must have %d", len(k), ed25519.PublicKeySize)
	}
	var y [ed25519.PublicKeySize]byte
	copy(y[:], k)
	y[31] &= 0x7f
	text := hex.EncodeToString(y[:])
	for _, bad := range smallOrder {
		if text == bad {
			return errors.New("Ed25519 key is a point of small order: generate another key")
		}
	}
	return nil
}

func checkSecret(secret []byte) error {
	if n := len(secret); n < minSecretLength || n > maxSecretLength {
		return fmt.Errorf("secret has %d bytes: use %d to %d random bytes", n, minSecretLength, maxSecretLength)
	}
	return nil
}

func thumbprint(k *jose.JSONWebKey) string {
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil { // cannot happen for a key that New accepted
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}
