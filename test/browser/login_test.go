// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// sessionCookie is the name without https: the servers of this suite are on a loopback host.
const sessionCookie = "gatehouse-session"

// freeAddress is a loopback address at which nothing listens at the moment: providers and the server have to know each other's before they start.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// site is our server, with one provider named sso.
type site struct {
	t   testing.TB
	url string
}

// newSite is where the server will be.
func newSite(t testing.TB) *site { return &site{t: t, url: "http://" + freeAddress(t)} }

// start serves the provider's spec, YAML that is indented by two, and a Secret "sso" with the client secret.
func (s *site) start(spec, secret string) {
	s.t.Helper()
	s.serve("{theme: {title: Acme Platform}}", fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: sso, namespace: default}
type: Opaque
stringData: {clientSecret: %q}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: sso, namespace: default}
spec:
%s`, secret, spec))
}

// serve serves documents, with an AuthServer whose spec.login is given.
func (s *site) serve(login, documents string) {
	s.t.Helper()
	served.StartAt(s.t, strings.TrimPrefix(s.url, "http://"), fmt.Sprintf(`apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec:
  externalURL: %s
  login: %s
  outbound: {allowedCIDRs: [127.0.0.0/8]}
---
%s`, s.url, login, documents))
}

// callback is the redirect URI that is registered at the provider.
func (s *site) callback() string { return s.url + "/auth/sso/login/callback/" }

// session is the value of the browser's session cookie; empty for none. It has to be a cookie that no script reads.
func (s *site) session(b *tab) string {
	s.t.Helper()
	for _, cookie := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{s.url}}).Cookies {
		if cookie.Name == sessionCookie {
			if !cookie.HTTPOnly || cookie.SameSite != network.CookieSameSiteLax || cookie.Path != "/" {
				s.t.Errorf("the session cookie is HttpOnly %v, SameSite %q, Path %q", cookie.HTTPOnly, cookie.SameSite, cookie.Path)
			}
			return cookie.Value
		}
	}
	return ""
}

// verify asks as a gateway does, for a request with that session cookie.
func (s *site) verify(session string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+"/verify", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: session})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer
}

// wantVerified guards that a gateway lets the browser's requests pass as this person.
func (s *site) wantVerified(b *tab, want map[string]string) (session string) {
	s.t.Helper()
	session = s.session(b)
	if session == "" {
		s.t.Fatalf("the browser has no session cookie; it shows:\n%s", b.text())
	}
	answer := s.verify(session)
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("/verify is %d for a browser that has just logged in", answer.StatusCode)
	}
	for name, value := range want {
		if got := answer.Header.Get(name); got != value {
			s.t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	return session
}

// wantEnded guards that a session has ended: at once where it was ended here, within the ten seconds for which a check of it counts elsewhere.
func (s *site) wantEnded(session string) {
	s.t.Helper()
	deadline, tick := time.Now().Add(patience), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for s.verify(session).StatusCode != http.StatusUnauthorized {
		if time.Now().After(deadline) {
			s.t.Fatal("/verify goes on to accept a session that has ended")
		}
		<-tick.C
	}
}

// forget makes the browser lose our cookies, and keep the provider's.
func (s *site) forget(b *tab) {
	s.t.Helper()
	for _, cookie := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{s.url}}).Cookies {
		if strings.HasPrefix(cookie.Name, "gatehouse") {
			call(b, network.DeleteCookies, network.DeleteCookiesParams{Name: cookie.Name, URL: s.url})
		}
	}
}

// wantQuiet guards that the pages did nothing that their policy stops. What the provider's own pages do is not ours.
func (b *tab) wantQuiet() {
	b.t.Helper()
	for _, said := range b.heard() {
		if strings.Contains(said, "form-action") || strings.HasPrefix(said, "script:") {
			b.t.Errorf("the browser says: %s", said)
		}
	}
}

// ssoButton is the provider's button on the login page.
const ssoButton = `a[href^="/auth/sso/login/"]`

// wantText guards that the page says these things.
func (b *tab) wantText(parts ...string) {
	b.t.Helper()
	text := b.text()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			b.t.Errorf("the page does not say %q:\n%s", part, text)
		}
	}
}
