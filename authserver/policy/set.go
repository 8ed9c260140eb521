// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// Set is every policy of one server, and how its own tokens are checked. It is immutable. Making one costs the same for ten
// thousand policies as for ten: it joins shards, which stay as they are.
type Set struct {
	own       *own
	shards    []*Shard // by number
	fallback  *Policy  // the default policy; nil for none
	headers   []string
	decisions *Decisions // that numbered the policies; nil remembers nothing
}

// NewSet joins all shards of one server, in the order of their numbers. Where several policies claim to be the default, none
// is: files of different ages may disagree for a moment. Shards that are not one whole set, in which a tenant's policy could
// be missed, and shards with different Decisions, which would number two policies alike, are faults of the caller and errors.
func NewSet(o Own, shards ...*Shard) (*Set, error) {
	own, err := compileOwn(o)
	if err != nil {
		return nil, err
	}
	s := &Set{own: own, shards: shards}
	claims := 0
	headers := make(map[string]bool)
	for i, shard := range shards {
		if shard.number != i || shard.count != len(shards) {
			return nil, fmt.Errorf("shard %d of %d stands where %d of %d belongs", shard.number, shard.count, i, len(shards))
		}
		if i == 0 {
			s.decisions = shard.outbound.Decisions
		} else if s.decisions != shard.outbound.Decisions {
			return nil, errors.New("the shards were compiled for different Decisions")
		}
		for _, p := range shard.defaults {
			s.fallback = p
			claims++
		}
		for _, name := range shard.headers {
			headers[name] = true
		}
	}
	if claims > 1 {
		s.fallback = nil
	}
	s.headers = slices.Sorted(maps.Keys(headers))
	return s, nil
}

// HeaderNames are the names, canonical and sorted, of all headers that some policy of the server maps. An answer of 200
// carries every one of them, empty where the deciding policy gives no value: a gateway copies them from the answer, so none
// that a client sent gets through. The caller must not change them.
func (s *Set) HeaderNames() []string { return s.headers }

// Policies yields every policy, in no order.
func (s *Set) Policies() iter.Seq[*Policy] {
	return func(yield func(*Policy) bool) {
		for _, shard := range s.shards {
			for _, p := range shard.tenants {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// Len is the number of policies.
func (s *Set) Len() int {
	n := 0
	for _, shard := range s.shards {
		n += len(shard.tenants)
	}
	return n
}

// Remotes are the key sources that the policies name by URL, each with the shortest of the intervals at which those policies
// want it refreshed.
func (s *Set) Remotes() map[keys.Source]time.Duration {
	remotes := make(map[keys.Source]time.Duration)
	for _, shard := range s.shards {
		for src, interval := range shard.remotes {
			keepShortest(remotes, src, interval)
		}
	}
	return remotes
}

// SameRemotes tells, without looking at each, that Remotes of both sets are equal. It may say false where they are.
func (s *Set) SameRemotes(other *Set) bool {
	return other != nil && slices.EqualFunc(s.shards, other.shards, func(a, b *Shard) bool {
		return a == b || maps.Equal(a.remotes, b.remotes)
	})
}

func keepShortest(remotes map[keys.Source]time.Duration, src keys.Source, interval time.Duration) {
	if shortest, ok := remotes[src]; !ok || interval < shortest {
		remotes[src] = interval
	}
}
