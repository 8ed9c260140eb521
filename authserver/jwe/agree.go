// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/binary"
	"slices"

	josecipher "github.com/go-jose/go-jose/v4/cipher"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// derive agrees on a key of size bytes with the ephemeral key (RFC 7518 §4.6): ECDH, then
// the Concat KDF with algorithm, apu and apv.
func (k *Key) derive(algorithm string, size int, m *Message) ([]byte, error) {
	ephemeral, err := k.ephemeral(m.EphemeralKey)
	if err != nil {
		return nil, err
	}
	z, err := k.agree.ECDH(ephemeral)
	if err != nil {
		return nil, err
	}
	bits := binary.BigEndian.AppendUint32(nil, uint32(size)*8)
	kdf := josecipher.NewConcatKDF(crypto.SHA256, z, prefixed([]byte(algorithm)), prefixed(m.PartyU), prefixed(m.PartyV), bits, nil)
	derived := make([]byte, size)
	if _, err := kdf.Read(derived); err != nil {
		return nil, err
	}
	return derived, nil
}

// ephemeral reads epk, which must be a public key on this key's curve. A point that is not on
// it would give away the private key bit by bit (CVE-2017-16007 and its like).
func (k *Key) ephemeral(text []byte) (*ecdh.PublicKey, error) {
	members, err := jwk.ReadMembers(text)
	if err != nil {
		return nil, err
	}
	private, _ := k.material.(*ecdsa.PrivateKey)
	params := private.Params()
	if kty, _ := members.Text("kty"); kty != "EC" {
		return nil, ErrDecryption
	}
	if crv, _ := members.Text("crv"); crv != params.Name {
		return nil, ErrDecryption
	}
	if _, ok := members["d"]; ok {
		return nil, ErrDecryption
	}
	point := []byte{4} // uncompressed (SEC 1 §2.3.3)
	for _, name := range []string{"x", "y"} {
		if err := members.CheckBase64(name); err != nil {
			return nil, err
		}
		text, _ := members.Text(name)
		coordinate, err := strictBase64.DecodeString(text)
		if err != nil || len(coordinate) != (params.BitSize+7)/8 {
			return nil, ErrDecryption
		}
		point = slices.Concat(point, coordinate)
	}
	return k.agree.Curve().NewPublicKey(point) // refuses a point off the curve
}

// strictBase64 refuses padding and stray bits, but not line breaks.
var strictBase64 = base64.RawURLEncoding.Strict()

// prefixed is a datum with its length in front (NIST SP 800-56A §5.8.1).
func prefixed(datum []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(datum))), datum...)
}
