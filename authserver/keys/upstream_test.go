// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// day is the window of askers that do not care.
const day = 24 * time.Hour

func ask(kid string) Ask { return Ask{Algorithm: "EdDSA", KeyID: kid, HasKeyID: true, MaxStale: day} }

// named makes what Engine.Name takes, with the default interval.
func named(sources ...Source) map[Source]time.Duration {
	m := make(map[Source]time.Duration, len(sources))
	for _, src := range sources {
		m[src] = 0
	}
	return m
}

// jwks is a document with one Ed25519 key per key ID.
func jwks(kids ...string) string {
	keys := make([]string, len(kids))
	for i, kid := range kids {
		seed := sha256.Sum256([]byte(kid))
		pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
		keys[i] = fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}`, kid, base64.RawURLEncoding.EncodeToString(pub))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

// upstream stands for all key servers in tests of time: what it serves, how long it takes, and when it was asked.
type upstream struct {
	mu    sync.Mutex
	body  map[string]string        // by URL; none is a failure
	delay map[string]time.Duration // by URL
	asked map[string][]time.Time   // by URL
	panic bool
}

func (u *upstream) fetch(ctx context.Context, src Source, _ readings) fetched {
	u.mu.Lock()
	body, ok := u.body[src.URL]
	delay, broken := u.delay[src.URL], u.panic
	u.asked[src.URL] = append(u.asked[src.URL], time.Now())
	u.mu.Unlock()
	if broken {
		panic("boom")
	}
	select {
	case <-time.After(min(delay, 10*time.Second)):
	case <-ctx.Done():
		return fetched{failure: explain(ctx.Err(), &keySet, "idp.test")}
	}
	if !ok || delay > 10*time.Second {
		return fetched{failure: &failure{ReasonUnreachable, "idp.test did not answer"}}
	}
	set, problems, err := jwk.ParsePublicSet([]byte(body))
	if err != nil {
		return fetched{failure: &failure{ReasonBadContent, err.Error()}}
	}
	return fetched{set: set, problems: problems}
}

func (u *upstream) serve(url string, kids ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.body[url] = jwks(kids...)
	delete(u.delay, url)
}

func (u *upstream) fail(url string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.body, url)
	delete(u.delay, url)
}

func (u *upstream) hang(url string) { u.slow(url, time.Hour) }

func (u *upstream) slow(url string, delay time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.delay[url] = delay
}

func (u *upstream) times(url string) []time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]time.Time(nil), u.asked[url]...)
}

// world is an engine over an upstream, for use inside a synctest bubble.
type world struct {
	*testing.T
	*upstream
	engine *Engine
	src    Source
}

// newWorld makes an engine whose snapshot names src.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{T: t, upstream: &upstream{
		body: make(map[string]string), delay: make(map[string]time.Duration), asked: make(map[string][]time.Time),
	}, src: Source{URL: "https://idp.test/keys"}}
	w.engine = New(o)
	w.engine.fetch = w.upstream.fetch
	w.engine.Name(named(w.src))
	t.Cleanup(w.engine.Close)
	return w
}

func (w *world) key(kid string) (*jwk.Key, error) {
	found, err := w.engine.Find(w.Context(), w.src, ask(kid))
	return found.Key, err
}

// want asks for a kid and compares the error; nil means the key itself is returned.
func (w *world) want(kid string, target error) {
	w.Helper()
	key, err := w.key(kid)
	switch {
	case !errors.Is(err, target):
		w.Errorf("kid %s: got error %v, want %v", kid, err, target)
	case target == nil && (key == nil || key.ID() != kid):
		w.Errorf("kid %s: got key %v", kid, key)
	case target != nil && key != nil:
		w.Errorf("kid %s: got a key beside the error", kid)
	}
}

func (w *world) wantFetches(n int) {
	w.Helper()
	if got := len(w.times(w.src.URL)); got != n {
		w.Errorf("%d fetches, want %d", got, n)
	}
}

// took returns how long f takes in the bubble's time.
func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
