// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// verify asks for a decision without a network, from any goroutine.
func (l *lab) verify(tenant, token string) int {
	r := httptest.NewRequest(http.MethodGet, "/verify/"+tenant, nil)
	r.Header.Set("X-Jwt-Token", token)
	w := httptest.NewRecorder()
	l.publicHandler.ServeHTTP(w, r)
	return w.Code
}

// TestReloadsUnderLoad guards that a policy that stays decides all the time, while others change, go, come back and move
// between files, and that each of these is in force when the load returns.
func TestReloadsUnderLoad(t *testing.T) {
	c := cast()
	acme, globex, mallory := c.acme.sign(t, nil, acmeClaims), c.globex.sign(t, nil, globexClaims), c.mallory.sign(t, nil, globexClaims)
	before := policies(t)
	var stays, changes config.Policy
	for _, p := range before {
		switch p.TenantID {
		case "acme":
			stays = p
		case "globex":
			changes = p
		}
	}
	other := changes
	other.Issuers = []config.Issuer{inline(t, changes.Issuers[0].Issuer, c.mallory)}
	other.Algorithms = []string{"RS256"}
	states := []struct {
		files           map[string][]byte
		globex, mallory int
	}{
		{render(t, baseOf(nil), 2, stays, changes), 200, 401},
		{render(t, baseOf(nil), 2, stays, other), 401, 200},
		{render(t, baseOf(nil), 2, stays), 401, 401},
		{render(t, baseOf(nil), 1, stays, other), 401, 200},
		{render(t, baseOf(nil), 4, stays, changes), 200, 401},
		{render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"10.0.0.0/8"} }), 2, stays, changes), 200, 401},
	}
	l := newLab(t, states[0].files)
	end := make(chan struct{})
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if got := l.verify("acme", acme); got != 200 {
					t.Errorf("the policy that stays answered %d", got)
					return
				}
			}
		})
	}
	for i := range 10 * len(states) {
		s := &states[i*5%len(states)]
		if i >= 5*len(states) { // the one way round, then the other
			s = &states[i%len(states)]
		}
		if err := l.Load(s.files); err != nil {
			t.Fatal(err)
		}
		if got := [2]int{l.verify("globex", globex), l.verify("globex", mallory)}; got != [2]int{s.globex, s.mallory} {
			t.Errorf("load %d: decisions %v, want %d and %d", i, got, s.globex, s.mallory)
		}
	}
	close(end)
	asking.Wait()
}

// TestReloadsChangeWhatIsReached guards that a policy whose text stays is reached by what the configuration says now: its
// bundle, the server's bundle and networks, and that its keys are named to the engine.
func TestReloadsChangeWhatIsReached(t *testing.T) {
	one, two := newKeyServer(t, httptest.NewTLSServer).authority(), "another"
	const uri = "https://idp.example/keys"
	plain, own := remote("plain", uri, "", "RS256"), remote("own", uri, one, "RS256")
	l := newLab(t, render(t, baseOf(nil), 1, plain, own))
	check := func(what, cidrs string, bundles map[string]string) {
		t.Helper()
		named := l.snapshot.Load().policies.Remotes()
		for tenant, pem := range bundles {
			src := l.snapshot.Load().policies.Policy(tenant).Remotes()[0]
			if src.AllowedCIDRs != cidrs || src.CABundle != outbound.NewBundle(pem) {
				t.Errorf("%s: %s is reached by networks %q and %d bytes of CAs", what, tenant, src.AllowedCIDRs, len(src.CABundle.PEM()))
			}
			if _, ok := named[src]; !ok {
				t.Errorf("%s: %s is not named", what, tenant)
			}
			known := false
			for s := range l.keys.All() {
				known = known || s == src
			}
			if !known {
				t.Errorf("%s: the engine does not know %s", what, tenant)
			}
		}
	}
	check("at first", "", map[string]string{"plain": "", "own": one})
	load := func(files map[string][]byte) {
		t.Helper()
		if err := l.Load(files); err != nil {
			t.Fatal(err)
		}
	}
	own.CABundle = two
	load(render(t, baseOf(nil), 1, plain, own))
	check("another bundle", "", map[string]string{"plain": "", "own": two})
	base := baseOf(func(b *config.Base) {
		b.Outbound = config.Outbound{AllowedCIDRs: []string{"10.0.0.0/8"}, CABundle: one}
	})
	load(render(t, base, 1, plain, own))
	check("another base", "10.0.0.0/8", map[string]string{"plain": one, "own": two})
	// A shard that cannot be read stays as it was, and follows the base all the same.
	files := maps.Clone(render(t, baseOf(nil), 1, plain, own))
	files[config.TenantsFile(1, 0)] = []byte("{")
	if err := l.Load(files); err == nil {
		t.Error("a bad file was not told")
	}
	check("a bad file", "", map[string]string{"plain": "", "own": two})
}
