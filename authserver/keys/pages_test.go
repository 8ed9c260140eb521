// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

const (
	commonMeta = "https://login.test/common/meta"
	commonKeys = "https://login.test/common/keys"
)

// directories returns sources of n directories, each with metadata of its own, that all name the common keys.
func directories(w *web, n int) []Source {
	sources := make([]Source, n)
	for i := range sources {
		u := fmt.Sprintf("https://login.test/%d/meta", i)
		w.set(u, fmt.Sprintf(`{"issuer":"https://login.test/%d","jwks_uri":%q}`, i, commonKeys))
		sources[i] = Source{URL: u, Discovery: true, Issuer: fmt.Sprintf("https://login.test/%d", i)}
	}
	return sources
}

// findAll asks for a key at all sources at once, and wants the error and one set for all.
func findAll(t *testing.T, engine *Engine, sources []Source, kid string, want error) {
	t.Helper()
	found := make([]Found, len(sources))
	var callers sync.WaitGroup
	for i, src := range sources {
		callers.Go(func() {
			var err error
			if found[i], err = engine.Find(t.Context(), src, ask(kid)); !errors.Is(err, want) {
				t.Errorf("%s, kid %s: got %v, want %v", src.URL, kid, err, want)
			}
		})
	}
	callers.Wait()
	for i := range found {
		if found[i].Set != found[0].Set {
			t.Errorf("%s has another copy of the set", sources[i].URL)
		}
	}
}

// One document is fetched once, however many sources lead to it: at first, after a rotation, and when it is refreshed.
func TestSharedDocumentIsFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{commonKeys: jwks("a")}, delay: map[string]time.Duration{commonKeys: time.Second}}
		sources := directories(w, 20)
		engine := newEngineOver(t, w)
		wantFetches := func(when string, n int) {
			t.Helper()
			if got := w.counts()[commonKeys]; got != n {
				t.Errorf("%s: %d fetches of the keys, want %d", when, got, n)
			}
		}
		findAll(t, engine, sources[:10], "a", nil) // share the one in flight
		time.Sleep(10 * time.Second)
		findAll(t, engine, sources, "a", nil) // the others use it again
		wantFetches("cold", 1)
		if s := engine.Status(sources[19]); s.Age != 11*time.Second { // not 0: others asked for it
			t.Errorf("the age of shared keys is %s", s.Age)
		}
		w.set(commonKeys, jwks("a", "b"))
		findAll(t, engine, sources, "b", nil) // at once, for all
		wantFetches("after a rotation", 2)
		w.set(commonKeys, jwks("c"))
		findAll(t, engine, sources, "c", jwk.ErrUnknownKeyID) // that fetch is spent
		wantFetches("after one more", 2)
		time.Sleep(30 * time.Second)
		findAll(t, engine, sources, "c", nil)
		findAll(t, engine, sources, "a", jwk.ErrUnknownKeyID)
		wantFetches("half a minute later", 3)
		for range 60 {
			time.Sleep(time.Minute)
			findAll(t, engine, sources, "c", nil)
		}
		if n := w.counts()[commonKeys]; n > 3+60*2/9*3 { // the refreshes of 20 sources lie within a minute of ten
			t.Errorf("%d fetches in an hour", n)
		}
	})
}

// While its content is the same, all who read a document hold one copy, whenever they came.
func TestLateSourceSharesTheSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{commonKeys: jwks("a")}}
		sources := directories(w, 2)
		engine := newEngineOver(t, w)
		findAll(t, engine, sources[:1], "a", nil)
		time.Sleep(time.Minute)
		findAll(t, engine, sources, "a", nil)
		if n := w.counts()[commonKeys]; n != 2 {
			t.Errorf("%d fetches, want 2, or this proves nothing", n)
		}
	})
}

// Random kids at many sources cost one fetch per interval of the document that they share.
func TestUnknownKeyStormAtASharedDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{commonKeys: jwks("a")}}
		sources := directories(w, 20)
		engine := newEngineOver(t, w)
		findAll(t, engine, sources, "a", nil)
		for i := range 3000 { // five minutes
			_, err := engine.Find(t.Context(), sources[i*7%20], ask(fmt.Sprintf("random-%d", i)))
			if !errors.Is(err, jwk.ErrUnknownKeyID) {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := w.counts()[commonKeys]; n < 5 || n > 12 {
			t.Errorf("%d fetches in five minutes", n)
		}
	})
}

// A failure is shared by all who wait for it, and by those who come right after; then the next attempt is anybody's.
func TestFailureOfASharedDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{commonKeys: broken}, delay: map[string]time.Duration{commonKeys: 100 * time.Millisecond}}
		sources := directories(w, 20)
		engine := newEngineOver(t, w)
		findAll(t, engine, sources[:15], "a", ErrUnavailable)
		findAll(t, engine, sources, "a", ErrUnavailable)
		if n := w.counts()[commonKeys]; n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
		w.set(commonKeys, jwks("a"))
		time.Sleep(2 * time.Second)
		findAll(t, engine, sources, "a", nil)
	})
}

// Hooks count what was asked for, and a source that was served by another's fetch is ready all the same.
func TestHooksCountFetchesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{
			commonKeys: jwks("a"), commonMeta: `{"issuer":"https://login.test/{tenantid}","jwks_uri":"` + commonKeys + `"}`,
		}}
		sources := make([]Source, 20)
		for i := range sources {
			sources[i] = Source{URL: commonMeta, Discovery: true, Directory: fmt.Sprint(i), Issuer: fmt.Sprintf("https://login.test/%d", i)}
		}
		var mu sync.Mutex
		n := 0
		engine := newEngineWith(t, w, Options{Hooks: Hooks{Fetched: func(Source, Status, time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			n++
		}}})
		findAll(t, engine, sources, "a", nil)
		mu.Lock()
		defer mu.Unlock()
		if c := w.counts(); n != 1 || c[commonMeta] != 1 || c[commonKeys] != 1 {
			t.Errorf("%d fetches counted of %v", n, c)
		}
		for _, src := range sources {
			if s := engine.Status(src); !s.Ready || s.Keys != 1 {
				t.Errorf("%s: %+v", src, s)
			}
		}
	})
}

// What one tenant's CA or network vouches for answers for no other's, and a fragment makes no other document.
func TestDocumentsAreSharedWithinAProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{commonKeys: jwks("a")}}
		engine := newEngineOver(t, w)
		findAll := func(sources ...Source) {
			for _, src := range sources {
				if _, err := engine.Find(t.Context(), src, ask("a")); err != nil {
					t.Error(err)
				}
			}
		}
		findAll(Source{URL: commonKeys}, Source{URL: commonKeys + "#x"})
		if n := w.counts()[commonKeys]; n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
		findAll(Source{URL: commonKeys, AllowedCIDRs: "10.0.0.0/8"}, Source{URL: commonKeys, CABundle: outbound.NewBundle("x")})
		if n := w.counts()[commonKeys]; n != 3 {
			t.Errorf("%d fetches, want 3", n)
		}
	})
}

// The window of stale keys counts from when the document was asked for, not from when a source used it again.
func TestWindowCountsFromTheSharedFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{commonKeys: jwks("a")}}
		sources := directories(w, 2)
		engine := newEngineOver(t, w)
		findAll(t, engine, sources[:1], "a", nil)
		time.Sleep(29 * time.Second)
		findAll(t, engine, sources[1:], "a", nil)
		w.set(commonKeys, broken)
		for range 60 {
			time.Sleep(time.Minute)
			engine.Current(sources[1], day)
		}
		s := engine.Status(sources[1])
		if s.Reason != ReasonUnreachable || s.Age != time.Hour+29*time.Second {
			t.Errorf("status: %+v", s)
		}
		if engine.Current(sources[1], s.Age) != nil || engine.Current(sources[1], s.Age+time.Second) == nil {
			t.Error("the window is another than the age")
		}
	})
}

// Metadata that name other keys each time leave nothing behind, nor do sources that are dropped.
func TestDocumentsThatNobodyReadsGo(t *testing.T) {
	engine := New(Options{})
	defer engine.Close()
	f := engine.newFetcher(nil)
	kept := make([]readings, 0, 3)
	for i := range 100 {
		p := f.pages.at(pageKey{url: fmt.Sprint(i)})
		r, own := p.read(t.Context(), &engine.options, nil, func(bool) reading { return reading{} })
		if !own {
			t.Fatal("a page that is new was not asked for")
		}
		if i < cap(kept) {
			kept = append(kept, readings{keys: r})
		}
	}
	left := func() int {
		f.pages.mu.Lock()
		defer f.pages.mu.Unlock()
		return len(f.pages.live)
	}
	for range 1000 {
		if left() == len(kept) {
			break
		}
		runtime.GC()
		runtime.Gosched()
	}
	if n := left(); n != len(kept) {
		t.Errorf("%d pages left, want the %d that are read", n, len(kept))
	}
	runtime.KeepAlive(kept)
}

// A document whose reading panics is a failure of those who read it, and does not stay in flight.
func TestPanicEndsThePagesFlight(t *testing.T) {
	o := Options{}.withDefaults()
	o.BackoffMin = 1
	p := &page{}
	r, _ := p.read(t.Context(), &o, nil, func(bool) reading { panic(secretBody) })
	f := explain(r.err, &metadataDocument, "idp.test")
	if f.reason != ReasonInternalError || strings.Contains(f.message, secretBody) {
		t.Errorf("got %+v", f)
	}
	var troubled []bool
	for range 2 {
		r, _ = p.read(t.Context(), &o, r, func(failed bool) reading {
			troubled = append(troubled, failed)
			return reading{}
		})
	}
	if r.err != nil || !slices.Equal(troubled, []bool{true, false}) {
		t.Errorf("after the panic: %v, %v", r.err, troubled)
	}
}
