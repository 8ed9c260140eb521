// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net/url"
	"strings"
)

// IdentityIssuer names who vouches for the subjects of a provider: the issuer of OIDC, of OIDC without one the host of the token endpoint, which TLS has
// proved, and of OAuth2 the origin of userinfo. It is part of every identity that is stored. Empty for a Password provider.
func (p *Provider) IdentityIssuer() string {
	switch {
	case p.OIDC != nil && p.OIDC.Issuer != "":
		return p.OIDC.Issuer
	case p.OIDC != nil:
		u, err := url.Parse(p.OIDC.TokenEndpoint)
		if err != nil { // package idp does not serve it
			return p.OIDC.TokenEndpoint
		}
		return u.Scheme + "://" + strings.ToLower(u.Host)
	case p.OAuth2 != nil:
		u, err := url.Parse(p.OAuth2.UserInfoEndpoint)
		if err != nil {
			return p.OAuth2.UserInfoEndpoint
		}
		return Origin(u)
	}
	return ""
}

// Origin is scheme, host and port of a URL in one form (RFC 6454 §6.2), without the scheme's own port.
func Origin(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}
