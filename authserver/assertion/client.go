// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// clientLifetime is how long a client assertion counts: for one request.
const clientLifetime = time.Minute

// Client is this server as a client of somebody's token endpoint. It is immutable.
type Client struct {
	config   *config.Client
	key      *Key // with PrivateKeyJWT
	audience string
}

// NewClient reads the private key, where there is one. audience is that of client assertions: the issuer where it is known (RFC 7523 §3), else the token endpoint. The
// error names the field.
func NewClient(c *config.Client, audience string) (*Client, error) {
	out := &Client{config: c, audience: audience}
	switch c.Authentication {
	case config.ClientSecretBasic, config.ClientSecretPost, config.ClientNone:
	case config.PrivateKeyJWT:
		key, err := ParseKey([]byte(c.Secret))
		if err != nil {
			return nil, fmt.Errorf("clientSecretRef: %w", err)
		}
		out.key = key
	default:
		return nil, errors.New("clientAuthenticationMethod: it is not known to this server")
	}
	return out, nil
}

// Authenticate adds to a token request who the client is, in exactly one way (RFC 6749 §2.3). Random is for the jti of a client assertion (RFC 7523 §2.2).
func (c *Client) Authenticate(h http.Header, form url.Values, now time.Time, random io.Reader) error {
	switch c.config.Authentication {
	case config.ClientSecretBasic:
		// Both are form-urlencoded first (RFC 6749 §2.3.1), which matters for secrets with : or %.
		req := http.Request{Header: h}
		req.SetBasicAuth(url.QueryEscape(c.config.ID), url.QueryEscape(c.config.Secret))
		return nil
	case config.ClientSecretPost:
		form.Set("client_secret", c.config.Secret)
	case config.PrivateKeyJWT:
		id, err := NewID(random)
		if err != nil {
			return err
		}
		signed, err := c.key.Sign(Claims{
			Issuer: c.config.ID, Subject: c.config.ID, Audience: c.audience, IssuedAt: now, Lifetime: clientLifetime, ID: id,
		})
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", ClientAssertionType)
		form.Set("client_assertion", signed)
	}
	form.Set("client_id", c.config.ID)
	return nil
}
