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
//   - handle_verify.go: from a request to package policy and back. What is decided, and why, is package policy;
//   - loader.go, snapshot.go: files to snapshot, last-good; handle_configz.go tells about both;
//   - ops.go: the operations listener;
//   - listen.go, shutdown.go: listeners with their limits, and the end without a dropped request.
//
// Before the first good configuration every decision is 503.
package authserver
