// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"hash/maphash"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// maxUnknownKeys bounds the key IDs that a source remembers as unknown. Attackers choose them.
const maxUnknownKeys = 256

// unknownKeys decides when an unknown kid is worth a fetch: not within the interval since the last such fetch, whatever
// the kid (a storm of random ones costs one fetch per interval), and for one kid ever more rarely, up to once per
// refresh interval (a client that keeps sending tokens of a retired key costs next to nothing). It is guarded by
// entry.mu.
type unknownKeys struct {
	options *Options
	seed    maphash.Seed // unguessable, so that nobody can aim at another's kid
	last    time.Time    // start of the last fetch that left a kid unknown
	seen    map[uint64]miss
}

// miss is a kid that a fetch did not find.
type miss struct {
	wait time.Duration // grows with each fetch in vain
	due  time.Time     // when the next is allowed
}

// id shortens a kid, which may be kilobytes long, for a map; all tokens without one share an ID.
func (u *unknownKeys) id(kid string, hasKid bool) uint64 {
	if !hasKid {
		return 0
	}
	return maphash.String(u.seed, kid)
}

// due tells whether a fetch for the kid is allowed now.
func (u *unknownKeys) due(id uint64, now time.Time) bool {
	if !u.last.IsZero() && now.Sub(u.last) < u.options.UnknownKeyInterval {
		return false
	}
	m, ok := u.seen[id]
	return !ok || !now.Before(m.due)
}

// landed records the key IDs that callers waited for and the fetch did not bring. It runs before they are told, so that
// nobody can ask for another fetch in between. started is when the set was asked for.
func (u *unknownKeys) landed(set *jwk.Set, asked map[uint64]bool, started time.Time) {
	keys := set.Keys()
	brought := make(map[uint64]bool, len(keys))
	for _, k := range keys {
		if k.ID() == "" {
			return // it fits every kid
		}
		brought[u.id(k.ID(), true)] = true
	}
	for id := range asked {
		if !brought[id] && (id != 0 || len(keys) == 0) { // a token without kid knows any key
			u.record(id, started)
		}
	}
}

// record notes that a fetch started at the given time did not bring the kid.
func (u *unknownKeys) record(id uint64, started time.Time) {
	if started.After(u.last) {
		u.last = started
	}
	m, ok := u.seen[id]
	switch {
	case ok && started.Before(m.due):
		return // a fetch for other reasons does not count against the kid
	case ok:
		m.wait = min(2*m.wait, u.options.RefreshInterval)
	default:
		u.makeRoom(started)
		m.wait = u.options.UnknownKeyInterval
	}
	m.due = started.Add(m.wait)
	u.seen[id] = m
}

// makeRoom forgets kids not asked for again within a refresh interval; if none is, any one.
func (u *unknownKeys) makeRoom(now time.Time) {
	if u.seen == nil {
		u.seen = make(map[uint64]miss)
	}
	if len(u.seen) < maxUnknownKeys {
		return
	}
	for id, m := range u.seen {
		if now.Sub(m.due) > u.options.RefreshInterval {
			delete(u.seen, id)
		}
	}
	for id := range u.seen {
		if len(u.seen) < maxUnknownKeys {
			return
		}
		delete(u.seen, id)
	}
}
