// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// client is this server at one provider's token endpoint.
type client struct {
	*config.Client
	proof *assertion.Client
}

// newClient reads the private key, where there is one. audience is that of client assertions: the issuer where it is known (RFC 7523 §3), else the token endpoint.
func newClient(c *config.Client, audience string) (*client, error) {
	proof, err := assertion.NewClient(c, audience)
	if err != nil {
		return nil, err
	}
	return &client{Client: c, proof: proof}, nil
}

// authenticate adds to a token request who the client is, in exactly one way (RFC 6749 §2.3).
func (c *client) authenticate(h http.Header, form url.Values, d *deps) error {
	return c.proof.Authenticate(h, form, d.now(), d.random)
}
