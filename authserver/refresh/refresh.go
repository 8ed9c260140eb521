// SPDX-License-Identifier: Apache-2.0

package refresh

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const (
	familyLength = 16
	secretLength = 32
	textLength   = (familyLength + secretLength) / 3 * 4
	sealInfo     = "gatehouse refresh-token successor v1"
	familyInfo   = "gatehouse refresh-token family v1\x00"
)

var (
	// ErrMalformed says that a text is no refresh token of this server.
	ErrMalformed = errors.New("not a refresh token")
	// ErrSealed says that a sealed successor was not sealed under this token.
	ErrSealed = errors.New("a sealed refresh token cannot be opened")
)

var encoding = base64.RawURLEncoding.Strict()

// A Token is a refresh token. It prints and logs as "[redacted]".
type Token struct {
	raw [familyLength + secretLength]byte
}

// New makes the first token of a new family.
func New(random io.Reader) (Token, error) {
	var t Token
	if _, err := io.ReadFull(random, t.raw[:]); err != nil {
		return Token{}, fmt.Errorf("making a refresh token: %w", err)
	}
	return t, nil
}

// Next makes a successor: another token of the same family.
func (t Token) Next(random io.Reader) (Token, error) {
	if _, err := io.ReadFull(random, t.raw[familyLength:]); err != nil {
		return Token{}, fmt.Errorf("making a refresh token: %w", err)
	}
	return t, nil
}

// Parse reads a token that a client sent; any text that New or Next cannot have made is ErrMalformed.
func Parse(text string) (Token, error) {
	var t Token
	if len(text) != textLength {
		return Token{}, ErrMalformed
	}
	if n, err := encoding.Decode(t.raw[:], []byte(text)); err != nil || n != len(t.raw) {
		return Token{}, ErrMalformed
	}
	return t, nil
}

// Text is the token as the client gets it.
func (t Token) Text() string { return encoding.EncodeToString(t.raw[:]) }

// Family is what names the token's family in the store.
func (t Token) Family() [sha256.Size]byte {
	return sha256.Sum256(append([]byte(familyInfo), t.raw[:familyLength]...))
}

// Hash is what names the token in the store: the SHA-256 of its text.
func (t Token) Hash() [sha256.Size]byte { return sha256.Sum256([]byte(t.Text())) }

// String hides the token.
func (Token) String() string { return "[redacted]" }

// GoString hides the token.
func (Token) GoString() string { return "[redacted]" }

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Seal encrypts the successor for who holds used.
func Seal(used, successor Token, random io.Reader) ([]byte, error) {
	gcm, err := used.cipher()
	if err != nil {
		return nil, fmt.Errorf("sealing a refresh token: %w", err)
	}
	nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(successor.raw)+gcm.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("sealing a refresh token: %w", err)
	}
	return gcm.Seal(nonce, nonce, successor.raw[:], nil), nil
}

// Open decrypts what Seal made with the same used token; ErrSealed for anything else.
func Open(used Token, sealed []byte) (Token, error) {
	gcm, err := used.cipher()
	if err != nil {
		return Token{}, fmt.Errorf("opening a sealed refresh token: %w", err)
	}
	if len(sealed) < gcm.NonceSize() {
		return Token{}, ErrSealed
	}
	raw, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	var t Token
	if err != nil || len(raw) != len(t.raw) {
		return Token{}, ErrSealed
	}
	copy(t.raw[:], raw)
	return t, nil
}

func (t Token) cipher() (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, t.raw[:], nil, sealInfo, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
