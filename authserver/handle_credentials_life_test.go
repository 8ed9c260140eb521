// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// TestOneFetchForAll guards that two hundred callers who find no token cause one request.
func TestOneFetchForAll(t *testing.T) {
	e := tokenEndpoint(t)
	l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs)))
	headers := dev(t)
	var wg sync.WaitGroup
	answers := make([]asked, 200)
	for i := range answers {
		wg.Go(func() { answers[i] = l.get(t, "/credentials/api", headers...) })
	}
	wg.Wait()
	for _, a := range answers {
		if a.status != 200 || a.given(t) != e.Tokens()[0] {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if e.Requests() != 1 {
		t.Errorf("%d requests", e.Requests())
	}
}

// TestCredentialsAcrossReloads guards that a token outlives changes that are not its own, an attempt under way included, and no change of its own.
func TestCredentialsAcrossReloads(t *testing.T) {
	e := tokenEndpoint(t)
	api := credentialOf("api", e.URL(), devs)
	load := func(l *lab, credentials ...config.Credential) {
		t.Helper()
		if err := l.Load(renderWith(t, policies(t), credentials...)); err != nil {
			t.Fatal(err)
		}
	}
	l := newLab(t, renderWith(t, policies(t), api))
	first := l.get(t, "/credentials/api", dev(t)...).given(t)

	other := credentialOf("other", e.URL(), "")
	load(l, api, other)
	if again := l.get(t, "/credentials/api", dev(t)...).given(t); again != first {
		t.Error("the token went with a change of another credential")
	}
	api.AllowedCallers = "username == 'eve'"
	load(l, api)
	if a := l.get(t, "/credentials/api", dev(t)...); a.status != 404 {
		t.Errorf("somebody who was admitted before a change is admitted still: %d", a.status)
	}
	api.AllowedCallers = devs
	load(l, api)
	if again := l.get(t, "/credentials/api", dev(t)...).given(t); again == first {
		t.Error("a credential that changed kept its token")
	}
	load(l)
	if a := l.get(t, "/credentials/api", dev(t)...); a.status != 404 {
		t.Errorf("removed: %d", a.status)
	}
	if c := l.ofCredential(t, "api"); c.Status != "" {
		t.Errorf("removed: %+v", c)
	}

	// While a request is under way.
	hold, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	e.Misbehave(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(held) })
		<-hold
		tokenendpoint.Answer(200, `{"access_token":"slow","token_type":"Bearer","expires_in":3600}`)(w, r)
	})
	load(l, api)
	before := e.Requests()
	answers := make(chan asked, 2)
	headers := dev(t)
	go func() { answers <- l.get(t, "/credentials/api", headers...) }()
	<-held
	load(l, api, other)
	go func() { answers <- l.get(t, "/credentials/api", headers...) }()
	close(hold)
	for range 2 {
		if a := <-answers; a.given(t) != "slow" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if n := e.Requests() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestCredentialAboutToExpire guards that nobody is given a token that ends within the second.
func TestCredentialAboutToExpire(t *testing.T) {
	var past atomic.Int64
	l := newLabWith(t, renderWith(t, policies(t), func() config.Credential {
		c := plainCredential("api", devs)
		c.Lifetime = config.Duration(10 * time.Second)
		return c
	}()), func(o *Options) { o.Now = func() time.Time { return now.Add(time.Duration(past.Load())) } })
	l.get(t, "/credentials/api", dev(t)...).given(t)
	past.Store(int64(3500 * time.Millisecond))
	var body struct {
		ExpiresIn int64 `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(l.get(t, "/credentials/api", dev(t)...).body), &body); err != nil || body.ExpiresIn != 6 {
		t.Errorf("%+v, %v: want 6 whole seconds", body, err)
	}
	past.Store(int64(9500 * time.Millisecond)) // renewed behind the first of these answers, which is too short
	if a := l.get(t, "/credentials/api", dev(t)...); (a.status != 200 || strings.Contains(a.body, `"expires_in":0`)) && (a.status != 503 || a.header.Get("Retry-After") != "1") {
		t.Errorf("half a second before the end: %d %v %s", a.status, a.header, a.body)
	}
	eventually(t, "a token to be renewed", func() bool { return l.get(t, "/credentials/api", dev(t)...).status == 200 })
}
