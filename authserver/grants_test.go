// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// frontend is the endpoints that issue tokens, in a table of routes of their own, over a store in memory.
type frontend struct {
	routes
	base    config.Base
	signer  *issue.Signer
	current *login.Snapshot
	service *login.Service
	session func(*http.Request) (*login.Account, error) // of /userinfo
	log     bytes.Buffer
}

const (
	staffPassword = "correct horse"
	staffHash     = "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$64zw4y6hGNSGW1HTKDajc74EIkJpCJ+AUBXDspyrFEU"
	rightLogin    = `{"email":"bob@acme.example","password":"correct horse"}`
)

func newFrontend(t *testing.T) *frontend {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	key, err := issue.Generate("RS256", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f := &frontend{routes: routes{}, session: func(*http.Request) (*login.Account, error) { return nil, nil }, base: config.Base{
		Version: config.Version, Server: "default/default", ExternalURL: "https://auth.example", Store: config.Store{Type: config.StoreEmbedded},
		Tokens: config.Tokens{AccessTokenLifetime: config.Duration(15 * time.Minute), RefreshTokenLifetime: config.Duration(720 * time.Hour), Audience: []string{"https://auth.example"}},
		Providers: []config.Provider{{Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, Organization: "acme",
			Password: &config.Password{Users: []config.User{{Email: "bob@acme.example", Username: "bob", Hash: staffHash}}}}},
	}}
	if f.signer, err = issue.NewSigner(&config.Keys{Version: config.Version, Keys: []config.SigningKey{key}}); err != nil {
		t.Fatal(err)
	}
	f.configure()
	log := slog.New(slog.NewJSONHandler(&f.log, nil))
	f.service = &login.Service{Store: s, Verifier: password.NewVerifier(4), Now: time.Now, Random: rand.Reader, Log: log}
	f.service.Verifier.Wait = 5 * time.Minute // the machine may be busy with other suites
	now := func() *login.Snapshot { return f.current }
	f.add(http.MethodPost, "/api/v1/login", (&loginHandler{service: f.service, snapshot: now, log: log}).ServeHTTP)
	f.add(http.MethodPost, pathToken, newTokenHandler(f.service, now, log).ServeHTTP)
	f.add(http.MethodPost, pathRevoke, (&revokeHandler{service: f.service, snapshot: now, log: log}).ServeHTTP)
	userInfo := &userInfoHandler{snapshot: now, session: func(r *http.Request) (*login.Account, error) { return f.session(r) }, now: time.Now, log: log}
	f.add(http.MethodGet, pathUserInfo, userInfo.ServeHTTP)
	f.add(http.MethodPost, pathUserInfo, userInfo.ServeHTTP)
	f.add(http.MethodGet, pathDiscovery, (&discoveryHandler{snapshot: now}).ServeHTTP)
	f.add(http.MethodGet, pathJWKS, (&jwksHandler{snapshot: now}).ServeHTTP)
	return f
}

func (f *frontend) configure() { f.current = login.NewSnapshot(&f.base, f.signer, login.DecoyKey{1}) }

func (f *frontend) send(method, target, mediaType string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	w := httptest.NewRecorder()
	f.serve(w, r, r.URL.Path)
	return w
}

func (f *frontend) login(body string) *httptest.ResponseRecorder {
	return f.send(http.MethodPost, "/api/v1/login", "application/json", strings.NewReader(body))
}

func (f *frontend) token(body string) *httptest.ResponseRecorder {
	return f.send(http.MethodPost, pathToken, "application/x-www-form-urlencoded", strings.NewReader(body))
}

// answer decodes a JSON object and checks the headers that every answer here has.
func answer(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("not JSON: %q, %v: %s", w.Header().Get("Content-Type"), err, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", w.Header().Get("Cache-Control"))
	}
	return body
}

func wantRefusal(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	body := answer(t, w)
	if w.Code != status || body["error"] != code || body["error_description"] == "" || len(body) != 2 {
		t.Errorf("got %d %v, want %d %s", w.Code, body, status, code)
	}
}

// wantTokens checks a grant's exact members and returns the tokens.
func wantTokens(t *testing.T, w *httptest.ResponseRecorder) (access, refresh string) {
	t.Helper()
	body := answer(t, w)
	access, _ = body["access_token"].(string)
	refresh, _ = body["refresh_token"].(string)
	delete(body, "access_token")
	delete(body, "refresh_token")
	want := map[string]any{"token_type": "Bearer", "expires_in": 900.0, "refresh_expires_in": 2592000.0}
	if diff := cmp.Diff(want, body); diff != "" || w.Code != http.StatusOK || access == "" || len(refresh) != 64 {
		t.Fatalf("status %d (-want +got):\n%s", w.Code, diff)
	}
	return access, refresh
}

func TestLoginAndRefreshOverHTTP(t *testing.T) {
	f := newFrontend(t)
	_, first := wantTokens(t, f.login(rightLogin))
	w := f.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first}, "client_id": {"any"}, "scope": {""}}.Encode())
	_, second := wantTokens(t, w)
	if second == first || w.Header().Get("Pragma") != "no-cache" {
		t.Errorf("the refresh token did not change, or Pragma is %q", w.Header().Get("Pragma"))
	}
}

func TestLoginRefusesByTheContract(t *testing.T) {
	f := newFrontend(t)
	post := func(mediaType, body string) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder {
			return f.send(http.MethodPost, "/api/v1/login", mediaType, strings.NewReader(body))
		}
	}
	long := `{"email":"` + strings.Repeat("a", maxBody) + `","password":"x"}`
	for name, tt := range map[string]struct {
		send   func() *httptest.ResponseRecorder
		status int
		code   string
	}{
		"wrong password":      {post("application/json", `{"email":"bob@acme.example","password":"wrong"}`), 401, "invalid_credentials"},
		"unknown user":        {post("application/json; charset=UTF-8", `{"email":"eve@acme.example","password":"correct horse"}`), 401, "invalid_credentials"},
		"GET":                 {func() *httptest.ResponseRecorder { return f.send(http.MethodGet, "/api/v1/login", "", nil) }, 405, "invalid_request"},
		"no media type":       {post("", rightLogin), 415, "invalid_request"},
		"form":                {post("application/x-www-form-urlencoded", "email=bob@acme.example&password=x"), 415, "invalid_request"},
		"another charset":     {post("application/json; charset=utf-16", rightLogin), 415, "invalid_request"},
		"too long, announced": {post("application/json", long), 413, "invalid_request"},
		"too long, chunked": {func() *httptest.ResponseRecorder {
			return f.send(http.MethodPost, "/api/v1/login", "application/json", io.MultiReader(strings.NewReader(long)))
		}, 413, "invalid_request"},
		"no JSON":           {post("application/json", "email"), 400, "invalid_request"},
		"empty":             {post("application/json", ""), 400, "invalid_request"},
		"array":             {post("application/json", "["+rightLogin+"]"), 400, "invalid_request"},
		"trailing":          {post("application/json", rightLogin+"{}"), 400, "invalid_request"},
		"unknown member":    {post("application/json", `{"email":"a","password":"b","x":1}`), 400, "invalid_request"},
		"member twice":      {post("application/json", `{"email":"a","password":"b","password":"correct horse"}`), 400, "invalid_request"},
		"other case":        {post("application/json", `{"Email":"bob@acme.example","Password":"correct horse"}`), 400, "invalid_request"},
		"number":            {post("application/json", `{"email":"bob@acme.example","password":1}`), 400, "invalid_request"},
		"null":              {post("application/json", `{"email":"bob@acme.example","password":null}`), 400, "invalid_request"},
		"no password":       {post("application/json", `{"email":"bob@acme.example"}`), 400, "invalid_request"},
		"empty password":    {post("application/json", `{"email":"bob@acme.example","password":""}`), 400, "invalid_request"},
		"invalid UTF-8":     {post("application/json", "{\"email\":\"bob\xff\",\"password\":\"x\"}"), 400, "invalid_request"},
		"the query is open": {func() *httptest.ResponseRecorder { return f.send(http.MethodPost, "/api/v1/logins", "", nil) }, 404, "not_found"},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, tt.send(), tt.status, tt.code) })
	}
	if strings.Contains(f.log.String(), "horse") {
		t.Error("a password is in the log")
	}
}

func TestLoginTellsWhenToComeAgain(t *testing.T) {
	f := newFrontend(t)
	for range 10 {
		f.login(`{"email":"bob@acme.example","password":"wrong"}`)
	}
	w := f.login(rightLogin)
	wantRefusal(t, w, http.StatusTooManyRequests, "too_many_attempts")
	if got := w.Header().Get("Retry-After"); got != "60" && got != "59" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestTokenRefusesByTheContract(t *testing.T) {
	f := newFrontend(t)
	_, token := wantTokens(t, f.login(rightLogin))
	for name, tt := range map[string]struct {
		w      *httptest.ResponseRecorder
		status int
		code   string
	}{
		"GET":                     {f.send(http.MethodGet, pathToken+"?grant_type=refresh_token", "", nil), 405, "invalid_request"},
		"JSON":                    {f.send(http.MethodPost, pathToken, "application/json", strings.NewReader(`{"grant_type":"refresh_token"}`)), 415, "invalid_request"},
		"too long":                {f.token("grant_type=" + strings.Repeat("a", maxBody)), 413, "invalid_request"},
		"parameters in the query": {f.send(http.MethodPost, pathToken+"?refresh_token="+token, "application/x-www-form-urlencoded", strings.NewReader("grant_type=refresh_token")), 400, "invalid_request"},
		"no grant type":           {f.token("refresh_token=" + token), 400, "invalid_request"},
		"another grant type":      {f.token("grant_type=password&username=bob&password=x"), 400, "unsupported_grant_type"},
		"grant type twice":        {f.token("grant_type=refresh_token&grant_type=refresh_token&refresh_token=" + token), 400, "invalid_request"},
		"unknown parameter twice": {f.token("grant_type=refresh_token&x=1&x=2&refresh_token=" + token), 400, "invalid_request"},
		"no token":                {f.token("grant_type=refresh_token"), 400, "invalid_request"},
		"empty token":             {f.token("grant_type=refresh_token&refresh_token="), 400, "invalid_request"},
		"not a form":              {f.token("grant_type=%zz"), 400, "invalid_request"},
		"semicolons":              {f.token("grant_type=refresh_token;refresh_token=" + token), 400, "invalid_request"},
		"unknown token":           {f.token("grant_type=refresh_token&refresh_token=" + strings.Repeat("A", 64)), 400, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, tt.w, tt.status, tt.code) })
	}
	wantTokens(t, f.token("grant_type=refresh_token&refresh_token="+token)) // none of these used it up
}

// away is a store that cannot be reached.
type away struct{ login.Store }

func (away) CreateFamily(context.Context, store.Family, int) error {
	return errors.New("dial 10.0.0.1: refused")
}

func TestFaultsAre503AndToldToTheLogOnly(t *testing.T) {
	f := newFrontend(t)
	kept := f.service.Store
	f.service.Store = away{kept}
	w := f.login(rightLogin)
	wantRefusal(t, w, http.StatusServiceUnavailable, "temporarily_unavailable")
	if w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "10.0.0.1") || !strings.Contains(f.log.String(), "10.0.0.1") {
		t.Errorf("Retry-After %q, body %s, log %s", w.Header().Get("Retry-After"), w.Body, f.log.String())
	}
	f.service.Store = kept
	f.base.Providers[0].Password.Users[0].Groups = slices.Repeat([]string{"group"}, 4000)
	f.configure()
	wantRefusal(t, f.login(rightLogin), http.StatusInternalServerError, "server_error")
}

func TestWithoutConfigurationProviderOrStore(t *testing.T) {
	f := newFrontend(t)
	f.base.Providers = nil
	f.configure()
	wantRefusal(t, f.login(rightLogin), http.StatusNotFound, "not_found")
	wantRefusal(t, f.token("grant_type=refresh_token&refresh_token="+strings.Repeat("A", 64)), http.StatusBadRequest, "invalid_grant")

	f.base.Store.Type = config.StoreNone
	f.signer, _ = issue.NewSigner(nil)
	f.configure()
	wantRefusal(t, f.login(rightLogin), http.StatusNotFound, "not_found")
	wantRefusal(t, f.token("grant_type=refresh_token&refresh_token=x"), http.StatusNotFound, "not_found")
	if document := answer(t, f.send(http.MethodGet, pathDiscovery, "", nil)); document["token_endpoint"] != nil {
		t.Errorf("a server without a store names a token endpoint: %v", document)
	}
	if keys := answer(t, f.send(http.MethodGet, pathJWKS, "", nil)); fmt.Sprint(keys["keys"]) != "[]" {
		t.Errorf("keys %v", keys)
	}

	f.current = nil
	for _, w := range []*httptest.ResponseRecorder{f.login(rightLogin), f.token(""), f.send(http.MethodGet, pathDiscovery, "", nil), f.send(http.MethodGet, pathJWKS, "", nil)} {
		wantRefusal(t, w, http.StatusServiceUnavailable, "temporarily_unavailable")
	}
}

func TestDiscoveryDocument(t *testing.T) {
	f := newFrontend(t)
	w := f.send(http.MethodGet, pathDiscovery, "", nil)
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"issuer": "https://auth.example", "token_endpoint": "https://auth.example/oauth2/token", "jwks_uri": "https://auth.example/.well-known/jwks.json",
		"revocation_endpoint": "https://auth.example/oauth2/revoke", "userinfo_endpoint": "https://auth.example/userinfo",
		"revocation_endpoint_auth_methods_supported": []any{"none"}, "code_challenge_methods_supported": []any{"S256"},
		"response_types_supported": []any{}, "grant_types_supported": []any{"authorization_code", "refresh_token", grantJWTBearer}, "subject_types_supported": []any{"public"},
		"id_token_signing_alg_values_supported": []any{"RS256"}, "token_endpoint_auth_methods_supported": []any{"none"},
		"claims_supported": []any{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "organization", "preferred_username", "email", "name", "groups", "scope"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, path := range []string{pathDiscovery, pathJWKS} {
		w := f.send(http.MethodGet, path, "", nil)
		if w.Header().Get("Cache-Control") != "public, max-age=600" || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
		wantRefusal(t, f.send(http.MethodPost, path, "", nil), http.StatusMethodNotAllowed, "invalid_request")
	}
}

// TestAnotherLibraryVerifiesOurTokens lets go-oidc find the keys by discovery and verify an access token.
func TestAnotherLibraryVerifiesOurTokens(t *testing.T) {
	f := newFrontend(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, r.URL.Path) }))
	defer server.Close()
	f.base.ExternalURL = server.URL
	f.configure()
	access, _ := wantTokens(t, f.login(rightLogin))
	provider, err := oidc.NewProvider(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: "https://auth.example"}).Verify(t.Context(), access)
	if err != nil || token.Issuer != server.URL {
		t.Errorf("go-oidc: %v", err)
	}
}
