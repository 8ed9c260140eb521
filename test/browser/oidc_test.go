// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/go-jose/go-jose/v4"
)

// authentication is one way in which our server says at the token endpoint who it is.
type authentication struct {
	field  string              // clientAuthenticationMethod
	method string              // by its standard name
	secret string              // what the Secret holds
	keys   *jose.JSONWebKeySet // what the provider verifies with
}

// basic has a secret with what has to be encoded before it is put into the header (RFC 6749 §2.3.1).
var basic = authentication{field: "ClientSecretBasic", method: "client_secret_basic", secret: "a client secret: with % and + in it"}

// newOIDCSite is our server and a certified OpenID provider that know each other.
func newOIDCSite(t *testing.T, a authentication) (s *site, issuer string) {
	t.Helper()
	s = newSite(t)
	p := openIDProvider{
		ClientID: "gatehouse", Method: a.method, JWKS: a.keys, RedirectURIs: []string{s.callback()}, PostLogoutURIs: []string{s.url + "/login"},
		BackChannelLogoutURI: s.url + "/auth/sso/backchannel-logout",
	}
	reference := ""
	if a.secret != "" {
		reference = "clientSecretRef: {name: sso, key: clientSecret}"
	}
	if a.keys == nil {
		p.ClientSecret = a.secret
	}
	issuer = p.start(t)
	s.start(`  type: OIDC
  displayName: Acme SSO
  oidc:
    issuer: `+issuer+`
    clientID: gatehouse
    clientAuthenticationMethod: `+a.field+`
    syncLogout: true
    `+reference+`
`, a.secret)
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
	s, issuer := newOIDCSite(t, basic)
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

// TestOIDCClientAuthentication guards each other way to say who the client is, at a provider that takes no other than the one it was told.
func TestOIDCClientAuthentication(t *testing.T) {
	browser := chromium(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), Algorithm: "ES256", Use: "sig"}}}
	for _, a := range []authentication{
		{field: "ClientSecretPost", method: "client_secret_post", secret: basic.secret},
		{field: "PrivateKeyJWT", method: "private_key_jwt", secret: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), keys: public},
		{field: "None", method: "none"},
	} {
		t.Run(a.field, func(t *testing.T) {
			s, issuer := newOIDCSite(t, a)
			b := newTab(t, browser)
			logInAtProvider(b, s, issuer)
			s.wantVerified(b, alice)
		})
	}
}

// TestOIDCBackChannelLogout guards that a logout at the provider, of which our server hears from the provider alone, ends the session here.
func TestOIDCBackChannelLogout(t *testing.T) {
	browser := chromium(t)
	s, issuer := newOIDCSite(t, basic)
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
	s, issuer := newOIDCSite(t, basic)
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
