// SPDX-License-Identifier: Apache-2.0

// Package postgres gives tests a real PostgreSQL: a private server, run from the installed binaries in a temporary folder and on a
// loopback port of its own, which nothing outlives.
//
// [Start] is all that most tests need: an empty database on a server that the whole test binary shares. A test that stops, kills
// or restarts its server makes one with [New]. The environment variable GATEHOUSE_TEST_POSTGRES_DSN names another server to make
// the databases of Start on; its user has to be allowed to. Where no PostgreSQL is installed, tests are skipped, with CI=true they fail.
//
// PostgreSQL refuses to run as root, so that root runs it as the user postgres or nobody.
package postgres
