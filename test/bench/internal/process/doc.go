// SPDX-License-Identifier: Apache-2.0

// Package process starts a server under test on one core and reads what it uses.
//
// A server announces itself with one JSON line on standard error, {"msg":"ready","listen":"127.0.0.1:1234", …}. It
// runs with GOMAXPROCS=1 and an environment of its own, so that nothing set in the caller's shell (GOGC, GODEBUG)
// changes a figure. It dies with the program that started it, however that ends.
package process
