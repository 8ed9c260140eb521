// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// TestEachAssertionOnce guards that an assertion is good for one token, its jti for one of the tenant and no other's, and that refusals use up nothing.
func TestEachAssertionOnce(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	c := cast()
	of := func(p *party, issuer string, changes obj) url.Values {
		return url.Values{"assertion": {assertionOf(t, p, issuer, changes)}}
	}
	const acme, old = "https://idp.acme.example", "https://old.acme.example"
	for i, step := range []struct {
		form   url.Values
		status int
	}{
		{of(c.mallory, acme, nil), 400},                                        // somebody without a key
		{of(c.acme, acme, obj{"aud": "https://x.example"}), 400},               // for somebody else
		{of(c.acme, acme, obj{"exp": now.Add(2 * time.Hour).Unix()}), 400},     // which lives too long
		{of(c.acme, acme, nil), 200},                                           //
		{of(c.acme, acme, nil), 400},                                           // again
		{of(c.acme, acme, obj{"sub": "alice"}), 400},                           // another, of the same jti
		{of(c.old, old, nil), 400},                                             // of another issuer of the tenant
		{of(c.umbrella, "https://idp.umbrella.example", nil), 200},             // of another tenant
		{of(c.acme, acme, obj{"jti": "a-2"}), 200},                             //
		{of(c.acme, acme, obj{"jti": "A-2"}), 200},                             // which is another one
		{of(c.acme, acme, obj{"jti": "a-2", "exp": now.Unix() + 3000}), 400},   //
		{of(c.acme, acme, obj{"jti": "a-1", "exp": now.Unix() - 29}), 400},     //
		{of(c.initech, "https://idp.initech.example", obj{"jti": "a-2"}), 200}, //
	} {
		w := l.exchange(t, step.form)
		if w.Code != step.status {
			t.Errorf("step %d: %d %s", i, w.Code, w.Body)
		}
	}
	w := l.exchange(t, of(c.acme, acme, nil))
	if wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant); !strings.Contains(w.Body.String(), "used before") || !strings.Contains(l.log.take(), `"reason":"replayed"`) {
		t.Errorf("a replay is told as %s", w.Body)
	}
}

// TestAssertionsAreKeptAsLongAsTheyAreGood guards that an assertion is remembered until no replica and no larger leeway would let it pass again.
func TestAssertionsAreKeptAsLongAsTheyAreGood(t *testing.T) {
	at := now
	l := newLabWith(t, render(t, baseOf(nil), 1, exchangePolicies(t)...), func(o *Options) { o.Now = func() time.Time { return at } })
	form := url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}
	accessToken(t, l.exchange(t, form))
	list := exchangePolicies(t)
	list[0].Leeway = config.Duration(10 * time.Minute) // the largest
	if err := l.Load(render(t, baseOf(nil), 1, list...)); err != nil {
		t.Fatal(err)
	}
	last := now.Add(5*time.Minute + 10*time.Minute - time.Second) // at which it would pass
	for _, at = range []time.Time{now.Add(5*time.Minute + 31*time.Second), last} {
		w := l.exchange(t, form)
		if wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant); !strings.Contains(l.log.take(), `"reason":"replayed"`) {
			t.Errorf("%s after it was made: %s", at.Sub(now), w.Body)
		}
	}
	at = last.Add(time.Second)
	if w := l.exchange(t, form); w.Code != http.StatusBadRequest || !strings.Contains(l.log.take(), `"reason":"expired"`) {
		t.Errorf("afterwards: %s", w.Body)
	}
}

// race sends one assertion many times at once, in turn to the labs, and returns the statuses by number.
func race(t *testing.T, form url.Values, labs ...*lab) map[int]int {
	t.Helper()
	const each = 12
	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses := map[int]int{}
	start := make(chan struct{})
	for i := range each * len(labs) {
		wg.Go(func() {
			<-start
			w := labs[i%len(labs)].exchange(t, form)
			mu.Lock()
			defer mu.Unlock()
			statuses[w.Code]++
		})
	}
	close(start)
	wg.Wait()
	return statuses
}

// TestParallelReplays guards that of many requests with one assertion at once exactly one gets a token.
func TestParallelReplays(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	got := race(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}, l)
	if diff := cmp.Diff(map[int]int{200: 1, 400: 11}, got); diff != "" {
		t.Error(diff)
	}
}

// TestReplicasShareAssertions guards that an assertion that one replica took is known to the other, also where both get it at once.
func TestReplicasShareAssertions(t *testing.T) {
	base := baseOf(func(b *config.Base) { b.Store = config.Store{Type: config.StorePostgreSQL, DSN: postgres.Start(t)} })
	files := render(t, base, 1, exchangePolicies(t)...)
	here, there := newLab(t, files), newLab(t, files)
	of := func(id string) url.Values {
		return url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", obj{"jti": id})}}
	}
	accessToken(t, here.exchange(t, of("one")))
	wantRefusal(t, there.exchange(t, of("one")), http.StatusBadRequest, codeInvalidGrant)
	for _, id := range []string{"two", "three", "four"} {
		if diff := cmp.Diff(map[int]int{200: 1, 400: 23}, race(t, of(id), here, there)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

// faultyUses is a store of uses that does as it is told.
type faultyUses struct {
	store.Uses
	use func() error
}

func (f faultyUses) Use(context.Context, string, store.Hash, time.Time, time.Time) error {
	return f.use()
}

// TestUsesThatCannotBeNoted guards that no token is given for an assertion that may be used again, and that the client may try again.
func TestUsesThatCannotBeNoted(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	a := l.newAssertions(l.browsers.service)
	for name, c := range map[string]struct {
		err    error
		reason string
		wait   string
	}{
		"the store is away": {store.ErrUnavailable, "uses_unavailable", "5"},
		"any fault":         {fmt.Errorf("host=db.example user=x: %w", context.DeadlineExceeded), "uses_unavailable", "5"},
		"full":              {store.ErrFull, "too_many_uses", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			a.uses = faultyUses{use: func() error { return c.err }}
			h := newTokenHandler(l.browsers.service, l.logins, l.Server.log)
			h.grants[grantJWTBearer] = a.grant
			form := url.Values{"grant_type": {grantJWTBearer}, "assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, pathToken, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			wantRefusal(t, w, http.StatusServiceUnavailable, codeUnavailable)
			log := l.log.take()
			if w.Header().Get("Retry-After") != c.wait || !strings.Contains(log, `"reason":"`+c.reason+`"`) || strings.Contains(log+w.Body.String(), "db.example") {
				t.Errorf("Retry-After %q, log %s", w.Header().Get("Retry-After"), log)
			}
		})
	}
}

// TestExchangeWithoutAStore guards that a server that remembers nothing exchanges nothing, and does not say that it would.
func TestExchangeWithoutAStore(t *testing.T) {
	base := baseOf(func(b *config.Base) { b.Store.Type = config.StoreNone })
	l := newLab(t, render(t, base, 1, exchangePolicies(t)...))
	w := l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}})
	wantRefusal(t, w, http.StatusNotFound, codeNotFound)
	if got := l.send(t, "GET "+pathDiscovery+" HTTP/1.1\r\nHost: x\r\n\r\n"); got.StatusCode != http.StatusOK {
		t.Errorf("%d", got.StatusCode)
	}
}
