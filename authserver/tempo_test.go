// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/netip"
	"testing"
	"time"
)

func network(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
}

// TestTempo guards the rate: a burst, then one for each interval, for each network by itself.
func TestTempo(t *testing.T) {
	clock := now
	p := newTempo(func() time.Time { return clock })
	burst := func(n int) (allowed int) {
		for p.allow(network(n)) == 0 {
			allowed++
		}
		return allowed
	}
	if got := burst(1); got != tempoBurst {
		t.Fatalf("%d at once, want %d", got, tempoBurst)
	}
	if wait := p.allow(network(1)); wait <= 0 || wait > tempoInterval {
		t.Errorf("wait %s", wait)
	}
	if got := burst(2); got != tempoBurst {
		t.Errorf("another network: %d", got)
	}
	clock = clock.Add(tempoInterval)
	if got := burst(1); got != 1 {
		t.Errorf("%d after one interval", got)
	}
	clock = clock.Add(3 * tempoInterval)
	if got := burst(1); got != 3 {
		t.Errorf("%d after three", got)
	}
	clock = clock.Add(time.Hour)
	if got := burst(1); got != tempoBurst {
		t.Errorf("%d after an hour", got)
	}
	clock = clock.Add(-24 * time.Hour)
	if wait := p.allow(network(1)); wait != 0 {
		t.Errorf("after the clock was set back: wait %s", wait)
	}
}

// TestTempoIsBounded guards the memory, and that who asks on is not forgotten while others come once.
func TestTempoIsBounded(t *testing.T) {
	clock := now
	p := newTempo(func() time.Time { return clock })
	p.most = 100
	for p.allow(network(0)) == 0 {
	}
	for n := range 10_000 {
		if n%50 == 0 { // it gets one more for each interval, as one that is remembered does
			clock = clock.Add(tempoInterval)
			if p.allow(network(0)) != 0 || p.allow(network(0)) == 0 {
				t.Fatalf("forgotten after %d others", n)
			}
		}
		p.allow(network(n + 1))
		if got := len(p.young) + len(p.old); got > 2*p.most {
			t.Fatalf("%d networks remembered", got)
		}
	}
}
