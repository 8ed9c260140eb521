// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

const adaPassword = "correct horse battery staple"

// newPasswordSite is our server with one user of a Secret.
func newPasswordSite(t *testing.T, login string) *site {
	t.Helper()
	hash, err := password.Hash([]byte(adaPassword), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.serve(login, fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: staff, namespace: default}
type: Opaque
stringData:
  users.yaml: |
    - {email: ada@acme.example, username: ada, name: Ada Lovelace, groups: [staff], hash: %q}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: staff, namespace: default}
spec: {type: Password, displayName: Staff, password: {usersSecretRef: {name: staff, key: users.yaml}}}
`, hash))
	return s
}

// newPlainTab is a tab that runs no scripts of pages.
func newPlainTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	b := newTab(t, browser)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return b
}

// keys presses them in turn.
func (b *tab) keys(all ...string) {
	b.t.Helper()
	for _, keys := range all {
		run(b, "typing", chromedp.KeyEvent(keys))
	}
}

// logIn types into the login page, whose first field has the focus.
func (b *tab) logIn(s *site) (session string) {
	b.t.Helper()
	b.open(s.url + "/login")
	b.awaitFocus("email")
	b.keys("ada@acme.example", kb.Tab, adaPassword, kb.Enter)
	b.awaitLocation(s.url + "/account")
	return s.wantVerified(b, map[string]string{"X-Auth-Request-User": "ada", "X-Auth-Request-Email": "ada@acme.example", "X-Auth-Request-Groups": "staff", "X-Auth-Tenant": "default"})
}

// TestPasswordLogin is a login with the keyboard alone and without scripts: a mistake that is told in words, a second try that needs the password only, and then who is logged in
// where, and logging out elsewhere.
func TestPasswordLogin(t *testing.T) {
	browser := chromium(t)
	s := newPasswordSite(t, "{}")
	b := newPlainTab(t, browser)
	b.open(s.url + "/login?return_to=/account")
	b.awaitFocus("email")
	b.keys("ada@acme.example", kb.Tab, "wrong", kb.Enter)
	run(b, "awaiting the message", chromedp.WaitVisible(chromedp.CSS("#problem")))
	b.wantText("The email address or the password is not right.")
	b.awaitFocus("password")
	b.keys(adaPassword, kb.Enter) // the address is still there, and the password has the focus
	b.awaitLocation(s.url + "/account")
	b.wantText("Ada Lovelace", "ada@acme.example", "Staff", "This browser")

	other := newPlainTab(t, browser)
	elsewhere := other.logIn(s)
	b.open(s.url + "/account")
	b.size(1280, 800, 1)
	b.screenshot("served-account-two")
	b.click(`button[aria-label^="Log out Chrome on Linux"]`)
	b.awaitLocation(s.url + "/account")
	b.wantText("One other browser is logged out.")
	s.wantEnded(elsewhere)
	other.open(s.url + "/account")
	other.awaitLocation(s.url + "/login")

	mine := s.session(b)
	b.click(`form[action="/logout"] button`)
	b.wantText("You are logged out")
	s.wantEnded(mine)
	for _, tab := range []*tab{b, other} {
		for _, said := range tab.heard() {
			t.Errorf("the browser says: %s", said)
		}
	}
}

// TestHandoffAfterForm guards the browser handoff to an application of another site: the form's answer leads on to it in spite of form-action, its code is exchanged
// with PKCE for a token that /verify takes, and who is logged in already gets there without a click.
func TestHandoffAfterForm(t *testing.T) {
	browser := chromium(t)
	arrived := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			if r.Referer() != "" {
				t.Errorf("the application is told where the browser came from: %s", r.Referer())
			}
			arrived <- r.URL.Query()
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>app</title>here"))
	}))
	t.Cleanup(app.Close)
	target := strings.Replace(app.URL, "127.0.0.1", "localhost", 1) + "/callback"
	s := newPasswordSite(t, "{redirectURIs: ['"+target+"']}")
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	begin := s.url + "/login?" + url.Values{"redirect_uri": {target}, "state": {"s/1&2"}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}.Encode()

	b := newPlainTab(t, browser)
	for _, how := range []string{"form", "session"} {
		b.open(begin)
		if how == "form" {
			b.awaitFocus("email")
			b.keys("ada@acme.example", kb.Tab, adaPassword, kb.Enter)
		}
		b.awaitLocation(target)
		got := <-arrived
		if got.Get("state") != "s/1&2" || got.Get("code") == "" {
			t.Fatalf("%s: the application got %v", how, got)
		}
		s.wantExchanged(target, got.Get("code"), verifier)
	}
	for _, said := range b.heard() {
		t.Errorf("the browser says: %s", said)
	}
}

// wantExchanged exchanges a code and shows the token at /verify.
func (s *site) wantExchanged(target, code, verifier string) {
	s.t.Helper()
	answer, err := http.PostForm(s.url+"/oauth2/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {target}, "code_verifier": {verifier}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		s.t.Fatalf("the code is not exchanged: %d %q %v", answer.StatusCode, token.Error, err)
	}
	r, err := http.NewRequest(http.MethodGet, s.url+"/verify", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	verified, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = verified.Body.Close()
	if user := verified.Header.Get("X-Auth-Request-User"); verified.StatusCode != http.StatusOK || user != "ada" {
		s.t.Errorf("/verify is %d for %q", verified.StatusCode, user)
	}
}
