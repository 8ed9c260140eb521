// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func ticketOf(name, host string, doubtful bool) ticket {
	return ticket{types.NamespacedName{Namespace: "n", Name: name}, host, doubtful}
}

// TestGateBounds guards that neither one host, nor endpoints that hang, take every place.
func TestGateBounds(t *testing.T) {
	g := newGate(func(types.NamespacedName) {})
	let := func(n int, host string, doubtful bool) (in int) {
		for i := range n {
			h := host
			if host == "own" {
				h = fmt.Sprint("own", i, doubtful)
			}
			if g.enter(ticketOf(fmt.Sprint(host, doubtful, i), h, doubtful)) {
				in++
			}
		}
		return in
	}
	if in := let(100, "one", false); in != gateHost {
		t.Errorf("%d ask one host at once, want %d", in, gateHost)
	}
	if in := let(100, "own", true); in != gateDoubtful {
		t.Errorf("%d ask endpoints that may hang, want %d", in, gateDoubtful)
	}
	if in := let(100, "own", false); in != gatePlaces-gateHost-gateDoubtful {
		t.Errorf("%d more ask, want %d", in, gatePlaces-gateHost-gateDoubtful)
	}
}

// TestGateTurns guards that nobody is forgotten and nobody waits for a place that is free: each is let in once, in the order of their coming.
func TestGateTurns(t *testing.T) {
	var woken []types.NamespacedName
	g := newGate(func(n types.NamespacedName) { woken = append(woken, n) })
	const all = 3 * gateHost
	for i := range all {
		if in := g.enter(ticketOf(fmt.Sprint(i), "one", false)); in != (i < gateHost) {
			t.Fatalf("the provider %d of %d: %v", i, all, in)
		}
	}
	if !g.enter(ticketOf("0", "one", false)) || g.enter(ticketOf("5", "one", false)) {
		t.Fatal("who asks twice has another place than before")
	}
	if len(g.inside) != gateHost || len(g.waiting) != all-gateHost {
		t.Fatalf("%d are inside and %d wait", len(g.inside), len(g.waiting))
	}
	g.leave(types.NamespacedName{Namespace: "n", Name: "6"}) // it waited, and needs nothing any more
	for i := range all {
		if i == 6 {
			continue
		}
		if !g.enter(ticketOf(fmt.Sprint(i), "one", false)) {
			t.Fatalf("the provider %d is not let in, although all before it have left", i)
		}
		g.leave(types.NamespacedName{Namespace: "n", Name: fmt.Sprint(i)})
	}
	if len(g.inside)+len(g.waiting) > 0 {
		t.Errorf("%d are inside and %d wait, all of whom have left", len(g.inside), len(g.waiting))
	}
	for i, n := range woken {
		want := gateHost + i
		if want >= 6 {
			want++
		}
		if n.Name != fmt.Sprint(want) {
			t.Errorf("woken %d was %s, want %d", i, n.Name, want)
		}
	}
	if len(woken) != all-gateHost-1 {
		t.Errorf("%d were woken, want %d", len(woken), all-gateHost-1)
	}
}

// TestGateChange guards a place from being kept for a host that is not asked any more.
func TestGateChange(t *testing.T) {
	g := newGate(func(types.NamespacedName) {})
	for i := range gateHost {
		g.enter(ticketOf(fmt.Sprint(i), "one", false))
	}
	if !g.enter(ticketOf("0", "two", false)) || !g.enter(ticketOf("new", "one", false)) {
		t.Error("the place at the first host is still taken")
	}
}
