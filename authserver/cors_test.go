// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corsAnswer is what a browser goes by.
type corsAnswer struct {
	Status                                int
	Origin, Methods, Headers, Age, Expose string
	Vary                                  bool
}

// ask sends a request through the whole public handler, and fails the test where an answer allows credentials.
func (w *world) ask(t *testing.T, method, path, origin string, headers ...string) (corsAnswer, *http.Response) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	recorder := httptest.NewRecorder()
	w.publicHandler.ServeHTTP(recorder, r)
	got := recorder.Result()
	t.Cleanup(func() { _ = got.Body.Close() })
	h := got.Header
	if h["Access-Control-Allow-Credentials"] != nil {
		t.Errorf("%s %s for %q allows credentials", method, path, origin)
	}
	return corsAnswer{
		got.StatusCode, strings.Join(h["Access-Control-Allow-Origin"], "|"), h.Get("Access-Control-Allow-Methods"), h.Get("Access-Control-Allow-Headers"),
		h.Get("Access-Control-Max-Age"), h.Get("Access-Control-Expose-Headers"), strings.Join(h["Vary"], "|") == "Origin",
	}, got
}

const preflight = "Access-Control-Request-Method: POST"

// TestScriptsOfOtherOrigins guards which origins may ask which endpoints: exactly those of login.redirectURIs, the endpoints of
// programs without the one that takes passwords, and no page.
func TestScriptsOfOtherOrigins(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.base.Login.RedirectURIs = []string{
			"https://app.example/cb?x=1", "https://app.example/other", "https://Shop.example:443/cb", "https://dev.example:8443/cb", "http://127.0.0.1:3000/cb",
			"http://localhost:80/cb", "http://[0:0::1]:3000/cb", "http://plain.example/cb", "com.example.app:/cb", w.origin + "/cb",
		}
	})
	for _, origin := range []string{"https://app.example", "https://shop.example", "https://dev.example:8443", "http://127.0.0.1:3000", "http://localhost", "http://[::1]:3000"} {
		if got, _ := w.ask(t, http.MethodGet, pathJWKS, origin); got.Origin != origin || got.Status != http.StatusOK {
			t.Errorf("%s: %+v", origin, got)
		}
	}
	for _, origin := range []string{
		"", "null", "*", "https://app.example.evil.example", "https://evil.example", "http://app.example", "https://app.example:443", "https://app.example/", "https://APP.example",
		"https://dev.example", "http://127.0.0.1", "http://127.0.0.1:3001", "https://127.0.0.1:3000", "http://plain.example", "com.example.app:", "com.example.app://", w.origin,
	} {
		for _, headers := range [][]string{nil, {preflight}} {
			if got, _ := w.ask(t, http.MethodGet, pathJWKS, origin, headers...); got != (corsAnswer{Status: http.StatusOK, Vary: true}) {
				t.Errorf("%s: %+v", origin, got)
			}
			if got, _ := w.ask(t, http.MethodOptions, pathToken, origin, headers...); got != (corsAnswer{Status: http.StatusMethodNotAllowed, Vary: true}) {
				t.Errorf("OPTIONS for %s: %+v", origin, got)
			}
		}
	}
	const app = "https://app.example"
	if got, _ := w.ask(t, http.MethodGet, pathJWKS, app, "Origin: https://dev.example:8443"); got.Origin != "" {
		t.Errorf("two origins: %+v", got)
	}
	for path, methods := range map[string]string{
		pathToken: "POST", pathRevoke: "POST", pathUserInfo: "GET, HEAD, POST", pathDiscovery: "GET, HEAD", pathJWKS: "GET, HEAD",
	} {
		want := corsAnswer{Status: http.StatusNoContent, Origin: app, Methods: methods, Headers: "Authorization, Content-Type", Age: "600", Vary: true}
		got, _ := w.ask(t, http.MethodOptions, path, app, preflight)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("preflight of %s (-want +got):\n%s", path, diff)
		}
		if got, _ := w.ask(t, http.MethodDelete, path, app); got.Status != http.StatusMethodNotAllowed || got.Origin != app { // so that the script can read why
			t.Errorf("DELETE %s: %+v", path, got)
		}
	}
	for _, path := range []string{"/api/v1/login", pathLogin, pathLogout, pathAccount, "/verify", "/envoy/-/x", "/auth/sso/login/", "/.well-known/other", pathToken + "/"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			if got, _ := w.ask(t, method, path, app, preflight); got.Origin+got.Methods+got.Headers+got.Expose != "" {
				t.Errorf("%s %s: %+v", method, path, got)
			}
		}
	}
}

// TestApplicationInABrowser guards that a script of another origin gets from a code to the user, reads what goes wrong, and never
// gets anything by a cookie.
func TestApplicationInABrowser(t *testing.T) {
	w := newWorld(t, func(w *world) { w.base.Login.RedirectURIs = []string{appURI} })
	const app = "https://app.example"
	challenge := sha256.Sum256([]byte(appVerifier))
	ask := url.Values{"redirect_uri": {appURI}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}}
	v := w.visitor(t)
	form := exchangeForm(must(url.Parse(v.logIn("sso", "?"+ask.Encode()))).Query().Get("code"))
	answer := v.post(pathToken, form, "Origin: "+app, "Sec-Fetch-Site: same-site")
	var tokens grantBody
	if err := json.Unmarshal([]byte(answer.body), &tokens); err != nil || tokens.AccessToken == "" {
		t.Fatalf("exchange: %d %s", answer.StatusCode, answer.body)
	}
	if answer.Header.Get("Access-Control-Allow-Origin") != app {
		t.Errorf("the answer to the code cannot be read: %v", answer.Header)
	}
	again := v.post(pathToken, form, "Origin: "+app)
	if again.StatusCode != http.StatusBadRequest || again.Header.Get("Access-Control-Allow-Origin") != app || again.Header.Get("Access-Control-Expose-Headers") == "" {
		t.Errorf("a refusal cannot be read: %d %v", again.StatusCode, again.Header)
	}
	if got := v.get(pathUserInfo, "Origin: "+app, "Authorization: Bearer "+tokens.AccessToken); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"sub"`) || got.Header.Get("Access-Control-Allow-Origin") != app {
		t.Errorf("userinfo: %d %s", got.StatusCode, got.body)
	}
	if got := v.get(pathUserInfo); got.StatusCode != http.StatusOK {
		t.Fatalf("the visitor has no session: %d", got.StatusCode)
	}
	if got := v.get(pathUserInfo, "Origin: "+app); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("the cookie counts for another origin: %d %s", got.StatusCode, got.body)
	}
}
