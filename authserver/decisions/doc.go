// SPDX-License-Identifier: Apache-2.0

// Package decisions remembers positive decisions, so that a token that comes again need not be verified again.
//
//	c := decisions.New[*answer](maxBytes, maxBytesPerOwner)
//	if a, ok := c.Get(key); ok && stillHolds(a) { … }
//	c.Add(owner, key, a, size)
//
// A [Key] is a hash over everything that decided; an owner is whoever must not pay for the others (a policy). The cache
// knows neither tokens nor time: whether an entry still holds is the caller's to check on every hit, and what an entry
// must not be mistaken for belongs into its key. It holds no token, only hashes.
//
// The rules, each with its place:
//
//   - a key is admitted when it is added, or expected, for the second time: the first time leaves a fingerprint of four
//     bytes in a table of fixed size, so a flood of tokens that never come again evicts nothing and allocates nothing
//     (doorkeeper.go);
//   - who overflows a bound of their own evicts from their own entries; where all together overflow, an owner with more
//     than a fair share does (shard.go);
//   - among the entries of one owner, those not asked for since the hand last passed go first: CLOCK (ring.go);
//   - nothing of size is allocated before it is used: an idle cache costs a few KiB.
//
// Keys must be spread evenly, as hashes are: the shards divide both bounds evenly among themselves.
package decisions
