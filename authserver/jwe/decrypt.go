// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   //nolint:gosec // RSA-OAEP is defined with it (RFC 7518 §4.3) and does not rest on collisions
	_ "crypto/sha256" // SHA-256 for RSA-OAEP-256
	"errors"
	"slices"

	josecipher "github.com/go-jose/go-jose/v4/cipher"
)

// ErrDecryption is the one error of [Key.Decrypt], whatever step failed.
var ErrDecryption = errors.New("the token does not decrypt")

// Message is an encrypted token taken apart (RFC 7516 §2). All segments are decoded.
type Message struct {
	// Algorithm and ContentAlgorithm are alg and enc.
	Algorithm, ContentAlgorithm string
	// EphemeralKey is the JSON text of epk, PartyU and PartyV are apu and apv decoded; they
	// count for ECDH-ES only.
	EphemeralKey   []byte
	PartyU, PartyV []byte

	EncryptedKey, IV, Ciphertext, Tag []byte
	// AAD is the header's segment as it was sent (RFC 7516 §5.2, step 14).
	AAD []byte
}

// Decrypt returns the plaintext. Every error is [ErrDecryption], and where the content key
// does not unwrap a random one takes its place, so that a forged token fails at the same
// step as one whose content was changed (RFC 7516 §11.5). Only what the sender knows
// himself, lengths and the ephemeral key, is refused earlier.
func (k *Key) Decrypt(m *Message) ([]byte, error) {
	i, j := keyAlgorithmIndex(m.Algorithm), contentAlgorithmIndex(m.ContentAlgorithm)
	if i < 0 || j < 0 || k.fits&fitBit(i, j) == 0 {
		return nil, ErrDecryption
	}
	alg, enc := &keyAlgorithms[i], &contentAlgorithms[j]
	if len(m.EncryptedKey) != k.encryptedKeyLength(alg, enc) || !enc.fits(m) {
		return nil, ErrDecryption
	}
	cek, err := k.contentKey(alg, enc, m)
	if err != nil {
		return nil, ErrDecryption
	}
	plaintext, err := enc.open(cek, m)
	if err != nil {
		return nil, ErrDecryption
	}
	return plaintext, nil
}

// encryptedKeyLength is the only length of an encrypted key that is looked at: none without
// key encryption (RFC 7516 §5.2, step 10), the modulus', or the wrapped content key's.
func (k *Key) encryptedKeyLength(alg *keyAlgorithm, enc *contentAlgorithm) int {
	if private, ok := k.material.(*rsa.PrivateKey); ok {
		return private.Size()
	}
	if alg.kek > 0 {
		return enc.key + 8
	}
	return 0
}

// contentKey returns the content encryption key; an error only for an ephemeral key that
// must not be used.
func (k *Key) contentKey(alg *keyAlgorithm, enc *contentAlgorithm, m *Message) ([]byte, error) {
	switch {
	case alg.kty == "RSA":
		private, _ := k.material.(*rsa.PrivateKey)
		return unwrapped(enc.key, func() ([]byte, error) {
			return rsa.DecryptOAEP(alg.oaep.New(), nil, private, m.EncryptedKey, nil)
		}), nil
	case alg.kty == "EC" && alg.kek == 0:
		return k.derive(enc.name, enc.key, m)
	case alg.kty == "EC":
		kek, err := k.derive(alg.name, alg.kek, m)
		if err != nil {
			return nil, err
		}
		return unwrapped(enc.key, func() ([]byte, error) { return unwrap(kek, m.EncryptedKey) }), nil
	}
	secret, _ := k.material.([]byte)
	if alg.kek == 0 {
		return secret, nil
	}
	return unwrapped(enc.key, func() ([]byte, error) { return unwrap(secret, m.EncryptedKey) }), nil
}

// unwrapped returns a content key of that size: the one that unwrap gives, or a random one.
func unwrapped(size int, unwrap func() ([]byte, error)) []byte {
	cek := make([]byte, size)
	_, _ = rand.Read(cek) // never fails
	if got, err := unwrap(); err == nil && len(got) == size {
		copy(cek, got)
	}
	return cek
}

// unwrap is AES Key Wrap (RFC 3394 §2.2.2).
func unwrap(kek, encryptedKey []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	return josecipher.KeyUnwrap(block, encryptedKey)
}

// fits checks the lengths of iv and tag, and whole blocks for CBC.
func (c *contentAlgorithm) fits(m *Message) bool {
	blocks := !c.cbc || (len(m.Ciphertext) > 0 && len(m.Ciphertext)%aes.BlockSize == 0)
	return len(m.IV) == c.iv && len(m.Tag) == c.tag && blocks
}

// open decrypts and authenticates the content.
func (c *contentAlgorithm) open(cek []byte, m *Message) ([]byte, error) {
	aead, err := c.aead(cek)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, m.IV, slices.Concat(m.Ciphertext, m.Tag), m.AAD)
}

func (c *contentAlgorithm) aead(cek []byte) (cipher.AEAD, error) {
	if c.cbc {
		return josecipher.NewCBCHMAC(cek, aes.NewCipher)
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
