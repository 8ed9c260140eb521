// SPDX-License-Identifier: Apache-2.0

// Package keys fetches the key sets that tenants' policies name by URL, and keeps them fresh.
//
// [Engine.Find] is all that verification needs. It answers from memory without a lock when the key is at hand; else it
// waits, for a bounded time, for the one fetch that is in flight for that [Source]. [Engine.Name] tells which sources a
// new snapshot names; nothing is fetched until a request needs it, so neither start nor reload ever waits for anybody's
// key server. [Engine.Status] tells how a source is doing.
//
// The rules, each with its place:
//
//   - one fetch in flight per source, at most a few per host, no common queue (entry.go, hosts.go);
//   - a set replaces its predecessor as a whole: a key withdrawn upstream is gone (view.go);
//   - refreshed in the background while in use; after a rest, the first request waits for a fresh set (flight.go);
//   - after a failure: exponential backoff with jitter, the old keys serving until stale-if-error ends (view.go);
//   - an unknown kid causes at most one fetch per interval, one that stays unknown ever fewer (unknown.go);
//   - 200 only, 512 KiB, 100 keys, any content type, no symmetric keys (fetch.go);
//   - where the server may connect is package outbound's business.
//
// Three answers matter to the caller: a key, [jwk.ErrUnknownKeyID] (401: the set was fetched and does not hold it) and
// [ErrUnavailable] (503: nobody can tell at the moment).
//
// A Source resolves to a URL in one place, Source.locate; a source that is found by discovery becomes one more case
// there. Sources are shared: two policies that name equal sources share keys, but the engine knows no policies, and
// which policy may use which source is decided by who asks.
//
// Time is the time package's: tests run in testing/synctest bubbles.
package keys
