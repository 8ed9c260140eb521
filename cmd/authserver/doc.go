// SPDX-License-Identifier: Apache-2.0

// Command authserver is what the pods of an auth server run: it serves the rendered files of a directory.
//
//	authserver --config-dir DIR [--listen :8080] [--ops-listen :9090] [--ext-authz-listen :9191] [--data-dir DIR] [--ops-token-file F]
//
// It writes one JSON object a line to standard error; the line with "msg":"ready" carries the addresses as bound. It ends
// on SIGTERM or SIGINT without dropping a request; a second signal ends it at once.
//
// Exit codes: 0 ended as asked, 1 a listener failed, 2 wrong usage or nothing to serve.
package main
