// SPDX-License-Identifier: Apache-2.0

// Command gatehouse is Gatehouse's command line. All but status need no cluster.
//
//	gatehouse serve -f PATH…            an auth server from a folder of manifests
//	gatehouse lint -f PATH…             what is wrong with them, by file and line
//	gatehouse render -f PATH… -o DIR    the files that `authserver --config-dir DIR` serves
//	gatehouse verify (--ops URL | -f …) why a token is accepted or refused
//	gatehouse import KIND FILE          manifests from the settings of another system
//	gatehouse users …                   the directory: add, list, show, change and remove users
//	gatehouse hash-password             a password's hash for a list of users
//	gatehouse status                    how the objects of a cluster are; also kubectl gatehouse status (plugin.go)
//	gatehouse completion SHELL          a shell's completion (completion.go has what can be completed)
//
// serve, lint, render and verify read manifests with package manifests and render them with controllers/render, as the operator
// does, so they reach its verdicts. users asks a running server (users_ops.go) or opens its database (users_direct.go).
//
// Exit codes: 0 fine, 1 a check failed or an object was left out, 2 wrong usage or nothing to serve.
//
// Each command is one file with a new…Command function, listed in main.go; it reports an exit code other than 0 as an
// exitError.
package main
