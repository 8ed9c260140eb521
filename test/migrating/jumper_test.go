// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/test/served"
)

// jumperRows are the variables of Jumper's documentation, and the login that it has without any.
var jumperRows = []string{
	"JWT_ACCESS_TOKEN_LIFETIME", "JWT_REFRESH_TOKEN_LIFETIME", "e-mail address and password", "OIDC_AUTHENTICATION", "OIDC_RP_CLIENT_ID", "OIDC_RP_CLIENT_SECRET",
	"OIDC_OP_AUTHORIZATION_ENDPOINT", "OIDC_OP_TOKEN_ENDPOINT", "OIDC_OP_USER_ENDPOINT", "OIDC_OP_JWKS_ENDPOINT", "OIDC_RP_SCOPES", "OIDC_RP_SIGN_ALGO",
	"OIDC_USERNAME_ATTRIBUTE", "OIDC_PROVIDER_NAME", "PASSWORD_BASED_AUTHENTICATION",
}

// TestJumper guards that every setting of Jumper has what takes its place, and that it works as the page says.
func TestJumper(t *testing.T) {
	covered(t, "jumper.md", jumperRows, map[string]func(*testing.T, string){
		"Lifetimes":                    lifetimes,
		"Password login":               passwordLogin,
		"OpenID provider":              openIDProvider,
		"Explicit endpoints":           explicitEndpoints,
		"Scopes, algorithm, user name": scopesAlgorithmUserName,
		"Password login off":           passwordLoginOff,
	}, map[string]func(*testing.T, string){
		"login over http": refusedHTTP,
		"an ID token with another algorithm than named":                refusedAlgorithm,
		"a user without the user-name attribute":                       refusedNameless,
		"a provider where anybody can have an account, without a rule": refusedOpen,
		"an old refresh token":                                         refusedOldRefreshToken,
	})
}

// company is the provider of the page's manifests, on this machine, and what the manifests say in its place.
func company(t *testing.T, address string, more map[string]string) (*optest.OP, map[string]string, string) {
	t.Helper()
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{
		ID: "your-client-id", Secret: "s:e+c r%t", RedirectURIs: []string{"http://" + address + "/auth/sso/login/callback/"},
	}})
	op.User = map[string]any{"sub": "248289761001", "preferred_username": "ada", "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace"}
	replace := map[string]string{"https://provider.com": op.Issuer()}
	for old, new := range more {
		replace[old] = op.URL(new)
	}
	if len(more) > 0 {
		delete(replace, "https://provider.com")
	}
	return op, replace, secret("sso", map[string]string{"clientSecret": op.Client().Secret})
}

func lifetimes(t *testing.T, text string) {
	for _, row := range []struct {
		replace         map[string]string
		access, refresh int
	}{
		{nil, 15 * 60, 43200 * 60},
		{map[string]string{"accessTokenLifetime: 15m": "accessTokenLifetime: 5m", "refreshTokenLifetime: 720h": "refreshTokenLifetime: 90m"}, 300, 5400},
	} {
		address := freeAddress(t)
		s := serveAt(t, address, place(t, address, text, row.replace), staffUsers(t))
		got, status := s.login(t, "ada@example.com", phrase)
		if status != http.StatusOK || got.ExpiresIn != row.access || got.RefreshExpiresIn != row.refresh {
			t.Errorf("%d: %d and %d seconds, want %d and %d", status, got.ExpiresIn, got.RefreshExpiresIn, row.access, row.refresh)
		}
	}
}

func passwordLogin(t *testing.T, text string) {
	address := freeAddress(t)
	s := serveAt(t, address, server(address)+place(t, address, text, nil), staffUsers(t))
	if _, status := s.login(t, "Ada@Example.com", phrase); status != http.StatusOK {
		t.Errorf("the right password: %d", status)
	}
	if got, status := s.login(t, "ada@example.com", "wrong"); status != http.StatusUnauthorized || got.Error != "invalid_credentials" {
		t.Errorf("a wrong password: %d %s", status, got.Error)
	}
	if page := newBrowser(t).open(s.url + "/login"); !strings.Contains(page.body, `type="password"`) {
		t.Errorf("the login page has no form: %s", words(page.body))
	}
}

// server is an AuthServer for manifests that have none.
func server(address string) string {
	return "apiVersion: auth.gatehouse.dev/v1alpha1\nkind: AuthServer\nmetadata: {name: default, namespace: default}\nspec: {externalURL: \"http://" + address + "\"}\n---\n"
}

func openIDProvider(t *testing.T, text string) {
	address := freeAddress(t)
	op, replace, beside := company(t, address, nil)
	s := serveAt(t, address, place(t, address, text, replace), beside)
	b := newBrowser(t)
	if page := b.open(s.url + "/login"); !strings.Contains(words(page.body), "My Company SSO") {
		t.Errorf("the login page does not name the provider: %s", words(page.body))
	}
	b.enter(s, "sso", "ada")
	if got := op.LastAuthorization().Get("client_id"); got != "your-client-id" {
		t.Errorf("client_id %q", got)
	}
	if got := op.LastAuthorization().Get("scope"); got != "openid email profile" {
		t.Errorf("the default scopes are %q", got)
	}
}

func explicitEndpoints(t *testing.T, text string) {
	address := freeAddress(t)
	op, replace, beside := company(t, address, map[string]string{
		"https://provider.com/oauth2/authorize": optest.PathAuthorize, "https://provider.com/oauth2/token": optest.PathToken,
		"https://provider.com/oauth2/userinfo": optest.PathUserInfo, "https://provider.com/.well-known/jwks.json": optest.PathJWKS,
	})
	s := &site{url: "http://" + served.StartWarned(t, address, place(t, address, text, replace)+beside, "IssuerUnchecked")}
	newBrowser(t).enter(s, "sso", "ada")
	for _, path := range []string{optest.PathAuthorize, optest.PathToken, optest.PathUserInfo, optest.PathJWKS} {
		if op.Calls(path) == 0 {
			t.Errorf("%s was not asked", path)
		}
	}
	if n := op.Calls(optest.PathMetadata); n != 0 {
		t.Errorf("the metadata were asked for %d times, without an issuer", n)
	}
}

func scopesAlgorithmUserName(t *testing.T, text string) {
	address := freeAddress(t)
	op, replace, beside := company(t, address, nil)
	op.AddKey("ES256")
	op.Behave(optest.Behaviour{Algorithm: "ES256"})
	s := serveAt(t, address, place(t, address, text, replace), beside)
	newBrowser(t).enter(s, "sso", "ada@example.com")
	if got := strings.Fields(op.LastAuthorization().Get("scope")); !slices.Equal(got, []string{"openid", "email", "profile", "groups"}) {
		t.Errorf("scopes %q", got)
	}
}

func passwordLoginOff(t *testing.T, text string) {
	address := freeAddress(t)
	_, replace, beside := company(t, address, nil)
	s := serveAt(t, address, place(t, address, text, replace), beside)
	if got, status := s.login(t, "ada@example.com", phrase); status != http.StatusNotFound || got.Error != "not_found" {
		t.Errorf("/api/v1/login: %d %s", status, got.Error)
	}
	b := newBrowser(t)
	if page := b.open(s.url + "/login"); page.status != http.StatusOK || strings.Contains(page.body, `type="password"`) {
		t.Errorf("the login page still has a form: %d", page.status)
	}
	b.enter(s, "sso", "ada")
}

func refusedHTTP(t *testing.T, _ string) {
	text := manifest(t, sectionsOf(t, "jumper.md")["OpenID provider"])
	beside := secret("sso", map[string]string{"clientSecret": "x"})
	if found := served.Findings(t, text+beside); len(found) > 0 {
		t.Fatalf("the page's own manifest is not taken: %v", found)
	}
	found := strings.Join(served.Findings(t, strings.Replace(text, external, "http://auth.example.com", 1)+beside), "\n")
	if !strings.Contains(found, "HTTPSRequired") && !strings.Contains(found, "https") {
		t.Errorf("http is taken: %s", found)
	}
}

func refusedAlgorithm(t *testing.T, _ string) {
	address := freeAddress(t)
	op, replace, beside := company(t, address, nil)
	op.AddKey("ES256")
	s := serveAt(t, address, place(t, address, manifest(t, sectionsOf(t, "jumper.md")["OpenID provider"]), replace), beside)
	op.Behave(optest.Behaviour{Algorithm: "ES256"})
	newBrowser(t).turnedAway(s, "sso")
	op.Behave(optest.Behaviour{})
	newBrowser(t).enter(s, "sso", "ada")
}

func refusedNameless(t *testing.T, _ string) {
	address := freeAddress(t)
	op, replace, beside := company(t, address, nil)
	s := serveAt(t, address, place(t, address, manifest(t, sectionsOf(t, "jumper.md")["OpenID provider"]), replace), beside)
	delete(op.User, "preferred_username")
	newBrowser(t).turnedAway(s, "sso")
	op.User["preferred_username"] = "ada"
	newBrowser(t).enter(s, "sso", "ada")
}

func refusedOpen(t *testing.T, _ string) {
	text := manifest(t, sectionsOf(t, "jumper.md")["OpenID provider"])
	beside := secret("sso", map[string]string{"clientSecret": "x"})
	open := strings.Replace(text, "https://provider.com", "https://accounts.google.com", 1)
	found := strings.Join(served.Findings(t, open+beside), "\n")
	if !strings.Contains(found, "claimValidationRules") {
		t.Errorf("anybody may log in: %s", found)
	}
	ruled := strings.Replace(open, "  oidc:\n", "  claimValidationRules: [{expression: \"claims.hd == 'example.com'\"}]\n  oidc:\n    usernameClaim: email\n", 1)
	if found := served.Findings(t, ruled+beside); len(found) > 0 {
		t.Errorf("a rule does not help: %v", found)
	}
}

func refusedOldRefreshToken(t *testing.T, _ string) {
	address := freeAddress(t)
	s := serveAt(t, address, server(address)+place(t, address, manifest(t, sectionsOf(t, "jumper.md")["Password login"]), nil), staffUsers(t))
	first, _ := s.login(t, "ada@example.com", phrase)
	second, status := s.refresh(t, first.RefreshToken)
	if status != http.StatusOK || second.RefreshToken == first.RefreshToken {
		t.Fatalf("a refresh: %d", status)
	}
	if third, status := s.refresh(t, second.RefreshToken); status != http.StatusOK || third.RefreshToken == second.RefreshToken {
		t.Fatalf("a second refresh: %d", status)
	}
	if again, status := s.refresh(t, first.RefreshToken); status != http.StatusOK || again.RefreshToken != second.RefreshToken {
		t.Errorf("a repeat within the grace: %d, want the same successor", status)
	}
	// That a later repeat ends the login needs another clock: package login's tests have one.
	if _, status := s.refresh(t, "A"+first.RefreshToken[1:]); status != http.StatusBadRequest {
		t.Errorf("a token that nobody was given: %d", status)
	}
}

func (s *site) refresh(t *testing.T, token string) (tokens, int) {
	t.Helper()
	resp, err := http.PostForm(s.url+"/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	return readTokens(t, resp), resp.StatusCode
}
