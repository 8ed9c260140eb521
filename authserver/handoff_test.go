// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const appURI = "https://app.example/callback"

var appVerifier = strings.Repeat("v", 43)

// code makes an authorization code for bob.
func (f *frontend) code(t *testing.T) string {
	t.Helper()
	f.base.Login.RedirectURIs = []string{appURI}
	f.configure()
	bob, err := f.service.Authenticate(t.Context(), f.current, login.Credentials{Email: "bob@acme.example", Password: staffPassword})
	if err != nil {
		t.Fatal(err)
	}
	challenge := sha256.Sum256([]byte(appVerifier))
	code, err := f.service.NewCode(t.Context(), f.current, bob, login.Handoff{
		RedirectURI: appURI, Method: "S256", Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]),
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func exchangeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appURI}, "code_verifier": {appVerifier}}
}

func TestCodeGrant(t *testing.T) {
	f := newFrontend(t)
	form := exchangeForm(f.code(t))
	form.Set("client_id", "any")
	_, token := wantTokens(t, f.token(form.Encode()))
	_, token = wantTokens(t, f.token("grant_type=refresh_token&refresh_token="+token))
	wantRefusal(t, f.token(form.Encode()), http.StatusBadRequest, "invalid_grant")
	wantRefusal(t, f.token("grant_type=refresh_token&refresh_token="+token), http.StatusBadRequest, "invalid_grant") // by the replay
}

func TestCodeGrantRefusesByTheContract(t *testing.T) {
	f := newFrontend(t)
	with := func(name string, values ...string) url.Values {
		form := exchangeForm(f.code(t))
		form[name] = values
		return form
	}
	for name, tt := range map[string]struct {
		form url.Values
		code string
	}{
		"no code":                   {with("code"), "invalid_request"},
		"an empty code":             {with("code", ""), "invalid_request"},
		"another code":              {with("code", strings.Repeat("A", 43)), "invalid_grant"},
		"two codes":                 {with("code", "a", "b"), "invalid_request"},
		"no redirect URI":           {with("redirect_uri"), "invalid_request"},
		"another redirect URI":      {with("redirect_uri", appURI+"/"), "invalid_grant"},
		"no verifier":               {with("code_verifier"), "invalid_request"},
		"a short verifier":          {with("code_verifier", appVerifier[1:]), "invalid_request"},
		"a long verifier":           {with("code_verifier", strings.Repeat("v", 129)), "invalid_request"},
		"a verifier with a slash":   {with("code_verifier", appVerifier+"/"), "invalid_request"},
		"a verifier with an umlaut": {with("code_verifier", appVerifier+"ü"), "invalid_request"},
		"another verifier":          {with("code_verifier", appVerifier+"v"), "invalid_grant"},
		"two verifiers":             {with("code_verifier", appVerifier, appVerifier), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.token(tt.form.Encode())
			wantRefusal(t, w, http.StatusBadRequest, tt.code)
			if strings.Contains(w.Body.String(), "vvvv") {
				t.Errorf("the answer repeats what was sent: %s", w.Body)
			}
		})
	}
	// What is refused for its form has not used up the code.
	form := with("code_verifier", "short")
	wantRefusal(t, f.token(form.Encode()), http.StatusBadRequest, "invalid_request")
	form.Set("code_verifier", appVerifier)
	wantTokens(t, f.token(form.Encode()))
}

func (f *frontend) revoke(body string) *httptest.ResponseRecorder {
	return f.send(http.MethodPost, pathRevoke, "application/x-www-form-urlencoded", strings.NewReader(body))
}

func TestRevocation(t *testing.T) {
	f := newFrontend(t)
	access, token := wantTokens(t, f.login(rightLogin))
	for _, body := range []string{"token=unknown", "token=" + access, "token=" + access + "&token_type_hint=access_token", "token=x&token_type_hint=saml2_bearer"} {
		if w := f.revoke(body); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	_, token = wantTokens(t, f.token("grant_type=refresh_token&refresh_token="+token))
	for range 2 {
		if w := f.revoke("token=" + token + "&token_type_hint=refresh_token"); w.Code != http.StatusOK {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	wantRefusal(t, f.token("grant_type=refresh_token&refresh_token="+token), http.StatusBadRequest, "invalid_grant")
	for name, tt := range map[string]struct {
		w      *httptest.ResponseRecorder
		status int
	}{
		"no token":            {f.revoke(""), 400},
		"two tokens":          {f.revoke("token=a&token=b"), 400},
		"a token in the path": {f.send(http.MethodPost, pathRevoke+"?token=a", "application/x-www-form-urlencoded", strings.NewReader("")), 400},
		"JSON":                {f.send(http.MethodPost, pathRevoke, "application/json", strings.NewReader(`{"token":"a"}`)), 415},
		"GET":                 {f.send(http.MethodGet, pathRevoke, "", nil), 405},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, tt.w, tt.status, "invalid_request") })
	}
	f.service.Store = unavailable{f.service.Store}
	w := f.revoke("token=" + token)
	wantRefusal(t, w, http.StatusServiceUnavailable, "temporarily_unavailable")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// unavailable is a store whose database is away.
type unavailable struct{ login.Store }

func (unavailable) RevokeFamily(_ context.Context, _ store.Hash) error {
	return fmt.Errorf("x: %w", store.ErrUnavailable)
}

func (unavailable) Counters(_ context.Context, _ []store.CounterKey, _ time.Time) ([]store.Counter, error) {
	return nil, fmt.Errorf("x: %w", store.ErrUnavailable)
}

func (unavailable) Family(_ context.Context, _ store.Hash, _ time.Time) (store.Family, error) {
	return store.Family{}, fmt.Errorf("x: %w", store.ErrUnavailable)
}

// TestAnUnavailableStoreIsToldToClientsOnly guards that an outage answers 503 with Retry-After everywhere, and fills no disk.
func TestAnUnavailableStoreIsToldToClientsOnly(t *testing.T) {
	f := newFrontend(t)
	f.service.Store = unavailable{f.service.Store}
	for range 10 {
		for _, w := range []*httptest.ResponseRecorder{f.login(rightLogin), f.token("grant_type=refresh_token&refresh_token=" + strings.Repeat("A", 64))} {
			wantRefusal(t, w, http.StatusServiceUnavailable, "temporarily_unavailable")
			if w.Header().Get("Retry-After") != "5" {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
		}
	}
	if f.log.Len() > 0 {
		t.Errorf("logged: %s", &f.log)
	}
}

func (f *frontend) userInfo(method string, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, pathUserInfo, nil)
	r.Header["Authorization"] = authorization
	w := httptest.NewRecorder()
	f.serve(w, r, r.URL.Path)
	return w
}

func TestUserInfo(t *testing.T) {
	f := newFrontend(t)
	f.base.Providers[0].Password.Users[0].Groups, f.base.Providers[0].Password.Users[0].Name = []string{"dev", "ops"}, "Bob B"
	f.configure()
	access, token := wantTokens(t, f.login(rightLogin))
	bob, err := f.service.Authenticate(t.Context(), f.current, login.Credentials{Email: "bob@acme.example", Password: staffPassword})
	if err != nil {
		t.Fatal(err)
	}
	ofBob := map[string]any{"sub": bob.Subject, "preferred_username": "bob", "email": "bob@acme.example", "name": "Bob B", "groups": []any{"dev", "ops"}, "organization": "acme"}
	ofSue := map[string]any{"sub": "1", "preferred_username": "sue", "email": "sue@acme.example", "email_verified": false, "organization": "acme"}
	sue := &login.Account{Subject: "1", Username: "sue", Email: "sue@acme.example", Organization: "acme", Ref: login.Ref{User: "1"}}
	for name, tt := range map[string]struct {
		authorization []string
		session       *login.Account
		fault         error
		status        int
		want          map[string]any
		challenge     string
	}{
		"bearer":                          {authorization: []string{"Bearer " + access}, status: 200, want: ofBob},
		"bearer in lower case":            {authorization: []string{"bearer  " + access}, status: 200, want: ofBob},
		"session":                         {session: sue, status: 200, want: ofSue},
		"session of a user of the Secret": {session: bob, status: 200, want: ofBob},
		"bearer before session":           {authorization: []string{"Bearer " + access}, session: sue, status: 200, want: ofBob},
		"another scheme, and session":     {authorization: []string{"Basic Ym9iOng="}, session: sue, status: 200, want: ofSue},
		"bad bearer before session":       {authorization: []string{"Bearer x"}, session: sue, status: 401, challenge: challengeInvalid},
		"empty bearer before session":     {authorization: []string{"Bearer"}, session: sue, status: 401, challenge: challengeInvalid},
		"refresh token":                   {authorization: []string{"Bearer " + token}, status: 401, challenge: challengeInvalid},
		"twice":                           {authorization: []string{"Bearer " + access, "Bearer " + access}, session: sue, status: 401, challenge: challengeInvalid},
		"nothing":                         {status: 401, challenge: challenge},
		"ended session":                   {fault: login.ErrEnded, status: 401, challenge: challenge},
		"store away":                      {fault: store.ErrUnavailable, status: 503},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+" "+method, func(t *testing.T) {
				f.session = func(*http.Request) (*login.Account, error) { return tt.session, tt.fault }
				w := f.userInfo(method, tt.authorization...)
				body := answer(t, w)
				if w.Code != tt.status || w.Header().Get("WWW-Authenticate") != tt.challenge {
					t.Errorf("got %d, WWW-Authenticate %q", w.Code, w.Header().Get("WWW-Authenticate"))
				}
				if tt.status != http.StatusOK {
					wantRefusal(t, w, tt.status, map[int]string{401: "invalid_token", 503: "temporarily_unavailable"}[tt.status])
				} else if diff := cmp.Diff(tt.want, body); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestForwardedAddressesCountOnlyFromTrustedProxies guards that nobody escapes a lockout by what a header says, nor locks
// others out by it.
func TestForwardedAddressesCountOnlyFromTrustedProxies(t *testing.T) {
	attempt := func(f *frontend, pass, forwarded string) int {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/login", strings.NewReader(`{"email":"bob@acme.example","password":"`+pass+`"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		f.serve(w, r, r.URL.Path)
		return w.Code
	}
	direct := newFrontend(t)
	for i := range 10 {
		if got := attempt(direct, "wrong", fmt.Sprintf("198.51.100.%d", i)); got != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i+1, got)
		}
	}
	if got := attempt(direct, staffPassword, "203.0.113.1"); got != http.StatusTooManyRequests {
		t.Errorf("an invented address escaped the lockout: %d", got)
	}
	proxied := newFrontend(t)
	proxied.base.Login.TrustedProxies = []string{"192.0.2.0/24"} // where httptest's requests come from
	proxied.configure()
	for i := range 10 {
		if got := attempt(proxied, "wrong", fmt.Sprintf("203.0.113.%d, 198.51.100.7", i)); got != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i+1, got)
		}
	}
	if got := attempt(proxied, staffPassword, "203.0.113.200, 198.51.100.7"); got != http.StatusTooManyRequests {
		t.Errorf("an invented address escaped the lockout: %d", got)
	}
	if got := attempt(proxied, staffPassword, "198.51.100.8"); got != http.StatusOK {
		t.Errorf("another client of the proxy: %d", got)
	}
}

// FuzzParseForm guards that a form yields each parameter once, as it was sent, or nothing.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "a=1&a=2", "a", "=", "a=%zz", "a=1;b=2", "%61=1&a=2", "a=+%2B", "&&", "a=%ff"} {
		f.Add(seed, "")
	}
	f.Add("a=1", "a=2")
	f.Fuzz(func(t *testing.T, body, query string) {
		got, err := parseForm(body, query)
		if err != nil {
			if wrong, ok := errors.AsType[requestError](err); !ok || got != nil || !utf8.ValidString(wrong.Error()) {
				t.Fatalf("%v, %v", got, err)
			}
			return
		}
		again := url.Values{}
		for name, value := range got {
			again.Set(name, value)
		}
		want, err := url.ParseQuery(body)
		if err != nil || query != "" || !cmp.Equal(want, again) {
			t.Errorf("%q: %v, want %v", body, again, want)
		}
	})
}
