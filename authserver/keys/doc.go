// SPDX-License-Identifier: Apache-2.0

// Package keys fetches the key sets that tenants' policies name by URL, and keeps them fresh.
//
// [Engine.Find] is all that verification needs. It answers from memory without a lock when the key is at hand; else it
// waits, for a bounded time, for the one fetch that is in flight for that [Source]. [Engine.Current] tells whether what was
// decided with a set still stands. [Engine.Name] tells which sources a new snapshot names; nothing is fetched until a request
// needs it, so neither start nor reload ever waits for anybody's key server. [Engine.Status] and [Engine.All] tell how
// sources are doing, [Hooks] when a fetch ended.
//
// The rules, each with its place:
//
//   - one fetch in flight per source, and per document, which sources share whose way leads to it (entry.go, pages.go);
//   - at most a few requests in flight per host, each hop of a redirect at the host it asks, no common queue; those that hang
//     or failed before leave half of a host's turns to others (hosts.go);
//   - a set replaces its predecessor as a whole: a key withdrawn upstream is gone (view.go). While its content is the same,
//     so is its pointer;
//   - refreshed in the background while in use, as often as the keenest policy wants; after a rest, the first request waits
//     for a fresh set (flight.go);
//   - after a failure: exponential backoff with jitter, the old keys serving each asker until its own stale-if-error ends
//     (view.go); they are kept for the longest window there is;
//   - an unknown kid causes at most one fetch per interval of a source (unknown.go) and of a document (pages.go), one that
//     stays unknown ever fewer;
//   - 200 only, 512 KiB, 100 keys, any content type, no symmetric keys (document.go, fetch.go);
//   - where the server may connect is package outbound's business.
//
// Discovery (metadata.go): the source's URL is that of an issuer's metadata and is used exactly as it is given; the metadata
// must name exactly the source's issuer, and their jwks_uri is fetched as it stands there, under the same rules, each within
// its own time limit. The metadata (at most 64 KiB) are read again with every fetch, so that a provider that moves its keys is
// followed; metadata that fail are a fetch that failed. For a directory of Entra ID the {tenantid} in metadata is the
// directory; which directory's a key is, is left to the asker.
//
// Cache-Control is not looked at: the policy's author has said how often, and a max-age of the publisher's could only keep a
// withdrawn key longer.
//
// Three answers matter to the caller: a key, [jwk.ErrUnknownKeyID] (401: the set was fetched and does not hold it) and
// [ErrUnavailable] (503: nobody can tell at the moment).
//
// Sources are shared: two policies that name equal sources share keys, but the engine knows no policies, and which policy
// may use which source is decided by who asks.
//
// For metrics: each call of Hooks.Fetched is one fetch (discovery included) that asked an upstream itself; one that found all
// its documents just fetched for other sources is not counted. Status.Reason is its outcome, of which Ready and
// NoUsableKey are no failures; Status.Age, read with [Engine.All], is the age of the keys that serve, 0 without any.
//
// Time is the time package's: tests run in testing/synctest bubbles.
package keys
