// SPDX-License-Identifier: Apache-2.0

// Package oauth2server is a plain OAuth 2.0 server for tests: authorization and token endpoint, userinfo, and what GitHub and others have beside it. It signs no
// ID tokens; that is package idp's own fake and the browser suite's real provider.
//
//	as := oauth2server.Start(t, oauth2server.Options{Shape: oauth2server.GitHub, ClientID: "id", ClientSecret: "secret", RedirectURIs: []string{callback}})
//	as.AuthorizationEndpoint(); as.TokenEndpoint(); as.UserInfoEndpoint(); as.EmailsEndpoint(); as.OrganizationsEndpoint(); as.TeamsEndpoint(); as.LogoutEndpoint()
//
// It is strict where real servers are lenient, so that a client which passes here passes everywhere: one way of client authentication, percent-encoded ID and
// secret, no parameter twice or unasked for, redirect_uri equal to the byte, a code used once within a minute by the client it was made for, PKCE with S256, a
// bearer token in the header only. Every refusal is remembered with its cause ([Server.Refusals]), since the answers tell a client as little as real ones do.
//
// A [Shape] is whose answers it gives: their member names, types and quirks, written from each service's public documentation. GitHub's token endpoint answers
// form-encoded unless asked for JSON, and tells errors with status 200; Facebook's errors are objects.
//
// Tests of misbehaviour replace the answer of one path ([Server.Replace]) or a person ([Server.SetPerson], [Server.SetUserInfo]). By default somebody is logged in
// already and agrees, so that a client without a browser gets its code from one redirect; with Options.Interactive there is a login page, and a session at this
// server which only its logout endpoint ends.
package oauth2server
