// SPDX-License-Identifier: Apache-2.0

// Package config is the one schema that both halves of Gatehouse share: the
// operator renders it, the auth server parses and serves it.
//
// A rendered configuration is a set of files:
//
//	base.json                        [Base]: the server's settings and its identity providers
//	tenants-<count>-<n>.json.gz      [Tenants]: the policies and credentials of shard n of count, gzip
//	keys.json                        [Keys]: the server's own signing keys
//	ops-token                        the bearer token of the operations API, as it stands
//
// In a pod they come from Secrets through one projected volume; `gatehouse
// render` writes the same files to a folder. A policy's shard is chosen by
// its tenant ID ([ShardOf]) and a credential's by its name, so policies that claim one tenant ID share a file
// and no rule spans files, but one: at most one policy may be the default. While
// two files disagree on it the server has no default (fail closed).
//
// Parsing is strict: unknown fields, trailing data, sizes over the limits and values that the server
// could not serve are errors, and an error leaves what is served untouched. The operator runs the same parser
// over everything it renders, before it writes it.
//
// Keys arrive normalised: whatever form a key had in a policy (JWKS, PEM, raw
// bytes), the file holds one JWK each (RFC 7517). CA bundles arrive as certificates alone; a tenants file holds each
// once, by its SHA-256, however many policies and credentials name it.
//
// Errors tell the file, the field and the kind of mistake, never content: files hold secrets, and errors are shown.
package config
