// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// valueLength is that of a session cookie's value, in random bytes: 256 bits.
const valueLength = 32

// What keys are derived for (HKDF's info, RFC 5869 §3.2). A key for one of them tells nothing about another.
const (
	infoLogins   = "gatehouse login transactions v1"
	infoForms    = "gatehouse form tokens v1"
	infoUpstream = "gatehouse upstream tokens of a session v1"
)

var encoding = base64.RawURLEncoding.Strict()

// errSealed says that something was not sealed under this key, or for another place.
var errSealed = errors.New("a sealed value cannot be opened")

// wellFormed tells whether a text can be a session cookie's value.
func wellFormed(value string) bool {
	var raw [valueLength]byte
	if len(value) != encoding.EncodedLen(valueLength) {
		return false
	}
	n, err := encoding.Decode(raw[:], []byte(value))
	return err == nil && n == valueLength
}

// newAEAD is AES-256-GCM under a key derived from a secret.
func newAEAD(secret []byte, info string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, info, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return newGCM(key)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return cipher.NewGCM(block)
}

// seal encrypts text under a random nonce, which comes first, and binds it to a place.
func seal(aead cipher.AEAD, random io.Reader, text []byte, place string) ([]byte, error) {
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return aead.Seal(nonce, nonce, text, []byte(place)), nil
}

// open decrypts what seal made for the same place; errSealed for anything else.
func open(aead cipher.AEAD, sealed []byte, place string) ([]byte, error) {
	if len(sealed) < aead.NonceSize() {
		return nil, errSealed
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(place))
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}
