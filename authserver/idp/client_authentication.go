// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// assertionLifetime is how long a client assertion counts: for one request.
const assertionLifetime = time.Minute

// client is this server at one provider's token endpoint.
type client struct {
	*config.Client
	key *assertion.Key // with PrivateKeyJWT
	// audience of assertions: the issuer where it is known (RFC 7523 §3), else the token endpoint.
	audience string
}

// newClient reads the private key, where there is one.
func newClient(c *config.Client, audience string) (*client, error) {
	out := &client{Client: c, audience: audience}
	switch c.Authentication {
	case config.ClientSecretBasic, config.ClientSecretPost, config.ClientNone:
	case config.PrivateKeyJWT:
		key, err := assertion.ParseKey([]byte(c.Secret))
		if err != nil {
			return nil, fmt.Errorf("clientSecretRef: %w", err)
		}
		out.key = key
	default:
		return nil, errors.New("clientAuthenticationMethod is not known to this server")
	}
	return out, nil
}

// authenticate adds to a token request who the client is, in exactly one way (RFC 6749 §2.3).
func (c *client) authenticate(h http.Header, form url.Values, d *deps) error {
	switch c.Authentication {
	case config.ClientSecretBasic:
		// Both are form-urlencoded first (RFC 6749 §2.3.1), which matters for secrets with : or %.
		req := http.Request{Header: h}
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
		return nil
	case config.ClientSecretPost:
		form.Set("client_secret", c.Secret)
	case config.PrivateKeyJWT:
		id, err := assertion.NewID(d.random)
		if err != nil {
			return err
		}
		signed, err := c.key.Sign(assertion.Claims{
			Issuer: c.ID, Subject: c.ID, Audience: c.audience, IssuedAt: d.now(), Lifetime: assertionLifetime, ID: id,
		})
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertion.ClientAssertionType)
		form.Set("client_assertion", signed)
	}
	form.Set("client_id", c.ID)
	return nil
}
