// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestLedger guards what counts as confirmed: it is all that stands between a lagging pod and "Ready".
func TestLedger(t *testing.T) {
	acme, globex := render.Key{Kind: "TenantJWTPolicy", Namespace: "n", Name: "acme"}, render.Key{Kind: "TenantJWTPolicy", Namespace: "n", Name: "globex"}
	const f = "tenants-1-0.json.gz"
	var l ledger
	write := func(hash, acmeIs, globexIs string) {
		l.record(map[string]string{"base.json": "b", f: hash}, [][]string{{"base.json", f}},
			[]entry{{acme, acmeIs, []string{f}}, {globex, globexIs, []string{f}}}, time.Now())
	}
	pod := func(hash string) map[string]int64 {
		return l.locate(nil, map[string]string{"base.json": "b", f: hash}, time.Now().Add(time.Hour), time.Second)
	}
	check := func(step, serving string, key render.Key, want bool) {
		t.Helper()
		if got := l.confirms(pod(serving), key); got != want {
			t.Errorf("%s: a pod that serves %s confirms %s: %v, want %v", step, serving, key.Name, got, want)
		}
	}
	write("h1", "a1", "g1")
	check("first", "h1", acme, true)
	check("first", "", acme, false)
	check("first", "h0", acme, false)

	write("h2", "a2", "g1")
	check("acme changed", "h1", acme, false)
	check("acme changed", "h1", globex, true)
	check("acme changed", "h2", acme, true)
	if l.current(pod("h1")) || !l.current(pod("h2")) {
		t.Error("acme changed: only a pod with the latest write is up to date")
	}

	write("h3", "a2", "g2")
	check("globex changed", "h2", acme, true)
	check("globex changed", "h2", globex, false)

	write("h4", "a1", "g2") // acme goes back to its first version
	check("acme went back", "h3", acme, false)
	check("acme went back", "h1", acme, false) // what h1 held of acme is right, but not confirmed: h2 and h3 came after it
	check("acme went back", "h4", acme, true)

	write("h4", "", "g2") // a verdict alone changed
	write("h5", "", "g2")
	check("acme is gone", "h5", acme, true)
	write("h1", "a1", "g1") // all as at first: the bytes are the same, so a pod that still has them is right
	check("back to the start", "h1", acme, true)
	check("back to the start", "h5", acme, false)

	if l.confirms(pod("h1"), render.Key{Name: "unknown"}) {
		t.Error("an object that was never written is confirmed")
	}
}

// TestLedgerRevert guards a change that is taken back at once: the file is the same bytes as before, and a pod that has said
// that it serves them may be about to load what was written between.
func TestLedgerRevert(t *testing.T) {
	const settle = time.Second
	acme, globex := render.Key{Name: "acme"}, render.Key{Name: "globex"}
	var (
		l     ledger
		start = time.Now()
		at    = func(d time.Duration) time.Time { return start.Add(d) }
		write = func(hash, acmeIs string, when time.Duration) {
			l.record(map[string]string{"f": hash}, [][]string{{"f"}}, []entry{{acme, acmeIs, []string{"f"}}, {globex, "g", []string{"f"}}}, at(when))
		}
		says = func(known map[string]int64, hash string, when time.Duration) map[string]int64 {
			return l.locate(known, map[string]string{"f": hash}, at(when), settle)
		}
		check = func(step string, serving map[string]int64, confirms bool) {
			t.Helper()
			if got := l.confirms(serving, acme); got != confirms {
				t.Errorf("%s: acme is confirmed: %v, want %v", step, got, confirms)
			}
			if got := l.current(serving); got != confirms {
				t.Errorf("%s: the pod is up to date: %v, want %v", step, got, confirms)
			}
			if !l.confirms(serving, globex) {
				t.Errorf("%s: globex, which did not change, is not confirmed", step)
			}
		}
	)
	write("A", "a1", 0)
	first := says(nil, "A", time.Millisecond)
	check("the first write", first, true)
	write("B", "a2", 200*time.Millisecond)
	lags := says(first, "A", 210*time.Millisecond)
	check("the pod has not loaded B", lags, false)
	loaded := says(lags, "B", 300*time.Millisecond)
	check("the pod has loaded B", loaded, true)
	write("A", "a1", 400*time.Millisecond)
	check("an answer from before the change", first, false)
	check("an answer from before the revert", loaded, false)
	check("the pod was seen with B, and says A", says(loaded, "A", 410*time.Millisecond), true)
	check("the pod was never seen with B: it may be about to load it", says(lags, "A", 410*time.Millisecond), false)
	check("a new pod, as little known", says(nil, "A", 410*time.Millisecond), false)
	check("B has had its time", says(lags, "A", 1400*time.Millisecond), true)
}

// TestLedgerDoubt guards writes that failed half-way: no answer from before them counts for what is written next.
func TestLedgerDoubt(t *testing.T) {
	key := render.Key{Name: "acme"}
	var l ledger
	write := func() {
		l.record(map[string]string{"f": "A"}, [][]string{{"f"}}, []entry{{key, "a", []string{"f"}}}, time.Now())
	}
	says := func() map[string]int64 {
		return l.locate(nil, map[string]string{"f": "A"}, time.Now().Add(time.Hour), time.Second)
	}
	write()
	before := says()
	l.doubt()
	if l.confirms(before, key) {
		t.Error("an object is confirmed while nobody knows what was written")
	}
	write()
	if l.confirms(before, key) || l.current(before) {
		t.Error("an answer from before a write that failed counts")
	}
	after := says()
	if !l.confirms(after, key) || !l.current(after) {
		t.Error("an answer from after it does not count")
	}
	l.clear()
	write()
	if l.confirms(after, key) || l.current(after) {
		t.Error("an answer from before everything was forgotten counts")
	}
}

// TestLedgerForgets guards the bound on what is remembered, and that forgetting never confirms.
func TestLedgerForgets(t *testing.T) {
	key := render.Key{Name: "acme"}
	var l ledger
	for i := range 3 * maxWrites {
		l.record(map[string]string{"f": fmt.Sprint(i)}, [][]string{{"f"}}, []entry{{key, "a", []string{"f"}}}, time.Now())
	}
	if n := len(l.files["f"]); n != maxWrites {
		t.Errorf("%d writes are remembered, want %d", n, maxWrites)
	}
	pod := func(hash string) map[string]int64 { return l.locate(nil, map[string]string{"f": hash}, time.Now(), 0) }
	if l.confirms(pod("0"), key) {
		t.Error("a write that was forgotten confirms")
	}
	if !l.confirms(pod(fmt.Sprint(2*maxWrites+1)), key) {
		t.Error("a write that is remembered does not confirm")
	}
}

// TestLedgerGrowth guards the time while pods mount two sets of shards: each pod is judged by the set it has.
func TestLedgerGrowth(t *testing.T) {
	key := render.Key{Name: "acme"}
	var l ledger
	l.record(map[string]string{"base": "b", "one": "o1"}, [][]string{{"base", "one"}}, []entry{{key, "a1", []string{"one"}}}, time.Now())
	l.record(map[string]string{"base": "b", "one": "o2", "two-0": "x", "two-1": "y"}, [][]string{{"base", "two-0", "two-1"}, {"base", "one"}},
		[]entry{{key, "a2", []string{"two-1", "one"}}}, time.Now())
	for name, c := range map[string]struct {
		serving        map[string]string
		confirms, full bool
	}{
		"old pod, new content":          {map[string]string{"base": "b", "one": "o2"}, true, true},
		"old pod, old content":          {map[string]string{"base": "b", "one": "o1"}, false, false},
		"new pod":                       {map[string]string{"base": "b", "two-0": "x", "two-1": "y"}, true, true},
		"new pod, other shard behind":   {map[string]string{"base": "b", "two-0": "w", "two-1": "y"}, true, false},
		"new pod, own shard not served": {map[string]string{"base": "b", "two-0": "x", "two-1": ""}, false, false},
	} {
		serving := l.locate(nil, c.serving, time.Now(), 0)
		if got := l.confirms(serving, key); got != c.confirms {
			t.Errorf("%s: confirms is %v", name, got)
		}
		if got := l.current(serving); got != c.full {
			t.Errorf("%s: current is %v", name, got)
		}
	}
}
