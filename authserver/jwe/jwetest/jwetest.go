// SPDX-License-Identifier: Apache-2.0

// Package jwetest makes encrypted tokens for tests, right and wrong ones: the header is any
// text, and each part can be changed before it is put together.
package jwetest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // RSA-OAEP is defined with it
	_ "crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	josecipher "github.com/go-jose/go-jose/v4/cipher"
)

// EPK stands in a header for the ephemeral key that Seal makes.
const EPK = `"%EPK%"`

// Input is what Seal encrypts.
type Input struct {
	// Key is *rsa.PublicKey, *ecdsa.PublicKey or []byte.
	Key any
	// Alg and Enc are how to encrypt, whatever the header says.
	Alg, Enc string
	// Header is the header's text; EPK is replaced. Empty stands for one with alg, enc and,
	// where it is due, epk.
	Header    string
	Plaintext string
	// CEK is the content key to wrap instead of a random one; it may be of a wrong length.
	CEK []byte
	// PartyU and PartyV are what the header's apu and apv say, decoded.
	PartyU, PartyV []byte
}

// Parts are the segments of a JWE. Header is text, the rest bytes.
type Parts struct {
	Header                            string
	EncryptedKey, IV, Ciphertext, Tag []byte
}

// String is the compact serialization.
func (p Parts) String() string {
	b64 := base64.RawURLEncoding.EncodeToString
	return strings.Join([]string{b64([]byte(p.Header)), b64(p.EncryptedKey), b64(p.IV), b64(p.Ciphertext), b64(p.Tag)}, ".")
}

// Seal encrypts.
func Seal(tb testing.TB, in Input) Parts {
	tb.Helper()
	p, err := seal(in)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// ContentKeySizes are the lengths of content keys in bytes.
var ContentKeySizes = map[string]int{"A128GCM": 16, "A192GCM": 24, "A256GCM": 32, "A128CBC-HS256": 32, "A192CBC-HS384": 48, "A256CBC-HS512": 64}

func seal(in Input) (p Parts, err error) {
	p.Header = in.Header
	if p.Header == "" {
		p.Header = fmt.Sprintf(`{"alg":%q,"enc":%q}`, in.Alg, in.Enc)
		if strings.HasPrefix(in.Alg, "ECDH") {
			p.Header = fmt.Sprintf(`{"alg":%q,"enc":%q,"epk":%s}`, in.Alg, in.Enc, EPK)
		}
	}
	cek := in.CEK
	if cek == nil {
		cek = make([]byte, ContentKeySizes[in.Enc])
		_, _ = rand.Read(cek)
	}
	var epk string
	switch key := in.Key.(type) {
	case *rsa.PublicKey:
		hash := crypto.SHA1
		if in.Alg == "RSA-OAEP-256" {
			hash = crypto.SHA256
		}
		p.EncryptedKey, err = rsa.EncryptOAEP(hash.New(), rand.Reader, key, cek, nil)
	case *ecdsa.PublicKey:
		p.EncryptedKey, cek, epk, err = agree(in, key, cek)
	case []byte:
		if in.Alg == "dir" {
			cek = key
			break
		}
		p.EncryptedKey, err = wrap(key, cek)
	}
	if err != nil {
		return p, err
	}
	p.Header = strings.ReplaceAll(p.Header, EPK, epk)
	return p, p.encrypt(in, cek)
}

// encrypt fills iv, ciphertext and tag.
func (p *Parts) encrypt(in Input, cek []byte) error {
	aead, tag, err := content(in.Enc, cek)
	if err != nil {
		return err
	}
	p.IV = make([]byte, aead.NonceSize())
	_, _ = rand.Read(p.IV)
	sealed := aead.Seal(nil, p.IV, []byte(in.Plaintext), []byte(base64.RawURLEncoding.EncodeToString([]byte(p.Header))))
	p.Ciphertext, p.Tag = sealed[:len(sealed)-tag], sealed[len(sealed)-tag:]
	return nil
}

func content(enc string, cek []byte) (aead cipher.AEAD, tag int, err error) {
	if strings.Contains(enc, "CBC") {
		aead, err = josecipher.NewCBCHMAC(cek, aes.NewCipher)
		return aead, len(cek) / 2, err
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, 0, err
	}
	aead, err = cipher.NewGCM(block)
	return aead, 16, err
}

// agree makes an ephemeral key and derives or wraps the content key with it.
func agree(in Input, key *ecdsa.PublicKey, cek []byte) (wrapped, used []byte, epk string, err error) {
	ephemeral, err := ecdsa.GenerateKey(key.Curve, rand.Reader)
	if err != nil {
		return nil, nil, "", err
	}
	text, err := json.Marshal(&jose.JSONWebKey{Key: &ephemeral.PublicKey})
	if err != nil {
		return nil, nil, "", err
	}
	if in.Alg == "ECDH-ES" {
		return nil, josecipher.DeriveECDHES(in.Enc, in.PartyU, in.PartyV, ephemeral, key, ContentKeySizes[in.Enc]), string(text), nil
	}
	size := map[string]int{"ECDH-ES+A128KW": 16, "ECDH-ES+A192KW": 24, "ECDH-ES+A256KW": 32}[in.Alg]
	wrapped, err = wrap(josecipher.DeriveECDHES(in.Alg, in.PartyU, in.PartyV, ephemeral, key, size), cek)
	return wrapped, cek, string(text), err
}

func wrap(kek, cek []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	return josecipher.KeyWrap(block, cek)
}
