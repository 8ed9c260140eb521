// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// openID is the block of type OIDC.
func (p *proxyProvider) openID() string {
	issuer := p.s.URL("oidc_issuer_url")
	key := "oidc_issuer_url"
	switch {
	case p.directory == nobodysDirectory:
		p.note("azure_tenant", "which directory's people may log in is not in the settings, and nobody can until oidc.issuer names it: all directories are at one place")
		p.block.SetFrom("issuer", "https://login.microsoftonline.com/"+nobodysDirectory+"/v2.0", "WRITE YOURS: az account show --query tenantId")
		issuer, key = "https://login.microsoftonline.com/"+nobodysDirectory+"/v2.0", ""
	case p.directory != "" && directoryIn(issuer) == "":
		issuer, key = "https://login.microsoftonline.com/"+p.directory+"/v2.0", "azure_tenant"
	case issuer == "":
		issuer = p.place.issuer
	}
	if issuer == "" && !(p.s.Has("login_url") && p.s.Has("redeem_url") && p.s.Has("oidc_jwks_url")) {
		p.s.mistakes = append(p.s.mistakes, Mistake{File: p.s.file, Line: p.s.Line("provider"), Text: "oidc_issuer_url is missing or empty"})
	}
	if p.directory != nobodysDirectory {
		p.set("issuer", issuer, key)
	}
	p.clientID("client_id")
	p.clientSecret()
	p.set("scopes", p.scopes(true), "scope")
	p.algorithms()
	for _, e := range []struct{ field, key string }{
		{"authorizationEndpoint", "login_url"}, {"tokenEndpoint", "redeem_url"}, {"userInfoEndpoint", "profile_url"}, {"jwksEndpoint", "oidc_jwks_url"},
	} {
		if p.kind == "azure" && e.field != "jwksEndpoint" && p.s.Has(e.key) {
			p.s.Text(e.key)
			p.note(e.key, "not carried over: it is of Entra ID's old protocol. The endpoints are in the issuer's metadata")
			continue
		}
		p.endpoint(e.field, e.key, "")
	}
	p.parameters()
	p.attributes(issuer)
	return issuer
}

// attributes say who people are, as the headers told applications.
func (p *proxyProvider) attributes(issuer string) {
	email, userID := cmp.Or(p.s.Text("oidc_email_claim"), "email"), p.s.Text("user_id_claim")
	key := "oidc_email_claim"
	if email == "email" && userID != "" && userID != "email" {
		email, key = userID, "user_id_claim"
	} else if userID != "" {
		p.s.Get("user_id_claim")
	}
	if p.o.s.Bool("prefer_email_to_user", false) {
		p.mappings.SetFrom("username", Inline{{Name: "claim", Value: email}}, p.o.s.Name("prefer_email_to_user"))
	} else {
		better := "{claim: preferred_username} or {claim: email} reads"
		if isGoogle(issuer) {
			better = "{claim: email} reads (Google tells no preferred_username)"
		}
		p.note("", "X-Auth-Request-User held the claim sub, and still does: %s better. Decide before the first login, since a user keeps the name that applications know", better)
		p.mappings.SetFrom("username", Inline{{Name: "claim", Value: "sub"}}, "")
	}
	if email != "email" {
		p.claim("email", email, key)
	}
	if groups := p.s.Text("oidc_groups_claim"); groups != "" && groups != "groups" {
		p.claim("groups", groups, "oidc_groups_claim")
	}
}

func (p *proxyProvider) algorithms() {
	var out []string
	for _, word := range list(p.s, "oidc_enabled_signing_algs") {
		if _, ok := jwk.Algorithm(word); !ok {
			p.s.Mistake("oidc_enabled_signing_algs", "want signature algorithms such as RS256 or ES256; one without a signature is not taken")
			return
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	p.set("signingAlgorithms", out, "oidc_enabled_signing_algs")
}

// parameters are added to the request that browsers are sent to the provider with.
func (p *proxyProvider) parameters() {
	var all []Inline
	add := func(name, value string) {
		if value != "" && len(value) <= 1024 && !slices.ContainsFunc(all, func(one Inline) bool { return one[0].Value == name }) {
			all = append(all, Inline{{Name: "name", Value: name}, {Name: "value", Value: value}})
		}
	}
	var from []string
	for _, one := range []struct{ key, name string }{{"prompt", "prompt"}, {"acr_values", "acr_values"}, {"resource", "resource"}} {
		if value := p.s.Text(one.key); value != "" {
			add(one.name, value)
			from = append(from, p.s.Name(one.key))
		}
	}
	if one := p.s.Get("login_url_parameters"); one != nil {
		from = append(from, p.s.Name(one.Key))
		for _, item := range one.Value.Items {
			name, values := item.Get("name").Text, item.Get("default").Items
			switch {
			case LooksSecret(name) || len(values) > 1 || item.Get("allow").Kind != Null || !parameterName(name):
				p.note("login_url_parameters", "the parameter of line %d is not carried over: parameters have one value, that of the manifest", item.Line)
			case len(values) == 1:
				add(name, values[0].Text)
			}
		}
	}
	if len(all) > 0 {
		p.block.SetFrom("extraAuthorizationParameters", all, strings.Join(from, ", "))
	}
}

// parameterName tells whether a parameter is none that the login sets itself.
func parameterName(name string) bool {
	return name != "" && len(name) <= 64 && !slices.Contains([]string{"client_id", "client_secret", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "code_challenge",
		"code_challenge_method", "request", "request_uri", "approval_prompt"}, name)
}
