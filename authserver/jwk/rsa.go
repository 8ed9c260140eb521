// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto"
	"crypto/rsa"
	"crypto/subtle"

	"filippo.io/bigmod"
	"github.com/golang-jwt/jwt/v5"
)

// keepModulus chooses who verifies RS256, RS384 and RS512: this file, which keeps the
// modulus of each key ready for multiplication, or, if false, golang-jwt on crypto/rsa,
// which prepares it anew for every signature: 9 of 30 µs at 2048 bits.
const keepModulus = true

// keptModulus is golang-jwt's RSASSA-PKCS1-v1_5 that also takes a *bigmod.Modulus as the
// public key, whose exponent is then 65537.
type keptModulus struct{ *jwt.SigningMethodRSA }

// newModulus returns the modulus of a key that checkRSA has seen, or nil for crypto/rsa.
func newModulus(public *rsa.PublicKey) *bigmod.Modulus {
	if !keepModulus {
		return nil
	}
	modulus, err := bigmod.NewModulus(public.N.Bytes())
	if err != nil { // cannot happen for more than one bit
		return nil
	}
	return modulus
}

// Verify checks a signature (RFC 8017 §8.2.2) with a modulus or, as golang-jwt does, with an
// *rsa.PublicKey.
func (m keptModulus) Verify(input string, sig []byte, key any) error {
	modulus, ok := key.(*bigmod.Modulus)
	if !ok {
		return m.SigningMethodRSA.Verify(input, sig, key)
	}
	if len(sig) != modulus.Size() {
		return jwt.ErrSignatureInvalid
	}
	s, err := bigmod.NewNat().SetBytes(sig, modulus) // refuses s ≥ n
	if err != nil {
		return jwt.ErrSignatureInvalid
	}
	message := bigmod.NewNat().ExpShortVarTime(s, rsaExponent, modulus).Bytes(modulus)
	// The whole message is built and compared; nothing of the signature's is parsed.
	if subtle.ConstantTimeCompare(message, encode(m.Hash, input, modulus.Size())) != 1 {
		return jwt.ErrSignatureInvalid
	}
	return nil
}

// digestInfo is the DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1).
var digestInfo = map[crypto.Hash]string{
	crypto.SHA256: "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
	crypto.SHA384: "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
	crypto.SHA512: "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
}

// encode is EMSA-PKCS1-v1_5 (RFC 8017 §9.2) in size bytes, of which 2048-bit keys have far
// more than the 83 that it takes at most.
func encode(hash crypto.Hash, input string, size int) []byte {
	prefix := digestInfo[hash]

	em := make([]byte, size)
	padding := em[2 : size-hash.Size()-len(prefix)-1]
	for i := range padding {
		padding[i] = 0xff
	}
	em[1] = 1
	copy(em[2+len(padding)+1:], prefix)
	appendDigest(em[:size-hash.Size()], hash, input)
	return em
}
