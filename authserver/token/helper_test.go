// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// sign signs any header and payload texts, well-formed or not.
func sign(tb testing.TB, method jwt.SigningMethod, private any, head, payload string) string {
	tb.Helper()
	return signRaw(tb, method, private, b64(head)+"."+b64(payload))
}

// signRaw signs any signing input.
func signRaw(tb testing.TB, method jwt.SigningMethod, private any, input string) string {
	tb.Helper()
	sig, err := method.Sign(input, private)
	if err != nil {
		tb.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// intake runs the steps in the order of the package comment.
func intake(raw string, r *Rules, set *jwk.Set, now time.Time) (*Claims, error) {
	t, err := Parse(raw, r)
	if err != nil {
		return nil, err
	}
	if t.Direct() {
		return t.Claims(r, now)
	}
	key, err := t.Select(set)
	if err != nil {
		return nil, err
	}
	if err := t.Verify(key); err != nil {
		return nil, err
	}
	return t.Claims(r, now)
}
