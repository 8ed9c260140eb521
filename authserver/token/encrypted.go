// SPDX-License-Identifier: Apache-2.0

package token

import (
	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
)

// Encryption says which encrypted tokens (JWE, RFC 7516) are opened, and with which keys. A
// nil *Encryption opens none.
type Encryption struct {
	// KeyAlgorithms are the accepted `alg` values of the encryption, compared exactly.
	KeyAlgorithms []string
	// ContentAlgorithms are the accepted `enc` values, compared exactly.
	ContentAlgorithms []string
	// Required refuses tokens that are signed only.
	Required bool
	// Direct also accepts claims directly inside, without a signature of their own, where the
	// key management algorithm is symmetric: then who could encrypt could also sign.
	Direct bool
	// Keys decrypt.
	Keys *jwe.Set
}

// Encrypted tells whether the token came as a JWE.
func (t *Token) Encrypted() bool { return t.jwe != nil }

// Direct tells whether the claims were directly inside a JWE, so that there is no signature
// to verify: that it decrypted with a shared key vouches for them.
func (t *Token) Direct() bool { return t.direct }

// parseEncrypted checks a string of five segments, decrypts it and checks what is inside.
func parseEncrypted(raw string, r *Rules) (*Token, error) {
	plaintext, h, err := unseal(raw, r.Encryption)
	if err != nil {
		return nil, err
	}
	if isObject(plaintext) {
		return parseDirect(plaintext, h, r)
	}
	t, err := parseNested(string(plaintext), r)
	if err != nil {
		return nil, inPart("nested token", err)
	}
	t.jwe = h
	return t, nil
}

// unseal takes five segments apart and decrypts. The plaintext may be anything: this far it
// is a JWE.
func unseal(raw string, e *Encryption) (plaintext []byte, h *jweHeader, err error) {
	if e == nil {
		return nil, nil, refuse(ReasonEncrypted, "the token is encrypted and the policy has no decryption")
	}
	parts := split(raw)
	if parts[0] == "" {
		return nil, nil, refuse(ReasonSegments, "the header is empty")
	}
	out, err := decode(parts[:])
	if err != nil {
		return nil, nil, err
	}
	members, err := readObject(out[0])
	if err == nil {
		h, err = readJWEHeader(members)
	}
	if err != nil {
		return nil, nil, inPart("JWE header", err)
	}
	if err := h.check(e); err != nil {
		return nil, nil, err
	}
	key, err := e.Keys.Select(h.alg, h.enc, h.kid, h.hasKid)
	if err != nil {
		return nil, nil, inPart("decryption key", SelectError(err))
	}
	plaintext, err = key.Decrypt(&jwe.Message{
		Algorithm: h.alg, ContentAlgorithm: h.enc, EphemeralKey: []byte(h.epk.JSON()), PartyU: h.apu, PartyV: h.apv,
		EncryptedKey: out[1], IV: out[2], Ciphertext: out[3], Tag: out[4], AAD: []byte(parts[0]),
	})
	if err != nil {
		return nil, nil, refuse(ReasonDecryption, "")
	}
	return plaintext, h, nil
}

// isObject tells claims from a nested token, which has none of these characters.
func isObject(plaintext []byte) bool {
	for _, c := range plaintext {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '{'
		}
	}
	return false
}

// parseNested takes in the signed token inside as if it had come alone.
func parseNested(raw string, r *Rules) (*Token, error) {
	segments, err := checkForm(raw)
	if err != nil {
		return nil, err
	}
	if segments == 5 {
		return nil, refuse(ReasonNestedEncryption, "an encrypted token inside an encrypted one")
	}
	return parseSigned(raw, r)
}

// parseDirect takes in claims directly inside the encryption, whose header then has the typ
// that counts.
func parseDirect(plaintext []byte, h *jweHeader, r *Rules) (t *Token, err error) {
	if err := h.checkDirect(r.Encryption); err != nil {
		return nil, err
	}
	t = &Token{header: h.header, jwe: h, direct: true}
	if t.payload, err = readObject(plaintext); err != nil {
		return nil, inPart("payload", err)
	}
	if err := h.checkType(r.Types); err != nil {
		return nil, err
	}
	t.verified = true // by its authentication tag, under a key that only the issuer and this server have
	return t, nil
}

// check applies the rules to a token that was parsed with others.
func (t *Token) check(r *Rules) error {
	if t.jwe == nil {
		if err := r.Encryption.checkRequired(); err != nil {
			return err
		}
		return t.header.check(r)
	}
	if err := t.jwe.check(r.Encryption); err != nil {
		return err
	}
	if !t.direct {
		return t.header.check(r)
	}
	if err := t.jwe.checkDirect(r.Encryption); err != nil {
		return err
	}
	return t.header.checkType(r.Types)
}

// checkRequired refuses a token that is signed only.
func (e *Encryption) checkRequired() error {
	if e != nil && e.Required {
		return refuse(ReasonJWERequired, "the token is not encrypted and the policy requires it")
	}
	return nil
}

// acceptsDirect tells whether claims may be directly inside an encryption with that algorithm,
// which the policy has.
func (e *Encryption) acceptsDirect(alg string) bool {
	return e.Direct && jwe.IsSymmetric(alg)
}
