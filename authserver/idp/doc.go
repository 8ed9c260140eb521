// SPDX-License-Identifier: Apache-2.0

// Package idp is this server as a client of identity providers: OpenID Connect (oidc*.go) and plain OAuth 2.0 (oauth2*.go).
//
// A [Set] holds the providers of one configuration, a [Provider] is one of them. A login calls, in this order,
//
//	url, err := p.AuthorizationURL(ctx, ask)   // where the browser goes
//	err := p.CheckIssuer(ctx, iss, hasIss)     // the callback, also one that tells of an error (RFC 9207)
//	profile, err := p.Exchange(ctx, answer)    // the code for a person
//
// and later, for those who stay logged in, [Provider.Refresh], [Provider.LogoutURL] and [Provider.BackChannelLogout].
//
// What the caller must do: make state, nonce and code verifier from at least 128 random bits, bind them to the browser and to
// this provider, and use each once; call Exchange only with a state that came back as it went out; remember Logout.ID until
// Logout.Expiry and refuse a second one.
//
// What this package sees to: the issuer of a callback is checked before the token endpoint is called; requests go only
// where package outbound allows, follow no redirect where they carry a secret, and read a bounded answer; an ID token passes the
// intake of package token and every rule of OpenID Connect Core 1.0 §3.1.3.7; userinfo is of the same subject.
//
// Providers open lazily: making a Set fetches nothing, and a provider that is away costs its own users a bounded wait and
// nobody else anything. Metadata are kept while they are fresh, refreshed in the background of logins, and serve for a day when
// their source is away.
//
// Errors are [*Error]: a constant Reason, words for the person who logs in, a cause and fix for the administrator. None holds
// a token, a code, or anything that an upstream wrote but an error code of a fixed list.
//
// A new kind of provider is a connector in a file of its own and a line in the map connectors.
package idp
