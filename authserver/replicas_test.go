// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// TestTwoReplicasAreOneServer guards what replicas share: the operations token's keys, so that a login may begin at one and end at the other, and
// the store, so that a session counts and ends at both.
func TestTwoReplicasAreOneServer(t *testing.T) {
	dsn := postgres.Start(t)
	const secret = logs.Secret("an operations token of both replicas")
	w := newWorldWith(t, func(o *Options) { o.OpsToken = secret }, func(w *world) {
		w.base.Store = config.Store{Type: config.StorePostgreSQL, DSN: dsn}
	})
	replica := newLabWith(t, nil, func(o *Options) { o.Now, o.OpsToken = w.time, secret })
	if err := replica.Load(render(t, w.base, 1)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(replica.publicHandler)
	t.Cleanup(server.Close)
	other := func(there string) string { // the same URL at the replica; the browser's cookies know no ports
		u := must(url.Parse(there))
		u.Host = must(url.Parse(server.URL)).Host
		return u.String()
	}
	v := w.visitor(t)
	callback := v.callback("sso", "")
	if to := v.target(v.get(other(callback))); to != w.origin+"/account" {
		t.Fatalf("the replica leads to %s", to)
	}
	if got := v.get(callback); got.StatusCode != http.StatusBadRequest {
		t.Errorf("the callback at the first, afterwards: %d", got.StatusCode)
	}
	here, there := v.verify(), v.get(other(w.origin+"/verify")).StatusCode
	if here != http.StatusOK || there != http.StatusOK {
		t.Fatalf("the session: %d here, %d there", here, there)
	}
	if got := v.post("/logout", v.get(other(w.origin+"/account")).fields()); got.StatusCode != http.StatusOK {
		t.Errorf("the form of one posted to the other: %d", got.StatusCode)
	}
	w.pass(session.CheckInterval)
	if got := v.get(other(w.origin + "/verify")); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("ended here, and there: %d", got.StatusCode)
	}
}
