// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// renewals is the Sessions of a test.
type renewals struct {
	asked []string // sessions and keys
	do    func() error
}

func (r *renewals) Renew(_ context.Context, _ *Snapshot, session store.Hash, key []byte) error {
	r.asked = append(r.asked, string(session[:1])+string(key))
	if r.do == nil {
		return nil
	}
	return r.do()
}

// granted is what sue's browser hands off.
func granted(t *testing.T, w *world, a *Account, h Handoff) string {
	t.Helper()
	g, err := w.exchange(t, Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	return g.RefreshToken
}

// TestARefreshAsksTheProvider guards that the key of the provider's tokens comes through code and family, and what becomes of
// each answer.
func TestARefreshAsksTheProvider(t *testing.T) {
	away := errors.New("a fault")
	for name, tt := range map[string]struct {
		answer error
		want   error
		after  error // of the next refresh, which the provider allows
	}{
		"goes on":       {nil, nil, nil},
		"ended":         {ErrEnded, ErrInvalidGrant, ErrInvalidGrant},
		"ended, final":  {&EndedError{Reason: "x", Final: true}, ErrInvalidGrant, ErrInvalidGrant},
		"ended, so far": {&EndedError{Reason: "x"}, ErrInvalidGrant, nil},
		"a fault":       {away, away, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, a, h := newBrowser(t, "")
			token := granted(t, w, a, h)
			r := &renewals{do: func() error {
				u := federated()
				u.Username = "renamed"
				w.put(t, u)
				return tt.answer
			}}
			w.Sessions = r
			g, err := w.Refresh(t.Context(), w.snapshot(), token)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff([]string{"\x07" + string(upstreamKey)}, r.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if err == nil {
				if got := claims(t, g.AccessToken)["preferred_username"]; got != "renamed" {
					t.Errorf("the token does not say what the provider said: %v", got)
				}
				token = g.RefreshToken
			}
			r.do = nil
			if _, err := w.Refresh(t.Context(), w.snapshot(), token); !errors.Is(err, tt.after) {
				t.Errorf("afterwards: %v, want %v", err, tt.after)
			}
		})
	}
}

// TestARefreshKeepsItsSessionInUse guards that sessions without a provider to ask are told of too, and logins without one not.
func TestARefreshKeepsItsSessionInUse(t *testing.T) {
	w, a, h := newBrowser(t, "")
	h.Issue.Upstream = nil
	token := granted(t, w, a, h)
	r := &renewals{}
	w.Sessions = r
	w.refresh(t, token)
	if diff := cmp.Diff([]string{"\x07"}, r.asked); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	w.refresh(t, w.login(t, "bob@acme.example").RefreshToken)
	if len(r.asked) != 1 {
		t.Errorf("told %d times", len(r.asked))
	}
}

func TestTheEndOfASessionEndsItsTokens(t *testing.T) {
	w, a, h := newBrowser(t, "")
	token := granted(t, w, a, h)
	end(t, w)
	w.refused(t, "after the session", token)
}

// TestLoginsThroughAProviderNeedNoPassword guards that a password that comes and goes is nothing to them, and that disabling
// the user is.
func TestLoginsThroughAProviderNeedNoPassword(t *testing.T) {
	w, a, h := newBrowser(t, "")
	token := granted(t, w, a, h)
	w.put(t, sue())
	token = w.refresh(t, token).RefreshToken
	w.put(t, federated())
	token = w.refresh(t, token).RefreshToken
	w.base.Providers = slices.Clone(w.base.Providers)
	w.base.Providers[1].Organization = "acme"
	w.refused(t, "while the provider belongs to another organization", token)
	w.base.Providers[1].Organization = "globex"
	token = w.refresh(t, token).RefreshToken
	u := federated()
	u.Disabled = true
	w.put(t, u)
	w.refused(t, "disabled", token)
	w.put(t, federated())
	w.refused(t, "enabled again", token)
}
