// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Sizes that the shards are kept under, in bytes.
const (
	// roomy is what every compressed shard stays below after growth, so that the next change does not grow it again.
	roomy = config.MaxShard / 2
	// maxContent bounds an uncompressed shard: policies that compress well must not fill what the server will inflate, and it
	// holds a shard several times while it reads it.
	maxContent = config.MaxShardContent / 8
)

// shard distributes policies and credentials, given in the order of claims, over count files or more. When a file reaches MaxShard the count
// doubles until each is below half of that. At MaxShards the last claimants of an overfull shard are left out: somebody who
// chooses tenant IDs that meet in one shard must not stop the others.
func shard(claimants []*rendered, count int) (files map[string][]byte, shards int, leftOut []*rendered, err error) {
	count = powerOfTwo(count)
	encoded, err := encodeShards(claimants, count)
	if err != nil {
		return nil, 0, nil, err
	}
	if encoded.over(config.MaxShard, maxContent) {
		for count < config.MaxShards && encoded.over(roomy, maxContent/2) {
			count *= 2
			if encoded, err = encodeShards(claimants, count); err != nil {
				return nil, 0, nil, err
			}
		}
	}
	files = make(map[string][]byte, count)
	for n := range encoded {
		s := &encoded[n]
		if s.over(config.MaxShard, maxContent) {
			dropped, err := s.trim(count, n)
			if err != nil {
				return nil, 0, nil, err
			}
			leftOut = append(leftOut, dropped...)
		}
		files[config.TenantsFile(count, n)] = s.data
	}
	return files, count, leftOut, nil
}

func powerOfTwo(n int) int {
	p := 1
	for p < n && p < config.MaxShards {
		p *= 2
	}
	return p
}

// encodedShard is one tenants file and what it was made of.
type encodedShard struct {
	claimants []*rendered // in the order of claims
	data      []byte
	content   int // bytes before compression, about
}

type encodedShards []encodedShard

func (s *encodedShard) over(size, content int) bool {
	return len(s.data) >= size || s.content >= content
}

func (e encodedShards) over(size, content int) bool {
	return slices.ContainsFunc(e, func(s encodedShard) bool { return s.over(size, content) })
}

func encodeShards(claimants []*rendered, count int) (encodedShards, error) {
	out := make(encodedShards, count)
	for _, p := range claimants {
		s := &out[config.ShardOf(p.shardKey(), count)]
		s.claimants = append(s.claimants, p)
	}
	for n := range out {
		if err := out[n].encode(count, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *encodedShard) encode(count, n int) error {
	t := config.Tenants{Version: config.Version, Shard: n, Count: count, Policies: make([]config.Policy, 0, len(s.claimants))}
	held := holding{}
	for _, p := range s.claimants {
		if p.credential != nil {
			t.Credentials = append(t.Credentials, *p.credential)
		} else {
			t.Policies = append(t.Policies, *p.policy)
		}
		held.add(p)
	}
	s.content, t.Bundles = held.content, held.bundles
	slices.SortFunc(t.Policies, func(a, b config.Policy) int { return cmp.Compare(a.TenantID, b.TenantID) })
	slices.SortFunc(t.Credentials, func(a, b config.Credential) int { return cmp.Compare(a.Name, b.Name) })
	var err error
	if s.data, err = t.Encode(); err != nil {
		return fmt.Errorf("rendering %s: %w", config.TenantsFile(count, n), err)
	}
	return nil
}

// trim keeps as many of the first claimants as fit and returns the others.
func (s *encodedShard) trim(count, n int) ([]*rendered, error) {
	all := s.claimants
	var failed error
	kept := sort.Search(len(all), func(k int) bool { // the least k+1 that does not fit
		s.claimants = all[:k+1]
		if err := s.encode(count, n); err != nil {
			failed = err
		}
		return s.over(config.MaxShard, maxContent)
	})
	s.claimants = all[:kept]
	if err := s.encode(count, n); err != nil {
		failed = err
	}
	return all[kept:], failed
}
