// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// TestRefreshSeesThePersonAsTheyAreNow, and rotates the refresh token, which the OP takes once.
func TestRefreshSeesThePersonAsTheyAreNow(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	first := l.mustLogin(t)
	op.User["name"] = "Jane Roe"
	second, err := l.provider().Refresh(t.Context(), first.Upstream)
	if err != nil {
		t.Fatal(err)
	}
	if second.Name != "Jane Roe" || second.Subject != first.Subject || second.SessionHash != first.SessionHash {
		t.Errorf("%+v", second)
	}
	if second.Upstream.RefreshToken == first.Upstream.RefreshToken || second.Upstream.RefreshToken == "" {
		t.Error("the refresh token was not replaced")
	}
	if _, err := l.provider().Refresh(t.Context(), first.Upstream); !errors.Is(err, idp.ErrEnded) {
		t.Errorf("a used refresh token: %v", err)
	}
	if _, err := l.provider().Refresh(t.Context(), second.Upstream); err != nil {
		t.Error(err)
	}
}

// TestRefreshWithoutAnIDToken goes on with the last one's claims and the new userinfo, and with the refresh token where no new one came.
func TestRefreshWithoutAnIDToken(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	first := l.mustLogin(t)
	l.clock.advance(time.Hour) // long after the ID token's exp
	op.Behave(optest.Behaviour{
		TokenAnswer: func(a map[string]any) { delete(a, "id_token"); delete(a, "refresh_token") },
		UserInfo:    func(c map[string]any) { c["phone"] = "new" },
	})
	second, err := l.provider().Refresh(t.Context(), first.Upstream)
	if err != nil {
		t.Fatal(err)
	}
	if second.Username != "jane" || second.Upstream.IDToken != first.Upstream.IDToken || second.Upstream.RefreshToken != first.Upstream.RefreshToken {
		t.Errorf("%+v", second)
	}
}

// TestRefreshEnds tells what ends a session from what does not: a provider that is away, or that does not know the client.
func TestRefreshEnds(t *testing.T) {
	token := func(f func(map[string]any)) optest.Behaviour { return optest.Behaviour{IDToken: f} }
	answers := func(status int, code string) optest.Behaviour {
		return optest.Behaviour{Handlers: map[string]http.HandlerFunc{optest.PathToken: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"error":%q}`, code)
		}}}
	}
	for name, row := range map[string]struct {
		behaviour optest.Behaviour
		upstream  func(*idp.Upstream)
		is        error // nil: neither ended nor away
		reason    string
	}{
		"another sub":          {token(func(c map[string]any) { c["sub"] = "somebody else" }), nil, idp.ErrEnded, idp.ReasonIDTokenSubject},
		"another iss":          {token(func(c map[string]any) { c["iss"] = "https://evil.example" }), nil, idp.ErrEnded, idp.ReasonIDTokenIssuer},
		"one more aud":         {token(func(c map[string]any) { c["aud"], c["azp"] = []any{c["aud"], "x"}, c["aud"] }), nil, idp.ErrEnded, idp.ReasonIDTokenAudience},
		"another nonce":        {token(func(c map[string]any) { c["nonce"] = "x" }), nil, idp.ErrEnded, idp.ReasonNonce},
		"the same nonce":       {token(func(c map[string]any) { c["nonce"] = nonce }), nil, nil, ""},
		"bad signature":        {optest.Behaviour{Signature: func(_ string, s []byte) []byte { s[3] ^= 1; return s }}, nil, idp.ErrEnded, idp.ReasonIDToken},
		"userinfo of another":  {optest.Behaviour{UserInfo: func(c map[string]any) { c["sub"] = "x" }}, nil, idp.ErrEnded, idp.ReasonUserInfoSubject},
		"a rule":               {token(func(c map[string]any) { c["email"] = "jane@left.example" }), nil, idp.ErrEnded, idp.ReasonRule},
		"no username":          {optest.Behaviour{IDToken: func(c map[string]any) { delete(c, "preferred_username") }, UserInfo: func(c map[string]any) { delete(c, "preferred_username") }}, nil, idp.ErrEnded, idp.ReasonUsername},
		"invalid_grant":        {answers(http.StatusBadRequest, "invalid_grant"), nil, idp.ErrEnded, idp.ReasonTokenEndpoint},
		"away":                 {answers(http.StatusBadGateway, "invalid_grant"), nil, idp.ErrUnavailable, idp.ReasonUnavailable},
		"overloaded":           {answers(http.StatusTooManyRequests, ""), nil, idp.ErrUnavailable, idp.ReasonUnavailable},
		"client unknown":       {answers(http.StatusUnauthorized, "invalid_client"), nil, nil, idp.ReasonClientRefused},
		"userinfo away":        {optest.Behaviour{Handlers: map[string]http.HandlerFunc{optest.PathUserInfo: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }}}, nil, idp.ErrUnavailable, idp.ReasonUnavailable},
		"nothing to go by":     {optest.Behaviour{TokenAnswer: func(a map[string]any) { delete(a, "id_token") }}, func(u *idp.Upstream) { u.IDToken = "" }, idp.ErrEnded, idp.ReasonIDTokenMissing},
		"kept token of others": {optest.Behaviour{}, func(u *idp.Upstream) { u.Subject = "somebody else" }, idp.ErrEnded, idp.ReasonIDToken},
		"no refresh token":     {optest.Behaviour{}, func(u *idp.Upstream) { u.RefreshToken = "" }, idp.ErrNoRefresh, idp.ReasonEnded},
	} {
		t.Run(name, func(t *testing.T) {
			op := optest.Start(t, optest.Options{})
			l := newLab(t, op, func(p *config.Provider) {
				p.Rules = []config.ClaimRule{{Expression: "claims.email.endsWith('@corp.example')"}}
			})
			u := l.mustLogin(t).Upstream
			if row.upstream != nil {
				row.upstream(&u)
			}
			op.Behave(row.behaviour)
			_, err := l.provider().Refresh(t.Context(), u)
			if got := reasonOf(t, err); got != row.reason {
				t.Fatalf("%v, want %q", err, row.reason)
			}
			for _, is := range []error{idp.ErrEnded, idp.ErrUnavailable, idp.ErrNoRefresh} {
				if errors.Is(err, is) != errors.Is(row.is, is) {
					t.Errorf("%v: is %v: %v", err, is, errors.Is(err, is))
				}
			}
		})
	}
}

// TestARotatedRefreshTokenIsNotLost where what comes after it is away: the provider has spent the old one, and would end the session the next time.
func TestARotatedRefreshTokenIsNotLost(t *testing.T) {
	away := func(paths ...string) optest.Behaviour {
		b := optest.Behaviour{Handlers: map[string]http.HandlerFunc{}}
		for _, path := range paths {
			b.Handlers[path] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
		}
		return b
	}
	keysAway := away(optest.PathJWKS)
	keysAway.BeforeSigning = func(op *optest.OP) { op.Rotate() }
	same := away(optest.PathUserInfo)
	same.TokenAnswer = func(a map[string]any) { delete(a, "refresh_token") }
	tooLong := away(optest.PathUserInfo)
	tooLong.TokenAnswer = func(a map[string]any) { a["refresh_token"] = strings.Repeat("r", idp.MaxKeptRefreshToken+1) }
	for name, row := range map[string]struct {
		behaviour optest.Behaviour
		kept      bool // a new one
		works     bool
	}{
		"userinfo away":          {away(optest.PathUserInfo), true, true},
		"keys away":              {keysAway, true, true},
		"not rotated":            {same, false, false},
		"too long to keep":       {tooLong, true, false},
		"token endpoint away":    {away(optest.PathToken), false, true},
		"a refusal, not an away": {optest.Behaviour{UserInfo: func(c map[string]any) { c["sub"] = "x" }}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			op := optest.Start(t, optest.Options{})
			l := newLab(t, op, nil)
			u := l.mustLogin(t).Upstream
			op.Behave(row.behaviour)
			p, err := l.provider().Refresh(t.Context(), u)
			if err == nil || (p != nil) != row.kept || p != nil && !errors.Is(err, idp.ErrUnavailable) {
				t.Fatalf("a profile: %v, %v", p != nil, err)
			}
			next := u
			if p != nil {
				next = p.Upstream
				if diff := cmp.Diff(&idp.Profile{Upstream: next}, p); diff != "" {
					t.Errorf("there is more than the upstream: %s", diff)
				}
				if next.RefreshToken == u.RefreshToken || next.IDToken != u.IDToken || next.Subject != u.Subject || next.Issuer != u.Issuer {
					t.Error("it is not the login's with the new refresh token")
				}
			}
			op.Behave(optest.Behaviour{})
			engine := keys.New(keys.Options{}) // this one does not wait before it asks for keys again
			t.Cleanup(engine.Close)
			l.options.Keys, l.set = engine, nil
			l.reload(t)
			if _, err := l.provider().Refresh(t.Context(), next); (err == nil) != row.works {
				t.Errorf("when it is back: %v", err)
			}
		})
	}
}

// TestLongTokensAreNotKept, so that what is kept fits a session.
func TestLongTokensAreNotKept(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	op.Behave(optest.Behaviour{
		IDToken:     func(c map[string]any) { c["long"] = strings.Repeat("a", idp.MaxKeptIDToken) },
		TokenAnswer: func(a map[string]any) { a["refresh_token"] = strings.Repeat("r", idp.MaxKeptRefreshToken+1) },
	})
	p := newLab(t, op, nil).mustLogin(t)
	if u := p.Upstream; u.IDToken != "" || u.RefreshToken != "" || !u.Zero() || u.Subject == "" {
		t.Errorf("kept %d and %d bytes", len(u.IDToken), len(u.RefreshToken))
	}
}

// TestUpstreamShowsNothing, but is whole as JSON.
func TestUpstreamShowsNothing(t *testing.T) {
	u := idp.Upstream{Issuer: "i", Subject: "s", IDToken: "hunter2", RefreshToken: "hunter3", ExpiresAt: time.Unix(1, 0).UTC()}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("", "upstream", u, "pointer", &u, "profile", &idp.Profile{Upstream: u, Username: "jane"})
	}
	text := log.String() + fmt.Sprintf("%v %+v %#v %s %q %x %d %v", u, u, u, u, u, u, u, struct{ U idp.Upstream }{u})
	if strings.Contains(text, "hunter") || strings.Contains(text, fmt.Sprintf("%x", "hunter")) || strings.Contains(text, "jane") {
		t.Error(text)
	}
	encoded, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	var back idp.Upstream
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Fatal(err)
	}
	if back != u {
		t.Errorf("%s is not all of it", encoded)
	}
}

func TestLogoutURL(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, func(p *config.Provider) { p.SyncLogout = true })
	u := l.mustLogin(t).Upstream
	target, ok := l.provider().LogoutURL(t.Context(), u, "https://auth.example/login", "st")
	if !ok {
		t.Fatal("no URL")
	}
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"client_id": {op.Client().ID}, "id_token_hint": {u.IDToken}, "post_logout_redirect_uri": {"https://auth.example/login"}, "state": {"st"},
	}
	if diff := cmp.Diff(want, parsed.Query()); diff != "" || parsed.Path != optest.PathEndSession {
		t.Error(target, diff)
	}
	if target, ok := newLab(t, op, nil).provider().LogoutURL(t.Context(), u, "", ""); ok {
		t.Errorf("without syncLogout: %s", target)
	}
	op.Behave(optest.Behaviour{Metadata: func(m map[string]any) { delete(m, "end_session_endpoint") }})
	if target, ok := newLab(t, op, func(p *config.Provider) { p.SyncLogout = true }).provider().LogoutURL(t.Context(), u, "", ""); ok {
		t.Errorf("without an endpoint: %s", target)
	}
}

// TestBackChannelLogout goes through OpenID Connect Back-Channel Logout 1.0 §2.6.
func TestBackChannelLogout(t *testing.T) {
	const event = "http://schemas.openid.net/event/backchannel-logout"
	type m = map[string]any
	for name, row := range map[string]struct {
		edit func(claims, header m)
		good bool
	}{
		"whole":               {nil, true},
		"no typ":              {func(_, h m) { delete(h, "typ") }, true},
		"typ JWT":             {func(_, h m) { h["typ"] = "JWT" }, true},
		"sub alone":           {func(c, _ m) { delete(c, "sid") }, true},
		"sid alone":           {func(c, _ m) { delete(c, "sub") }, true},
		"neither":             {func(c, _ m) { delete(c, "sid"); delete(c, "sub") }, false},
		"typ at+jwt":          {func(_, h m) { h["typ"] = "at+jwt" }, false},
		"another iss":         {func(c, _ m) { c["iss"] = "https://evil.example" }, false},
		"another aud":         {func(c, _ m) { c["aud"] = "x" }, false},
		"no iat":              {func(c, _ m) { delete(c, "iat") }, false},
		"no exp":              {func(c, _ m) { delete(c, "exp") }, false},
		"exp passed":          {func(c, _ m) { c["exp"] = 1 }, false},
		"no jti":              {func(c, _ m) { delete(c, "jti") }, false},
		"nonce":               {func(c, _ m) { c["nonce"] = "n" }, false},
		"nonce empty":         {func(c, _ m) { c["nonce"] = "" }, false},
		"no events":           {func(c, _ m) { delete(c, "events") }, false},
		"events as a list":    {func(c, _ m) { c["events"] = []string{event} }, false},
		"another event":       {func(c, _ m) { c["events"] = m{"x": m{}} }, false},
		"event is no object":  {func(c, _ m) { c["events"] = m{event: true} }, false},
		"sid is a number":     {func(c, _ m) { c["sid"] = 7 }, false},
		"an ID token of hers": {func(c, h m) { delete(c, "events"); delete(c, "jti"); h["typ"] = "JWT"; c["nonce"] = nonce }, false},
	} {
		t.Run(name, func(t *testing.T) {
			op := optest.Start(t, optest.Options{})
			l := newLab(t, op, nil)
			p := l.mustLogin(t)
			raw := op.LogoutToken(row.edit)
			out, err := l.provider().BackChannelLogout(t.Context(), raw)
			if !row.good {
				if reasonOf(t, err) != idp.ReasonLogoutToken || out != (idp.Logout{}) {
					t.Errorf("%+v, %v", out, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			claims := optest.Decode(raw)
			if claims["sid"] != nil && out.Session != p.SessionHash || claims["sub"] != nil && out.Subject != p.SubjectHash {
				t.Error("it names another session or person than the login")
			}
			if again, err := l.provider().BackChannelLogout(t.Context(), raw); err != nil || again != out || out.ID == [32]byte{} {
				t.Errorf("the same token: %+v, %v", again, err)
			}
			if other, err := l.provider().BackChannelLogout(t.Context(), op.LogoutToken(row.edit)); err != nil || other.ID == out.ID {
				t.Errorf("another token has the same ID: %v", err)
			}
		})
	}
}
