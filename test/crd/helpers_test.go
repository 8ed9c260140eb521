// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"
)

// What the rules say where a pattern alone would only be shown.
const (
	durationMessage = "must be a length of time such as 30s, 15m or 1h30m, with the units h, m, s and ms; a day is 24h"
	nameMessage     = "must have only letters, digits and - . _ and begin and end with a letter or digit, such as acme or team-1.eu"
	oneSource       = "spec.issuers[0]: Invalid value: set at most one of jwksURI, discoveryURL and keys; with none, keys come from <issuer>/.well-known/openid-configuration"
)

// directory is the ID of an Entra ID directory.
const directory = "aaaabbbb-0000-cccc-1111-dddd2222eeee"

// policy is a valid TenantJWTPolicy with lines added to its spec, or put in place of the line with the same key.
func policy(lines ...string) string {
	return manifest("TenantJWTPolicy", []string{
		"tenantID: acme",
		"issuers: [{issuer: 'https://idp.example', jwksURI: 'https://idp.example/keys'}]",
	}, lines)
}

// example is a policy with one example of these claims.
func example(claims string) string {
	return policy("examples: [{claims: " + claims + ", expect: {rejected: true}}]")
}

// provider is a valid IdentityProvider with lines added or replaced.
func provider(lines ...string) string {
	return manifest("IdentityProvider", []string{
		"type: Password",
		"password: {usersSecretRef: {name: users, key: users.yaml}}",
	}, lines)
}

// oidc is a valid IdentityProvider of type OIDC with lines added to its block, or put in place of the line with the same key; spec are lines of its spec.
func oidc(block []string, spec ...string) string {
	return upstream("OIDC", "oidc", []string{"issuer: 'https://idp.example'", "clientID: gatehouse"}, block, spec)
}

// oauth2 is the same of type OAuth2.
func oauth2(block []string, spec ...string) string {
	return upstream("OAuth2", "oauth2", []string{
		"clientID: gatehouse", "authorizationEndpoint: 'https://idp.example/authorize'", "tokenEndpoint: 'https://idp.example/token'",
		"userInfoEndpoint: 'https://idp.example/user'", "subjectAttribute: id",
	}, block, spec)
}

func upstream(kind, name string, base, block, spec []string) string {
	lines := []string{"type: " + kind, name + ":"}
	for _, l := range merge(base, block) {
		lines = append(lines, "  "+l)
	}
	return manifest("IdentityProvider", lines, spec)
}

// in are lines of a block.
func in(lines ...string) []string { return lines }

// server is a valid AuthServer with lines added.
func server(lines ...string) string { return manifest("AuthServer", nil, lines) }

func manifest(kind string, base, lines []string) string {
	spec := merge(base, lines)
	body := "{}"
	if len(spec) > 0 {
		body = "\n  " + strings.Join(spec, "\n  ")
	}
	return fmt.Sprintf("kind: %s\nmetadata: {}\nspec: %s\n", kind, body)
}

// merge adds lines to base, in place of the line with the same key; "-key" takes one away.
func merge(base, lines []string) []string {
	var out []string
	for _, b := range base {
		key, _, _ := strings.Cut(b, ":")
		replaced := false
		for _, l := range lines {
			replaced = replaced || strings.HasPrefix(l, key+":") || l == "-"+key
		}
		if !replaced {
			out = append(out, b)
		}
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "-") {
			out = append(out, l)
		}
	}
	return out
}
