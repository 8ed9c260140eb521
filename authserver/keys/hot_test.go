// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// bundleSize is that of the largest CA bundle a policy may have, in bytes: a request must not pay for its length.
const bundleSize = 64 << 10

// warm returns an engine that has fetched n sources, the last of which is returned; all with one large CA bundle.
func warm(tb testing.TB, n int) (*Engine, Source) {
	tb.Helper()
	set, _, err := jwk.ParsePublicSet([]byte(jwks("a", "b", "c")))
	if err != nil {
		tb.Fatal(err)
	}
	engine := New(Options{})
	tb.Cleanup(engine.Close)
	engine.fetch = func(context.Context, Source, readings) fetched { return fetched{set: set} }
	sources, bundle := make([]Source, n), outbound.NewBundle(strings.Repeat("c", bundleSize))
	for i := range sources {
		sources[i] = Source{URL: "https://idp.test/tenant/" + strconv.Itoa(i) + "/keys", CABundle: bundle}
	}
	engine.Name(named(sources...))
	src := sources[n-1]
	if _, err := engine.Find(tb.Context(), src, ask("b")); err != nil {
		tb.Fatal(err)
	}
	return engine, src
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	engine, src := warm(t, 3)
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { _, _ = engine.Find(ctx, src, ask("b")) }); n != 0 {
		t.Errorf("Find: %v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() { engine.Current(src, day) }); n != 0 {
		t.Errorf("Current: %v allocations", n)
	}
}

// The hot path must not wait for whoever holds a lock.
func TestHotPathTakesNoLock(t *testing.T) {
	engine, src := warm(t, 3)
	en := engine.entries.get(src)
	engine.mu.Lock()
	defer engine.mu.Unlock()
	en.mu.Lock()
	defer en.mu.Unlock()
	if _, err := engine.Find(t.Context(), src, ask("b")); err != nil {
		t.Error(err)
	}
	if engine.Current(src, day) == nil {
		t.Error("no current set")
	}
}

func BenchmarkCurrent(b *testing.B) {
	engine, src := warm(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if engine.Current(src, day) == nil {
			b.Fatal("no set")
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(strconv.Itoa(n)+" sources", func(b *testing.B) {
			engine, src := warm(b, n)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := engine.Find(ctx, src, ask("b")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFindParallel(b *testing.B) {
	engine, src := warm(b, 1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx := b.Context()
		for pb.Next() {
			if _, err := engine.Find(ctx, src, ask("b")); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkUnknownKey is what an attacker's random kid costs between two fetches.
func BenchmarkUnknownKey(b *testing.B) {
	engine, src := warm(b, 1)
	ctx := b.Context()
	_, _ = engine.Find(ctx, src, ask("first"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.Find(ctx, src, ask("random")); err == nil {
			b.Fatal("found")
		}
	}
}

// BenchmarkName is what a reload costs where one tenant among 10,000 changes: nothing is copied but what changes.
func BenchmarkName(b *testing.B) {
	for name, changes := range map[string]bool{"unchanged": false, "one changes": true} {
		b.Run(name, func(b *testing.B) {
			snapshot := make(map[Source]time.Duration)
			for i := range 10_000 {
				snapshot[Source{URL: "https://idp.test/tenant/" + strconv.Itoa(i) + "/keys"}] = 10 * time.Minute
			}
			engine := New(Options{})
			defer engine.Close()
			engine.Name(snapshot)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if changes {
					delete(snapshot, Source{URL: "https://idp.test/changing/" + strconv.Itoa(n)})
					snapshot[Source{URL: "https://idp.test/changing/" + strconv.Itoa(n+1)}] = 0
				}
				engine.Name(snapshot)
			}
		})
	}
}

// BenchmarkUnknownKeyStorm is what a flood of random kids costs, fetches included.
func BenchmarkUnknownKeyStorm(b *testing.B) {
	engine, src := warm(b, 1)
	ctx := b.Context()
	kids := make([]string, 1<<14)
	for i := range kids {
		kids[i] = "random-" + strconv.Itoa(i)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := engine.Find(ctx, src, ask(kids[n%len(kids)])); err == nil {
			b.Fatal("found")
		}
	}
}
