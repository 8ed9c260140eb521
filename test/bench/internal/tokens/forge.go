// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// Forge returns n tokens that differ from Mint's in nothing a server could see before it checks the signature, which is
// random and as costly to check as a right one. Each names another user evil-…. With unknownKey each also names a key ID
// of its own that nobody has.
func (m *Minter) Forge(n int, unknownKey bool) ([]Token, error) {
	size := map[string]int{"RS256": rsaBits / 8, "ES256": 64}[m.algorithm]
	list := make([]Token, n)
	err := inParallel(n, func(i int) error {
		serial := m.count.Add(1)
		kid := KeyID
		if unknownKey {
			kid = fmt.Sprintf("%0*x", len(KeyID), serial)
		}
		header := m.header(kid)
		user := fmt.Sprintf("evil-%08x@bench.example", serial)
		claims, err := m.claims(serial, user, payloadSize(len(header)))
		if err != nil {
			return err
		}
		signature, err := randomSignature(size)
		list[i] = Token{Raw: signingInput(header, claims) + "." + signature, User: user}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("forging tokens: %w", err)
	}
	return list, nil
}

// Junk returns a token with any header and claims, and a random signature of size bytes.
func Junk(header, claims string, size int) (string, error) {
	signature, err := randomSignature(size)
	return signingInput(base64.RawURLEncoding.EncodeToString([]byte(header)), claims) + "." + signature, err
}

// randomSignature returns size random bytes, encoded. Both halves begin with a byte 0, so that they are below the modulus
// of RSA and the order of every curve: no verifier can tell without the arithmetic that they are wrong.
func randomSignature(size int) (string, error) {
	b := make([]byte, size)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("drawing a signature: %w", err)
	}
	b[0], b[size/2] = 0, 0
	return base64.RawURLEncoding.EncodeToString(b), nil
}
