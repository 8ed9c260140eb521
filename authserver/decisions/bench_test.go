// SPDX-License-Identifier: Apache-2.0

package decisions

import (
	"encoding/binary"
	"testing"
)

// BenchmarkHit is one token, as many at once as there are cores.
func BenchmarkHit(b *testing.B) {
	c := New[*int](mib, mib)
	for n := range uint64(1000) {
		admit(c, 1, key(n), new(int), 100)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		k := key(1)
		for pb.Next() {
			if _, ok := c.Get(k); !ok {
				b.Fatal("not found")
			}
		}
	})
}

// BenchmarkDeclined is a token that was never seen: a miss and an add that leaves a fingerprint.
func BenchmarkDeclined(b *testing.B) {
	c := New[*int](mib, mib)
	k := key(1)
	b.ReportAllocs()
	for n := range uint64(b.N) {
		binary.LittleEndian.PutUint64(k[4:], n*0x9e3779b97f4a7c15)
		if _, ok := c.Get(k); ok {
			b.Fatal("found")
		}
		c.Add(1, k, nil, 100)
	}
}

// BenchmarkEvicted is an owner that overflows with every token, among many owners.
func BenchmarkEvicted(b *testing.B) {
	c := New[*int](32*mib, mib)
	for owner := range uint64(10_000) {
		for i := range uint64(8) {
			admit(c, owner, key(owner<<8+i), nil, 300)
		}
	}
	k := key(1)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range uint64(b.N) {
		binary.LittleEndian.PutUint64(k[4:], n*0x9e3779b97f4a7c15)
		k[0] = byte(n)
		admit(c, n%10_000, k, nil, 300)
	}
}
