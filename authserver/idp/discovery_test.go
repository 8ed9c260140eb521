// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

func (l *lab) ask(ctx context.Context) error {
	_, err := l.provider().AuthorizationURL(ctx, idp.Ask{State: state, Nonce: nonce, Challenge: challengeOf(verifier), RedirectURI: redirectURI})
	return err
}

// eventually polls until ok or the test's patience ends.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal(what)
		case <-tick.C:
		}
	}
}

// metadataAnd serves good metadata after f has had its way.
func metadataAnd(op *optest.OP, f func(w http.ResponseWriter) bool) optest.Behaviour {
	return optest.Behaviour{Handlers: map[string]http.HandlerFunc{optest.PathMetadata: func(w http.ResponseWriter, _ *http.Request) {
		if !f(w) {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": op.Issuer(), "authorization_endpoint": op.URL(optest.PathAuthorize), "token_endpoint": op.URL(optest.PathToken), "jwks_uri": op.URL(optest.PathJWKS),
		})
	}}}
}

// TestNothingIsFetchedBeforeALogin, and what then is serves all who wait.
func TestNothingIsFetchedBeforeALogin(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	if s := l.provider().Status(); s.Fetched || s.Reason != keys.ReasonNotYetFetched || op.Calls(optest.PathMetadata) != 0 {
		t.Fatalf("%+v", s)
	}
	release := make(chan struct{})
	op.Behave(metadataAnd(op, func(http.ResponseWriter) bool { <-release; return true }))
	var all sync.WaitGroup
	var failed atomic.Int32
	for range 20 {
		all.Go(func() {
			if l.ask(t.Context()) != nil {
				failed.Add(1)
			}
		})
	}
	eventually(t, "nobody asks for the metadata", func() bool { return op.Calls(optest.PathMetadata) > 0 })
	close(release)
	all.Wait()
	if n := op.Calls(optest.PathMetadata); n != 1 || failed.Load() != 0 {
		t.Errorf("%d readings for 20 logins at once, %d failed", n, failed.Load())
	}
	op.Behave(optest.Behaviour{})
	l.mustLogin(t)
	if s := l.provider().Status(); !s.Fetched || !s.Ready || s.Reason != keys.ReasonReady || s.Message != "" || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
}

// TestAProviderThatIsAwayIsAskedEverMoreRarely, and is back by itself.
func TestAProviderThatIsAwayIsAskedEverMoreRarely(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	op.Behave(metadataAnd(op, func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return false }))
	for range 600 { // ten minutes of a login each second
		if err := l.ask(t.Context()); !errors.Is(err, idp.ErrUnavailable) {
			t.Fatal(err)
		}
		l.clock.advance(time.Second)
	}
	if n := op.Calls(optest.PathMetadata); n < 6 || n > 16 {
		t.Errorf("%d readings in ten minutes", n)
	}
	if s := l.provider().Status(); s.Ready || s.Reason != keys.ReasonBadStatus || !strings.Contains(s.Message, "502") {
		t.Errorf("%+v", s)
	}
	op.Behave(optest.Behaviour{})
	l.clock.advance(5 * time.Minute)
	if err := l.ask(t.Context()); err != nil {
		t.Errorf("it is not found back: %v", err)
	}
}

// TestMetadataAreReadAgain in the background of a login once they are ten minutes old, and serve for a day when that fails.
func TestMetadataAreReadAgain(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	l.mustLogin(t)
	l.clock.advance(9 * time.Minute)
	if err := l.ask(t.Context()); err != nil || op.Calls(optest.PathMetadata) != 2 { // one of them is the key engine's
		t.Fatalf("%v, %d readings", err, op.Calls(optest.PathMetadata))
	}
	op.Behave(metadataAnd(op, func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return false }))
	l.clock.advance(2 * time.Minute)
	if err := l.ask(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the metadata are not read again", func() bool { return l.provider().Status().Reason == keys.ReasonBadStatus })
	l.clock.advance(22 * time.Hour)
	if err := l.ask(t.Context()); err != nil {
		t.Errorf("after 22 hours: %v", err)
	}
	l.clock.advance(3 * time.Hour)
	eventually(t, "metadata of the day before still serve", func() bool { return errors.Is(l.ask(t.Context()), idp.ErrUnavailable) })
}

// TestAProviderThatHangsCostsItsOwnUsersOnly: who gives up is let go, others are not touched, a reload does not wait.
func TestAProviderThatHangsCostsItsOwnUsersOnly(t *testing.T) {
	hangs, works := optest.Start(t, optest.Options{}), optest.Start(t, optest.Options{})
	release := make(chan struct{})
	defer close(release)
	hangs.Behave(metadataAnd(hangs, func(http.ResponseWriter) bool { <-release; return false }))
	l := newLab(t, hangs, nil)
	other := providerOf(works)
	other.Object, other.Name, other.CABundle = "IdentityProvider/default/works", "works", "works"
	l.base.Bundles["works"] = works.CABundle()
	l.base.Providers = append(l.base.Providers, other)
	l.reload(t)

	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- l.ask(ctx) }()
	eventually(t, "nobody asks for the metadata", func() bool { return hangs.Calls(optest.PathMetadata) == 1 })
	_, err := l.set.Get("works").AuthorizationURL(t.Context(), idp.Ask{State: state, Nonce: nonce, Challenge: challengeOf(verifier), RedirectURI: redirectURI})
	if err != nil {
		t.Errorf("the other provider: %v", err)
	}
	l.reload(t)
	cancel()
	if err := <-gone; !errors.Is(err, idp.ErrUnavailable) {
		t.Error(err)
	}
}

// TestMetadataDowngradeNothing: what came by https names no endpoint with http, where the network could read codes and tokens, although that endpoint would answer.
func TestMetadataDowngradeNothing(t *testing.T) {
	plain := optest.Start(t, optest.Options{Plain: true})
	for name, path := range map[string]string{
		"authorization_endpoint": optest.PathAuthorize, "token_endpoint": optest.PathToken,
		"userinfo_endpoint": optest.PathUserInfo, "end_session_endpoint": optest.PathEndSession,
	} {
		op := optest.Start(t, optest.Options{})
		op.Behave(optest.Behaviour{Metadata: func(m map[string]any) { m[name] = plain.URL(path) }})
		l := newLab(t, op, nil)
		if err := l.ask(t.Context()); !errors.Is(err, idp.ErrUnavailable) || !strings.Contains(err.Error(), name+" is http:// although the metadata came by https://") {
			t.Errorf("%s: %v", name, err)
		}
		if s := l.provider().Status(); s.Ready || s.Reason != keys.ReasonBadContent {
			t.Errorf("%s: %+v", name, s)
		}
	}
	newLab(t, plain, nil).mustLogin(t) // where the metadata come by http, which only outbound.allowedCIDRs lets happen
}

// TestReloadKeepsWhatIsKnown of providers that did not change, and the metadata also of those that did.
func TestReloadKeepsWhatIsKnown(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	l.mustLogin(t)
	before, readings := l.provider(), op.Calls(optest.PathMetadata)

	l.base = &config.Base{Bundles: l.base.Bundles, Providers: []config.Provider{providerOf(op)}}
	l.reload(t)
	if l.provider() != before {
		t.Error("a provider that did not change was made anew")
	}
	p := providerOf(op)
	p.DisplayName = "Another name"
	p.Rules = []config.ClaimRule{{Expression: "false"}}
	l.base = &config.Base{Bundles: l.base.Bundles, Providers: []config.Provider{p}}
	l.reload(t)
	if _, err := l.login(t); reasonOf(t, err) != idp.ReasonRule || l.provider().Config().DisplayName != "Another name" {
		t.Errorf("the change does not count: %v", err)
	}
	if n := op.Calls(optest.PathMetadata); n != readings {
		t.Errorf("the metadata were read %d times more", n-readings)
	}
	l.base = &config.Base{Bundles: map[string]string{}, Providers: []config.Provider{p}} // trust has gone
	l.base.Providers[0].CABundle = ""
	l.reload(t)
	if _, err := l.login(t); reasonOf(t, err) != idp.ReasonUnavailable {
		t.Errorf("metadata of another reach serve: %v", err)
	}
	l.base.Providers = nil
	l.base = &config.Base{}
	l.reload(t)
	if l.provider() != nil || len(l.set.All()) != 0 {
		t.Error("a removed provider is still there")
	}
}

// TestSetFindsItsProviders in the configuration's order, and leaves those with passwords to others.
func TestSetFindsItsProviders(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	second := providerOf(op)
	second.Object, second.Name = "IdentityProvider/default/a", "a"
	l.base.Providers = append(l.base.Providers, second, config.Provider{Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, Password: &config.Password{}})
	l.reload(t)
	var names []string
	for _, p := range l.set.All() {
		names = append(names, p.Config().Name)
	}
	if strings.Join(names, " ") != "sso a" || l.set.ByObject("IdentityProvider/default/a") != l.set.Get("a") || l.set.Get("staff") != nil {
		t.Error(names)
	}
	if remotes := l.set.Remotes(); len(remotes) != 1 { // both are of one issuer
		t.Errorf("%d key sources", len(remotes))
	}
	var none *idp.Set
	if none.Get("a") != nil || none.ByObject("a") != nil || none.All() != nil || len(none.Remotes()) != 0 {
		t.Error("a nil set is not empty")
	}
	l.base.Providers = append(l.base.Providers, config.Provider{Object: "IdentityProvider/default/new", Name: "new", Type: "SAML"})
	if _, err := idp.NewSet(nil, l.base, l.options); err == nil || !strings.Contains(err.Error(), "IdentityProvider/default/new") {
		t.Errorf("a provider of an unknown type: %v", err)
	}
}

// TestKeyRotationBetweenLogins: the new key is found at once, and a key ID of nobody makes no flood of fetches.
func TestKeyRotationBetweenLogins(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	l.mustLogin(t)
	op.Rotate()
	l.mustLogin(t)
	if n := op.Calls(optest.PathJWKS); n != 2 {
		t.Errorf("%d fetches of keys for one rotation", n)
	}
	op.Behave(optest.Behaviour{IDTokenHeader: func(h map[string]any) { h["kid"] = "never published" }})
	for range 20 {
		if _, err := l.login(t); err == nil {
			t.Fatal("logged in")
		}
	}
	if n := op.Calls(optest.PathJWKS); n > 3 {
		t.Errorf("%d fetches of keys", n)
	}
}

// TestAddressesThatMayNotBeDialled: the provider's URLs are as hostile as a tenant's.
func TestAddressesThatMayNotBeDialled(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	l.options.ExtraAllowedCIDRs, l.set = nil, nil
	l.reload(t)
	if _, err := l.login(t); reasonOf(t, err) != idp.ReasonUnavailable || !strings.Contains(err.Error(), "allowedCIDRs") {
		t.Error(err)
	}
	if s := l.provider().Status(); s.Reason != keys.ReasonAddressNotAllowed {
		t.Errorf("%+v", s)
	}
}
