// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto/ecdsa"

	"github.com/golang-jwt/jwt/v5"
)

// direct is golang-jwt's ECDSA that hands crypto/ecdsa the signature as it reads it: golang-jwt makes two big.Int of it, of
// which crypto/ecdsa makes ASN.1 again.
type direct struct{ *jwt.SigningMethodECDSA }

// Verify checks a signature with an *ecdsa.PublicKey: r and s, each as long as the curve's order (RFC 7518 §3.4).
func (m direct) Verify(input string, sig []byte, key any) error {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public.Curve.Params().BitSize != m.CurveBits {
		return jwt.ErrInvalidKeyType
	}
	if len(sig) != 2*m.KeySize {
		return jwt.ErrECDSAVerification
	}
	r, s := withoutZeros(sig[:m.KeySize]), withoutZeros(sig[m.KeySize:])
	if len(r) == 0 || len(s) == 0 { // neither is 0; that they are below the order is checked by crypto/ecdsa
		return jwt.ErrECDSAVerification
	}
	var room [64]byte
	if !ecdsa.VerifyASN1(public, appendDigest(room[:0], m.Hash, input), appendSequence(make([]byte, 0, maxSequence), r, s)) {
		return jwt.ErrECDSAVerification
	}
	return nil
}

// maxSequence is the DER of a P-521 signature: two integers of up to 66 bytes with a zero in front, and three headers.
const maxSequence = 3 + 2*(2+1+66)

// appendSequence appends the DER of Ecdsa-Sig-Value (RFC 3279 §2.2.3) of two positive numbers without leading zeros.
func appendSequence(b, r, s []byte) []byte {
	const sequence = 0x30
	n := integerSize(r) + integerSize(s)
	if n < 0x80 {
		b = append(b, sequence, byte(n))
	} else { // P-521's alone, and below 256
		b = append(b, sequence, 0x81, byte(n))
	}
	return appendInteger(appendInteger(b, r), s)
}

func integerSize(n []byte) int { return 2 + int(n[0]>>7) + len(n) }

// appendInteger appends a number below 2¹⁰¹⁶. One whose first bit is set has a zero in front, or it would be negative.
func appendInteger(b, n []byte) []byte {
	const integer = 2
	b = append(b, integer, byte(integerSize(n)-2))
	if n[0]&0x80 != 0 {
		b = append(b, 0)
	}
	return append(b, n...)
}

func withoutZeros(n []byte) []byte {
	for len(n) > 0 && n[0] == 0 {
		n = n[1:]
	}
	return n
}
