// SPDX-License-Identifier: Apache-2.0

package config

import "testing"

// TestIdentityIssuer guards what identities and sessions are stored under: whoever changes it gives every user another account.
func TestIdentityIssuer(t *testing.T) {
	oidc := func(issuer, tokens string) *Provider {
		return &Provider{OIDC: &OIDC{Issuer: issuer, TokenEndpoint: tokens}}
	}
	oauth2 := func(userInfo string) *Provider { return &Provider{OAuth2: &OAuth2{UserInfoEndpoint: userInfo}} }
	for want, p := range map[string]*Provider{
		"https://Op.example/realm/":    oidc("https://Op.example/realm/", "https://tokens.example/t"),
		"https://tokens.example:443":   oidc("", "https://Tokens.example:443/t?x"),
		"https://api.example":          oauth2("https://API.example:443/user"),
		"http://api.example":           oauth2("HTTP://api.example:80/user"),
		"https://api.example:8443":     oauth2("https://api.example:8443/user"),
		"https://api.example:80":       oauth2("https://api.example:80/user"),
		"":                             {Password: &Password{}},
		"://no URL at all, never used": oauth2("://no URL at all, never used"),
	} {
		if got := p.IdentityIssuer(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
