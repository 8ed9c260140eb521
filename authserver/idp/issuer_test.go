// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
)

// TestAnotherIssuerGetsNothing guards that a provider which becomes another one under its old name is sent no token that the first one gave.
func TestAnotherIssuerGetsNothing(t *testing.T) {
	before, after := optest.Start(t, optest.Options{}), optest.Start(t, optest.Options{})
	sync := func(p *config.Provider) { p.SyncLogout = true }
	u := newLab(t, before, sync).mustLogin(t).Upstream
	l := newLab(t, after, sync)
	p, err := l.provider().Refresh(t.Context(), u)
	if p != nil || !errors.Is(err, idp.ErrEnded) || after.Calls(optest.PathToken)+before.Calls(optest.PathToken) != 1 {
		t.Errorf("a refresh: %v, and the token endpoint was asked %d times", err, after.Calls(optest.PathToken))
	}
	target, ok := l.provider().LogoutURL(t.Context(), u, "https://auth.example/login", "st")
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if q := parsed.Query(); !ok || q.Has("id_token_hint") || q.Get("state") != "st" {
		t.Errorf("a logout: %s", target)
	}
	// Of what an earlier version kept nobody knows whose it is: the provider says.
	u.Issuer = ""
	if _, err := l.provider().Refresh(t.Context(), u); !errors.Is(err, idp.ErrEnded) || after.Calls(optest.PathToken) != 1 {
		t.Errorf("without an issuer: %v, asked %d times", err, after.Calls(optest.PathToken))
	}
}

// TestUnverifiedAddressesEndTheLogin, and the refresh of somebody whose address the provider no longer vouches for.
func TestUnverifiedAddressesEndTheLogin(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, func(p *config.Provider) { p.Mappings.Username = config.Source{Claims: []string{"email"}} })
	u := l.mustLogin(t).Upstream
	op.User["email_verified"] = false
	if _, err := l.login(t); reasonOf(t, err) != idp.ReasonEmailUnverified {
		t.Errorf("a login: %v", err)
	}
	if _, err := l.provider().Refresh(t.Context(), u); reasonOf(t, err) != idp.ReasonEmailUnverified || !errors.Is(err, idp.ErrEnded) {
		t.Errorf("a refresh: %v", err)
	}
	if p := newLab(t, op, nil).mustLogin(t); !p.EmailDenied || p.EmailVerified || p.Email == "" {
		t.Errorf("a login by another name: denied %v, verified %v", p.EmailDenied, p.EmailVerified)
	}
}
