// SPDX-License-Identifier: Apache-2.0

// Package session keeps browsers logged in, and is all that a browser holds on to: cookies, login transactions, form tokens and
// the place that a login leads back to.
//
//	cookies := session.NewCookies("https://auth.example.com", "")
//	value, _, err := manager.Begin(ctx, snapshot, account, session.Begin{...}) // after a login: a new value each time
//	http.SetCookie(w, cookies.Session(value))
//	token, err := manager.Token(ctx, snapshot, value) // at /verify: an own access token that stands for the session
//
// Where things are:
//
//   - cookies.go: names and attributes of every cookie, and how strictly they are read;
//   - return_to.go: which places a login may lead back to; everything else is an open redirect;
//   - logins.go: login transactions (state, nonce, PKCE verifier), sealed in a cookie each, so that replicas share nothing;
//   - forms.go: what tells a form of ours from a forged one;
//   - manager.go: begin, look up, end; check.go: how a session is checked against the store; cache.go: what is remembered of that;
//   - renew.go: how the provider is asked again whether the user may go on.
//
// The store never sees a cookie's value, only its SHA-256; what providers gave (refresh token, ID token) is sealed under a key
// that only the cookie's value yields. So neither a copy of the database nor one of the cache's keys is a session.
//
// Not done here: who the user is (package login), what a session may see (package policy), and pages (package pages).
package session
