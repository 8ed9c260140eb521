// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The samples' keys are the examples that RFC 7515 prints, so the demo can sign what an identity provider would.
const (
	acmeD      = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"                                            // appendix A.3
	globexOct  = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" // appendix A.1
	acmeIssuer = "https://idp.acme.example"
)

func acmeToken(audience string) string {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), decode(acmeD))
	if err != nil {
		panic(err) // a constant
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": acmeIssuer, "sub": "bob", "aud": audience, "roles": []string{"dev"}, "exp": time.Now().Add(time.Hour).Unix(),
	})
	t.Header["kid"] = "acme-2026"
	return sign(t, key)
}

func globexToken() string {
	return sign(jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "https://globex.example", "sub": "carol", "exp": time.Now().Add(time.Hour).Unix(),
	}), decode(globexOct))
}

func sign(t *jwt.Token, key any) string {
	signed, err := t.SignedString(key)
	if err != nil {
		panic(err) // constants and the clock
	}
	return signed
}

func decode(s string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err) // a constant
	}
	return data
}
