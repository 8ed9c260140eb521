// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// required gives the endpoints that a login needs, and leaves the others to discovery.
func required(op *optest.OP, edits ...func(*config.Provider)) func(*config.Provider) {
	return func(p *config.Provider) {
		p.SyncLogout = true
		p.OIDC.AuthorizationEndpoint, p.OIDC.TokenEndpoint, p.OIDC.JWKSEndpoint = op.URL(optest.PathAuthorize), op.URL(optest.PathToken), op.URL(optest.PathJWKS)
		for _, edit := range edits {
			edit(p)
		}
	}
}

// metadataAnswer is an OP whose metadata are answered with a status.
func metadataAnswer(status int) optest.Behaviour {
	return optest.Behaviour{Handlers: map[string]http.HandlerFunc{optest.PathMetadata: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }}}
}

// inUserInfoAlone leaves a claim out of ID tokens.
func inUserInfoAlone(b optest.Behaviour, claims ...string) optest.Behaviour {
	b.IDToken = func(c map[string]any) {
		for _, name := range claims {
			delete(c, name)
		}
	}
	return b
}

func (l *lab) logoutURL(t *testing.T) (string, bool) {
	t.Helper()
	return l.provider().LogoutURL(t.Context(), idp.Upstream{}, "", "")
}

// TestWhatIsNotGivenIsDiscovered: each endpoint that the administrator leaves out comes from the metadata, also where the others are given.
func TestWhatIsNotGivenIsDiscovered(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	op.Behave(inUserInfoAlone(optest.Behaviour{}, "name"))
	l := newLab(t, op, required(op))
	if err := l.ask(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the way to the provider does not prepare the callback", func() bool { return op.Calls(optest.PathMetadata) == 1 })
	if p := l.mustLogin(t); p.Name != "Jane Doe" || p.Partial || op.Calls(optest.PathUserInfo) != 1 {
		t.Errorf("userinfo is not discovered: %+v", p)
	}
	if u, ok := l.logoutURL(t); !ok || !strings.HasPrefix(u, op.URL(optest.PathEndSession)+"?") {
		t.Errorf("end_session_endpoint is not discovered: %q", u)
	}
	if s := l.provider().Status(); !s.Ready || s.Message != "" {
		t.Errorf("%+v", s)
	}
	// A callback without iss, which the metadata promise, is another provider's (RFC 9207).
	q, err := l.begin(t)
	if err != nil {
		t.Fatal(err)
	}
	q.Del("iss")
	if _, err := l.provider().Exchange(t.Context(), l.answer(q)); reasonOf(t, err) != idp.ReasonIssuerMismatch {
		t.Errorf("the promise of iss is not discovered: %v", err)
	}
	// Keys alone are left out.
	l = newLab(t, op, required(op, func(p *config.Provider) {
		p.OIDC.JWKSEndpoint, p.OIDC.UserInfoEndpoint = "", op.URL(optest.PathUserInfo)
	}))
	l.mustLogin(t)
}

// TestALoginGoesOnWithoutMetadata that it does not need, and says what it went without.
func TestALoginGoesOnWithoutMetadata(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusNotFound} {
		op := optest.Start(t, optest.Options{})
		op.Behave(inUserInfoAlone(metadataAnswer(status), "name"))
		l := newLab(t, op, required(op))
		p := l.mustLogin(t)
		if p.Username != "jane" || p.Name != "" || op.Calls(optest.PathUserInfo) != 0 {
			t.Errorf("%d: %+v", status, p)
		}
		if p.Partial != (status != http.StatusNotFound) { // who has no metadata has no userinfo either
			t.Errorf("%d: partial %v", status, p.Partial)
		}
		if u, ok := l.logoutURL(t); ok {
			t.Errorf("%d: logout at %s", status, u)
		}
		if s := l.provider().Status(); !s.Ready || !strings.Contains(s.Message, "discovery: ") || !strings.Contains(s.Message, "userInfoEndpoint") {
			t.Errorf("%d: %+v", status, s)
		}
		if again, err := l.provider().Refresh(t.Context(), p.Upstream); err != nil || again.Partial != p.Partial {
			t.Errorf("%d: a refresh: %v", status, err)
		}
		for range 600 { // ten minutes of a callback each second
			if err := l.provider().CheckIssuer(t.Context(), "", false); err != nil {
				t.Fatal(err)
			}
			l.clock.advance(time.Second)
		}
		if n := op.Calls(optest.PathMetadata); n > 16 {
			t.Errorf("%d: %d readings in ten minutes", status, n)
		}
		op.Behave(inUserInfoAlone(optest.Behaviour{}, "name"))
		l.clock.advance(5 * time.Minute)
		eventually(t, "metadata that are back are not found", func() bool {
			u, ok := l.logoutURL(t)
			return ok && u != ""
		})
		l.clock.advance(-15 * time.Minute) // back to when the OP issues its tokens
		if p := l.mustLogin(t); p.Name != "Jane Doe" || p.Partial {
			t.Errorf("%d: afterwards %+v", status, p)
		}
	}
}

// TestMetadataThatHangAreWaitedForOnce where a login can do without.
func TestMetadataThatHangAreWaitedForOnce(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	op.Behave(metadataAnswer(http.StatusBadGateway))
	l := newLab(t, op, required(op))
	l.mustLogin(t)
	release := make(chan struct{})
	defer close(release)
	op.Behave(metadataAnd(op, func(http.ResponseWriter) bool { <-release; return false }))
	l.clock.advance(5 * time.Minute)
	before := op.Calls(optest.PathMetadata)
	begun := time.Now()
	p := l.mustLogin(t)
	if took := time.Since(begun); took > 4*time.Second || p.Username != "jane" { // a first reading is waited for 5 s
		t.Errorf("the login took %v", took)
	}
	eventually(t, "the metadata are not read again", func() bool { return op.Calls(optest.PathMetadata) > before })
}

// TestWhatUserInfoWouldDecideIsNotDecidedWithoutIt: while nobody knows where to ask for it, nobody is let in for what it may say, nobody is told to be unwanted, and
// no session ends.
func TestWhatUserInfoWouldDecideIsNotDecidedWithoutIt(t *testing.T) {
	rule := func(expression string) func(*config.Provider) {
		return func(p *config.Provider) {
			p.Rules = []config.ClaimRule{{Expression: expression, Message: "only for the crew"}}
		}
	}
	for name, row := range map[string]struct {
		edit   func(*config.Provider)
		lacks  string // of ID tokens
		reason string
		tells  string
	}{
		"the username is in userinfo":       {func(*config.Provider) {}, "preferred_username", idp.ReasonUnavailable, "preferred_username"},
		"a rule that bars by userinfo":      {rule("!has(userinfo.banned)"), "", idp.ReasonUnavailable, "claimValidationRules[0]"},
		"a rule that admits by userinfo":    {rule("userinfo.email.endsWith('@corp.example')"), "", idp.ReasonUnavailable, "claimValidationRules[0]"},
		"a rule that bars by groups":        {rule("!('banned' in groups)"), "groups", idp.ReasonUnavailable, "claimValidationRules[0]"},
		"a rule over what the ID token has": {rule("'ops' in groups && claims.email.endsWith('@corp.example')"), "", "", ""},
		"a rule that is false in any case":  {rule("claims.email.endsWith('@other.example') && !has(userinfo.banned)"), "", idp.ReasonRule, "claimValidationRules[0]"},
		"userInfoEndpoint is given":         {func(p *config.Provider) { rule("!has(userinfo.banned)")(p); p.OIDC.UserInfoEndpoint = "given" }, "preferred_username", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			op := optest.Start(t, optest.Options{})
			l := newLab(t, op, required(op, row.edit, func(p *config.Provider) {
				if p.OIDC.UserInfoEndpoint != "" {
					p.OIDC.UserInfoEndpoint = op.URL(optest.PathUserInfo)
				}
			}))
			var u idp.Upstream
			if row.reason == idp.ReasonUnavailable {
				u = l.mustLogin(t).Upstream
				l.set = nil
				l.reload(t) // and all that was known is forgotten
			}
			op.Behave(inUserInfoAlone(metadataAnswer(http.StatusBadGateway), row.lacks))
			p, err := l.login(t)
			if reasonOf(t, err) != row.reason || errors.Is(err, idp.ErrUnavailable) != (row.reason == idp.ReasonUnavailable) {
				t.Fatalf("%v, want %q", err, row.reason)
			}
			if err == nil {
				if p.Partial != (name != "userInfoEndpoint is given") {
					t.Errorf("partial: %v", p.Partial)
				}
				return
			}
			if !strings.Contains(err.Error(), row.tells) {
				t.Errorf("%v does not tell of %s", err, row.tells)
			}
			if row.reason != idp.ReasonUnavailable {
				return
			}
			if !strings.Contains(err.Error(), "set userInfoEndpoint") || !strings.Contains(err.Error(), "502") {
				t.Errorf("%v tells neither cause nor fix", err)
			}
			kept, err := l.provider().Refresh(t.Context(), u)
			if errors.Is(err, idp.ErrEnded) || !errors.Is(err, idp.ErrUnavailable) || kept == nil || kept.Upstream.RefreshToken == u.RefreshToken {
				t.Errorf("a refresh: %v", err)
			}
		})
	}
	// Where there are no metadata at all, there is no userinfo, and rules see it empty.
	op := optest.Start(t, optest.Options{})
	op.Behave(metadataAnswer(http.StatusNotFound))
	newLab(t, op, required(op, rule("!has(userinfo.banned)"))).mustLogin(t)
}

// TestWithoutAnIssuerNothingIsDiscovered, whatever is left out.
func TestWithoutAnIssuerNothingIsDiscovered(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, required(op, func(p *config.Provider) { p.OIDC.Issuer, p.OIDC.Discovery = "", "" }))
	if p := l.mustLogin(t); p.Partial || op.Calls(optest.PathUserInfo)+op.Calls(optest.PathMetadata) != 0 {
		t.Errorf("%+v", p)
	}
	if s := l.provider().Status(); !s.Ready || s.Reason != keys.ReasonReady || s.Message != "" {
		t.Errorf("%+v", s)
	}
}
