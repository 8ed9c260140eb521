// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// newOIDCSite is our server and a certified OpenID provider that know each other.
func newOIDCSite(t *testing.T) (s *site, issuer string) {
	t.Helper()
	s = newSite(t)
	const secret = "a client secret: with % and + in it" // what client_secret_basic has to encode first (RFC 6749 §2.3.1)
	issuer = openIDProvider{
		ClientID: "gatehouse", ClientSecret: secret, RedirectURIs: []string{s.callback()}, PostLogoutURIs: []string{s.url + "/login"},
		BackChannelLogoutURI: s.url + "/auth/sso/backchannel-logout",
	}.start(t)
	s.start(`  type: OIDC
  displayName: Acme SSO
  oidc:
    issuer: `+issuer+`
    clientID: gatehouse
    clientSecretRef: {name: sso, key: clientSecret}
    syncLogout: true
`, secret)
	return s, issuer
}

// logInAtProvider goes from our login page through the provider's own pages to the account page.
func logInAtProvider(b *tab, s *site, issuer string) {
	b.t.Helper()
	b.open(s.url + "/login")
	b.click(ssoButton)
	b.awaitLocation(issuer + "/interaction/")
	b.fill(`input[name="login"]`, "alice")
	b.fill(`input[name="password"]`, "whatever")
	b.click(`button[type="submit"]`)
	b.awaitLocation(issuer + "/interaction/") // consent
	b.click(`button[type="submit"]`)
	b.awaitLocation(s.url + "/account")
}

// alice is who the provider says that its user is.
var alice = map[string]string{
	"X-Auth-Request-User": "alice", "X-Auth-Request-Preferred-Username": "alice", "X-Auth-Request-Email": "alice@idp.example", "X-Auth-Tenant": "default",
}

// TestOIDCLogin is the whole way with a provider that others wrote: login page, the provider's pages, callback, cookie, /verify, account page, and a logout that also ends
// the provider's session.
func TestOIDCLogin(t *testing.T) {
	browser := chromium(t)
	s, issuer := newOIDCSite(t)
	b := newTab(t, browser)
	b.size(1280, 800, 1)

	b.open(s.url + "/login")
	b.checkStyled()
	b.screenshot("served-login")
	logInAtProvider(b, s, issuer)
	session := s.wantVerified(b, alice)
	b.wantText("alice", "alice@idp.example", "Acme SSO", "This browser")
	b.checkStyled()
	b.screenshot("served-account")

	// What follows would prove nothing if the provider had no session of its own: it has one, and asks for nothing.
	s.forget(b)
	b.open(s.url + "/login")
	b.click(ssoButton)
	b.awaitLocation(s.url + "/account")
	second := s.wantVerified(b, alice)
	if second == session {
		t.Error("two logins have one session")
	}

	run(b, "logging out", chromedp.Click(chromedp.CSS(`form[action^="/logout"] button`)))
	b.awaitLocation(issuer + "/session/end") // the provider asks too
	if s.session(b) != "" {
		t.Error("the browser still has its session cookie while it logs out at the provider")
	}
	b.click(`button[value="yes"]`)
	b.awaitLocation(s.url + "/login")
	s.wantEnded(second)
	b.wantQuiet()

	b.click(ssoButton)
	b.awaitLocation(issuer + "/interaction/")
	if asked := b.evaluate(`String(document.querySelectorAll("input[name=password]").length)`); asked != "1" {
		t.Errorf("after the logout the provider does not ask for the password again; it shows:\n%s", b.text())
	}
}

// TestOIDCBackChannelLogout guards that a logout at the provider, of which our server hears from the provider alone, ends the session here.
func TestOIDCBackChannelLogout(t *testing.T) {
	browser := chromium(t)
	s, issuer := newOIDCSite(t)
	b := newTab(t, browser)
	logInAtProvider(b, s, issuer)
	session := s.wantVerified(b, alice)
	b.open(issuer + "/session/end")
	b.click(`button[value="yes"]`)
	s.wantEnded(session)
	b.open(s.url + "/account")
	b.awaitLocation(s.url + "/login")
}

// TestOIDCCancelled guards that who cancels at the provider is back at the login page, with words, and can go on: the whole of OAuth's error response with a real provider's iss.
func TestOIDCCancelled(t *testing.T) {
	browser := chromium(t)
	s, issuer := newOIDCSite(t)
	b := newTab(t, browser)
	b.open(s.url + "/login?return_to=/account")
	b.click(ssoButton)
	b.awaitLocation(issuer + "/interaction/")
	b.click(`a[href$="/abort"]`)
	b.awaitLocation(s.url)
	b.wantText("You were not logged in, because the login was cancelled or not allowed.")
	if s.session(b) != "" {
		t.Error("a cancelled login has a session")
	}
	if role := b.evaluate(`document.getElementById("problem").getAttribute("role")`); role != "alert" {
		t.Errorf("the message has role %q", role)
	}
	b.wantQuiet()
	b.click(ssoButton)
	b.awaitLocation(issuer + "/interaction/")
}
