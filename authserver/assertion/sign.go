// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ClientAssertionType is the client_assertion_type of RFC 7523 §2.2.
const ClientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// MaxLifetime is the longest time from iat to exp of what [Key.Sign] makes (RFC 7523 §3 leaves it to the other side, which refuses unreasonable ones).
const MaxLifetime = time.Hour

// Claims are what a client assertion says (RFC 7523 §3). All of them are required.
type Claims struct {
	Issuer, Subject string
	// Audience names the one token endpoint, or its issuer, that may take it.
	Audience string
	// IssuedAt and Lifetime are written in whole seconds; Lifetime is 1s to [MaxLifetime].
	IssuedAt time.Time
	Lifetime time.Duration
	// ID is the jti: see [NewID].
	ID string
}

// NewID returns a jti of 128 bits from random.
func NewID(random io.Reader) (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return "", fmt.Errorf("making an assertion's jti: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(id[:]), nil
}

// Sign returns the signed client assertion in compact form.
func (k *Key) Sign(c Claims) (string, error) {
	if c.Issuer == "" || c.Subject == "" || c.Audience == "" || c.ID == "" || c.Lifetime < time.Second || c.Lifetime > MaxLifetime {
		return "", errors.New("making an assertion: iss, sub, aud or jti is missing, or the lifetime is not 1s to 1h")
	}
	token := jwt.NewWithClaims(k.method, jwt.MapClaims{
		"iss": c.Issuer, "sub": c.Subject, "aud": c.Audience, "jti": c.ID,
		"iat": c.IssuedAt.Unix(), "exp": c.IssuedAt.Add(c.Lifetime).Unix(),
	})
	if k.id != "" {
		token.Header["kid"] = k.id
	}
	input, err := token.SigningString()
	if err != nil {
		return "", fmt.Errorf("making an assertion: %w", err)
	}
	return k.sign(input)
}

// sign returns input, header and claims in base64url, with its signature.
func (k *Key) sign(input string) (string, error) {
	signature, err := k.method.Sign(input, k.material)
	if err != nil {
		return "", fmt.Errorf("signing an assertion with %s: %w", k.algorithm, err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
