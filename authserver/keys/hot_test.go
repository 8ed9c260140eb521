// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"strconv"
	"strings"
	"testing"

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
	engine.fetch = func(context.Context, Source) fetched { return fetched{set: set} }
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
		t.Errorf("%v allocations", n)
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
}

func BenchmarkKey(b *testing.B) {
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

func BenchmarkKeyParallel(b *testing.B) {
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

func BenchmarkUse(b *testing.B) {
	sources := make([]Source, 10_000)
	for i := range sources {
		sources[i] = Source{URL: "https://idp.test/tenant/" + strconv.Itoa(i) + "/keys"}
	}
	engine := New(Options{})
	defer engine.Close()
	engine.Name(named(sources...))
	b.ReportAllocs()
	for b.Loop() {
		engine.Name(named(sources...))
	}
}
