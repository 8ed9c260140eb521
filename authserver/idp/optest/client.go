// SPDX-License-Identifier: Apache-2.0

package optest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// authenticated tells whether a token request proves, in exactly the registered way and no other, that it is the client's.
func (op *OP) authenticated(r *http.Request) bool {
	c := op.options.Client
	header := r.Header.Get("Authorization")
	form := r.PostForm
	inBody := form.Has("client_secret")
	asserted := form.Has("client_assertion")
	switch c.Method {
	case "client_secret_basic":
		return !inBody && !asserted && c.isBasic(r)
	case "client_secret_post":
		return header == "" && !asserted && form.Get("client_id") == c.ID && form.Get("client_secret") == c.Secret
	case "private_key_jwt":
		return header == "" && !inBody && op.isAssertion(form)
	case "none":
		return header == "" && !inBody && !asserted && form.Get("client_id") == c.ID
	}
	return false
}

// isBasic reads the header as RFC 6749 §2.3.1 has it: both halves are form-urlencoded.
func (c *Client) isBasic(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	if !ok || strings.ContainsAny(id+secret, " :&=") {
		return false
	}
	plainID, err1 := url.QueryUnescape(id)
	plainSecret, err2 := url.QueryUnescape(secret)
	return err1 == nil && err2 == nil && plainID == c.ID && plainSecret == c.Secret
}

// isAssertion checks a client assertion (RFC 7523 §3), each of which works once.
func (op *OP) isAssertion(form url.Values) bool {
	c := op.options.Client
	if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || form.Has("client_id") && form.Get("client_id") != c.ID {
		return false
	}
	var claims struct {
		jwt.RegisteredClaims
	}
	_, err := jwt.ParseWithClaims(form.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return c.Key, nil },
		jwt.WithExpirationRequired(), jwt.WithIssuer(c.ID), jwt.WithSubject(c.ID), jwt.WithIssuedAt(), jwt.WithTimeFunc(op.options.Now))
	if err != nil || claims.ID == "" || len(claims.Audience) != 1 || claims.Audience[0] != op.Issuer() && claims.Audience[0] != op.URL(PathToken) {
		return false
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	repeated := op.used[claims.ID]
	op.used[claims.ID] = true
	return !repeated
}
