// SPDX-License-Identifier: Apache-2.0

// Package authserver is the auth server: listeners, routes, and the snapshot of configuration that requests are decided by.
//
//	server, err := authserver.New(authserver.Options{...})
//	err = server.Run(ctx) // until ctx ends, then drains
//
// Configuration comes as rendered files (package config), from a directory that is watched (Options.ConfigDir) or from
// memory ([Server.Load]). One goroutine at a time turns files into an immutable snapshot (snapshot.go) and swaps it in;
// a request loads the snapshot once and is decided by it alone, so no request ever sees half a change. A file that cannot
// be read leaves the last good one of that name in force and says so at /configz.
//
// Where things are:
//
//   - dispatch.go: from the raw request target to a handler. /verify and /envoy are matched before any router;
//   - routes.go: the table of all other endpoints. A new one is a handle_*.go and one row;
//   - front.go: what all ways to ask for a decision share: deciding, counting, traces; refusals.go logs, refusal.go and
//     identity.go answer. What is decided, and why, is package policy;
//   - handle_verify.go: over HTTP; ext_authz.go: over gRPC, with package extauthz; cookie.go: by a browser's session;
//     login_location.go: where a browser is sent that is not let in;
//   - site.go: what browsers meet by one configuration; handle_pages.go: what all pages share; handle_session.go: /login and the
//     handoff of codes; handle_auth.go: logins at providers, auth_problems.go: in which words they fail; handle_logout.go,
//     handle_backchannel.go, handle_account.go. Packages session, login, idp, directory and pages do the work;
//   - cors.go: what scripts of other origins may ask;
//   - store.go, store_calls.go: the store, opened when it is first needed;
//   - metrics*.go, trace.go: what is told (docs/telemetry.md, which a test compares);
//   - loader.go, snapshot.go: files to snapshot, last-good; handle_configz.go tells about both;
//   - ops.go: the operations listener; ops_auth.go its token, handle_explain.go explains decisions;
//   - listen.go, shutdown.go: listeners with their limits, and the end without a dropped request.
//
// Before the first good configuration every decision is 503.
package authserver
