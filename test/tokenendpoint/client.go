// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Method is how a client authenticates; the values are those of RFC 8414's token_endpoint_auth_methods_supported.
type Method string

// Ways of client authentication.
const (
	Basic         Method = "client_secret_basic"
	Post          Method = "client_secret_post"
	PrivateKeyJWT Method = "private_key_jwt"
	None          Method = "none"
)

const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Client is the one that the endpoint knows.
type Client struct {
	Method     Method
	ID, Secret string
	// Key, Algorithm and KeyID verify assertions for PrivateKeyJWT, whose aud is Options.Audience.
	Key              any
	Algorithm, KeyID string
}

// checkClient demands the registered method and no trace of another one (RFC 6749 §2.3).
func (e *Endpoint) checkClient(r *http.Request, form url.Values) *fault {
	c := e.options.Client
	if c == nil {
		c = &Client{}
	}
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1:
		return badClient("Authorization is there twice")
	case (len(headers) == 1) != (c.Method == Basic):
		return badClient("an Authorization header goes with client_secret_basic and nothing else")
	case form.Has("client_secret") != (c.Method == Post):
		return badClient("client_secret goes with client_secret_post and nothing else")
	case (form.Has("client_assertion") || form.Has("client_assertion_type")) != (c.Method == PrivateKeyJWT):
		return badClient("client_assertion goes with private_key_jwt and nothing else")
	case form.Has("client_id") != (c.Method != "" && c.Method != Basic):
		return badClient("client_id goes with a client in the body and nothing else")
	case form.Get("client_id") != c.ID && c.Method != "" && c.Method != Basic:
		return badClient("client_id is another one")
	}
	switch c.Method {
	case Basic:
		return c.checkBasic(headers[0])
	case Post:
		if form.Get("client_secret") != c.Secret {
			return badClient("client_secret is another one")
		}
	case PrivateKeyJWT:
		return e.checkClientAssertion(c, form)
	}
	return nil
}

// unreserved are the characters that form encoding leaves alone, and those that it writes with.
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~*+%"

// checkBasic reads ID and secret as RFC 6749 §2.3.1 has them written: each form-encoded, then joined and base64-encoded.
func (c *Client) checkBasic(header string) *fault {
	encoded, ok := strings.CutPrefix(header, "Basic ")
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	id, secret, colon := strings.Cut(string(pair), ":")
	if !ok || err != nil || !colon {
		return badClient("the Authorization header is not Basic with an ID and a secret")
	}
	for _, part := range []struct{ name, encoded, want string }{{"ID", id, c.ID}, {"secret", secret, c.Secret}} {
		plain, err := url.QueryUnescape(part.encoded)
		switch {
		case err != nil || strings.Trim(part.encoded, unreserved) != "":
			return badClient("the " + part.name + " is not form-encoded")
		case plain != part.want:
			return badClient("the " + part.name + " is another one")
		}
	}
	return nil
}

// checkClientAssertion demands what RFC 7523 §3 does, and a life of ten minutes at most.
func (e *Endpoint) checkClientAssertion(c *Client, form url.Values) *fault {
	if form.Get("client_assertion_type") != clientAssertionType {
		return badClient("client_assertion_type is another one")
	}
	id, cause := expected{
		algorithm: c.Algorithm, keyID: c.KeyID, typ: "JWT", key: c.Key, issuer: c.ID, subject: c.ID, audience: e.options.Audience, longest: 10 * time.Minute,
	}.check(form.Get("client_assertion"), e.options.Now())
	if cause != "" {
		return badClient("its assertion: " + cause)
	}
	if !e.spend("client " + id) {
		return badClient("jti of its assertion was used before")
	}
	return nil
}
