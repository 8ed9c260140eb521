// SPDX-License-Identifier: Apache-2.0

// Package store keeps what an auth server must remember between requests: in this version the families of refresh
// tokens.
//
// [Store] is a list of small interfaces, one per kind of record ([Families]); a further kind is a further interface, a
// migration and a section of the conformance suite. Two stores exist: [SQLite], for the Embedded type, in a folder or in
// memory, and [None], which answers [ErrNoStore] to everything. Package conformance holds the tests that any store has to pass.
//
// A store keeps rows and changes them atomically. It knows no tokens, only their SHA-256 hashes, and cannot read what is
// sealed: package refresh makes both. Owners and data are opaque to it. Times are given by the caller, and kept in milliseconds.
//
// What anybody can cause here is bounded by count: families per owner by the caller of CreateFamily, uses per family by
// MaxUses. Expired rows are removed in bounded batches by [KeepClean], off the path of requests; nothing relies on it
// having run, since every read compares times itself.
package store
