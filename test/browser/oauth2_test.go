// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
)

// TestOAuth2Login is the whole way at a plain OAuth 2.0 server that is strict about client authentication, redirect URI and PKCE, in the shape of GitHub: a numeric ID
// beyond what a double holds, and a null e-mail address that a second endpoint gives.
func TestOAuth2Login(t *testing.T) {
	for method, field := range map[oauth2server.Method]string{oauth2server.Basic: "ClientSecretBasic", oauth2server.Post: "ClientSecretPost"} {
		t.Run(field, func(t *testing.T) { testOAuth2Login(t, method, field) })
	}
}

func testOAuth2Login(t *testing.T, method oauth2server.Method, field string) {
	browser := chromium(t)
	s := newSite(t)
	front := httptest.NewUnstartedServer(nil)
	as := oauth2server.New(oauth2server.Options{
		Shape: oauth2server.GitHub, URL: "http://" + strings.Replace(front.Listener.Addr().String(), "127.0.0.1", "localhost", 1), // another site than ours
		ClientID: "gate house", ClientSecret: "s3cret: %+& x", Method: method, RedirectURIs: []string{s.callback()}, PKCE: true, Interactive: true,
	})
	front.Config.Handler = as
	front.Start()
	t.Cleanup(front.Close)
	s.start(`  type: OAuth2
  displayName: Acme Code
  claimMappings:
    username: {claim: login}
    name: {claim: name}
    email: {claim: email}
  oauth2:
    clientID: gate house
    clientSecretRef: {name: sso, key: clientSecret}
    clientAuthenticationMethod: `+field+`
    scopes: [read:user, user:email]
    authorizationEndpoint: `+as.AuthorizationEndpoint()+`
    tokenEndpoint: `+as.TokenEndpoint()+`
    userInfoEndpoint: `+as.UserInfoEndpoint()+`
    emailsEndpoint: `+as.EmailsEndpoint()+`
    groupsEndpoint: {url: "`+as.OrganizationsEndpoint()+`", expression: "groups.map(o, o.login)"}
    subjectAttribute: id
    logoutEndpoint: `+as.LogoutEndpoint()+`
    syncLogout: true
`, "s3cret: %+& x")

	b := newTab(t, browser)
	logIn := func(asked bool) (session string) {
		b.open(s.url + "/login?return_to=/account")
		b.click(ssoButton)
		if asked {
			b.awaitLocation(as.URL())
			b.click("#continue")
		}
		b.awaitLocation(s.url + "/account")
		return s.wantVerified(b, map[string]string{
			"X-Auth-Request-User": "octocat", "X-Auth-Request-Email": "mona@acme.example", "X-Auth-Request-Groups": "acme,github", "X-Auth-Tenant": "default",
		})
	}
	first := logIn(true)
	b.wantText("octocat", "Mona Lisa", "mona@acme.example", "Acme Code", "github")
	b.screenshot("served-account-oauth2")
	s.forget(b)
	session := logIn(false) // the provider has a session of its own: what follows proves something
	if session == first {
		t.Error("two logins have one session")
	}

	run(b, "logging out", chromedp.Click(chromedp.CSS(`form[action^="/logout"] button`)))
	b.awaitLocation(as.LogoutEndpoint())
	s.wantEnded(session)
	b.wantQuiet()
	b.open(s.url + "/login")
	b.click(ssoButton)
	b.awaitLocation(as.URL())
	if !strings.Contains(b.text(), "Log in to the test provider") {
		t.Errorf("after the logout the provider does not ask again; it shows:\n%s", b.text())
	}
	if refused := as.Refusals(); len(refused) > 0 {
		t.Errorf("the provider refused %q", refused)
	}
}

// TestOAuth2WrongSecret guards that a person whose administrator mistyped the client secret is told that it is not their fault, and that nothing of it is shown.
func TestOAuth2WrongSecret(t *testing.T) {
	browser := chromium(t)
	s := newSite(t)
	as := oauth2server.Start(t, oauth2server.Options{Shape: oauth2server.Gitea, ClientID: "gatehouse", ClientSecret: "right", RedirectURIs: []string{s.callback()}, PKCE: true})
	s.start(`  type: OAuth2
  displayName: Acme Code
  claimMappings: {username: {claim: login}}
  oauth2:
    clientID: gatehouse
    clientSecretRef: {name: sso, key: clientSecret}
    authorizationEndpoint: `+as.AuthorizationEndpoint()+`
    tokenEndpoint: `+as.TokenEndpoint()+`
    userInfoEndpoint: `+as.UserInfoEndpoint()+`
    subjectAttribute: id
`, "wrong-hunter2")
	b := newTab(t, browser)
	b.open(s.url + "/login")
	b.click(ssoButton)
	b.awaitLocation(s.url)
	b.wantText("Your administrator has to correct the settings.")
	if html := b.evaluate("document.documentElement.outerHTML"); strings.Contains(html, "hunter2") || s.session(b) != "" {
		t.Errorf("the page tells too much, or there is a session:\n%s", html)
	}
	if n := as.Count("/api/v1/user"); n != 0 {
		t.Errorf("userinfo was asked %d times", n)
	}
}
