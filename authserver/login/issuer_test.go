// SPDX-License-Identifier: Apache-2.0

package login

import (
	"errors"
	"slices"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestLoginsEndWithTheirIssuer guards that who logged in at an issuer is not taken for logged in at the next one of the provider's name: neither by session nor by
// code or refresh token. A login of an earlier version, which did not note its issuer, goes on.
func TestLoginsEndWithTheirIssuer(t *testing.T) {
	for name, change := range map[string]func(p *config.Provider){
		"another issuer": func(p *config.Provider) { p.OIDC.Issuer = "https://new.example" },
		"another protocol": func(p *config.Provider) {
			p.OIDC, p.OAuth2 = nil, &config.OAuth2{UserInfoEndpoint: "https://old.example/u"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, h := newBrowser(t, "")
			h.Issue.Session, h.Issue.Upstream = [32]byte{}, nil
			p := &w.base.Providers[len(w.base.Providers)-1]
			p.OIDC.Issuer = "https://old.example/realm"
			a := AccountOf(federated(), w.snapshot().Provider("default/sso"))
			code := w.code(t, a, h)
			g, err := w.exchange(t, Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier})
			if err != nil {
				t.Fatal(err)
			}
			before := w.snapshot()
			w.base.Providers = slices.Clone(w.base.Providers) // before goes on seeing what it was made from
			p = &w.base.Providers[len(w.base.Providers)-1]
			p.OIDC = &config.OIDC{}
			change(p)
			_, err = w.Current(t.Context(), w.snapshot(), a.Provider, a.Subject, a.Ref)
			ended, ok := errors.AsType[*EndedError](err)
			if !ok || ended.Final { // another replica may have the configuration already
				t.Errorf("a session: %v", err)
			}
			if _, err := w.exchange(t, Exchange{Code: code, RedirectURI: redirectURI, Verifier: verifier}); !errors.Is(err, ErrInvalidGrant) {
				t.Errorf("a code: %v", err)
			}
			w.refused(t, "a refresh token", g.RefreshToken)
			if _, err := w.Refresh(t.Context(), before, g.RefreshToken); err != nil {
				t.Errorf("with the issuer as it was: %v", err)
			}
			a.Ref.Issuer = ""
			if now, err := w.Current(t.Context(), w.snapshot(), a.Provider, a.Subject, a.Ref); err != nil || now.Ref.Issuer == "" {
				t.Errorf("a login of an earlier version: %v", err)
			}
		})
	}
}

// TestDeniedAddressesAreNotTold guards that no token calls an address the user's which a provider spoke against.
func TestDeniedAddressesAreNotTold(t *testing.T) {
	for _, c := range []struct {
		verified bool
		by       string
		want     any
	}{{true, "default/sso", "Sue@Acme.example"}, {false, "", "Sue@Acme.example"}, {false, "default/sso", nil}} {
		w, _, _ := newBrowser(t, "")
		u := federated()
		u.EmailVerified, u.EmailProvider = c.verified, c.by
		w.put(t, u)
		a, err := w.Current(t.Context(), w.snapshot(), "default/sso", u.ID, Ref{User: u.ID})
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := w.AccessToken(w.snapshot(), a, w.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := claims(t, token)["email"]; got != c.want {
			t.Errorf("verified %v by %q: the token has %v", c.verified, c.by, got)
		}
	}
}
