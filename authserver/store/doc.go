// SPDX-License-Identifier: Apache-2.0

// Package store keeps what an auth server must remember between requests: the directory of users and their identities at
// providers, browsers' sessions, refresh-token families, authorization codes, what may be used once, and what lockouts count.
//
// [Store] is a list of small interfaces, one per kind of record. Three stores exist: [SQLite], for the Embedded type, in a folder
// or in memory; [PostgreSQL], which replicas share; and [None], which answers [ErrNoStore] to everything. The first two are one
// body of SQL over two engines. A further kind of record is an interface and its types (records.go), a file of SQL, a migration in
// each folder of migrations, a line in None, and a table of tests in package conformance, which any store has to pass.
//
//   - database.go: what the SQL needs of an engine; families.go, users.go, users_edit.go, sessions.go, codes.go, uses.go, counters.go, sweep.go: the SQL
//   - sqlite.go opens, sqlite_writer.go is the one goroutine that writes: callers who come while the disk is waited for share the
//     next transaction, and nobody hears of a success before the commit; sqlite_engine.go is the rest of the engine
//   - postgresql.go opens, postgresql_engine.go runs a call on one connection and again after a conflict, postgresql_faults.go
//     makes errors that hold nothing of the DSN or of a row
//
// A store keeps rows and changes them atomically. It knows no tokens, cookies or codes, only their SHA-256 hashes, and cannot read
// what is sealed: package refresh makes both. Owners and data are opaque to it. Times are given by the caller, and kept in
// milliseconds. Names are compared as package fold folds them.
//
// What happens at once is decided here, for all replicas: one of twenty uses of a token wins, one taker gets a code, editors of an
// organization come one by one, and a family whose code was replayed or whose session has ended is not created. PostgreSQL does so
// with row locks and advisory locks that end with the transaction; none is held while anything but the database is waited for, except
// the functions that callers give to EditUsers and EditCounters, which must not call the store.
//
// A database that is away, full or too busy is [ErrUnavailable], within about ten seconds: answer 503. Nothing has to be reopened
// afterwards. What was under way when it went may have been committed.
//
// What anybody can cause here is bounded by count: families, sessions and codes per owner by the caller's keep, uses of a token
// per family by MaxUses, uses per scope by MaxUsesOfScope (with a count, not by counting), counters by MaxCounters. Expired rows
// are removed in bounded batches by [KeepClean], off the path of requests and by one replica at a time; nothing relies on it having
// run, since every read compares times itself. No statement scans a table: tests ask both databases for the plan of each.
package store
