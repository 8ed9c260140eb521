// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
)

// refused goes to a provider's login with a browser and demands that it does not end at the account.
func refused(t *testing.T, url, provider string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: testPatience}
	req, err := http.NewRequest(http.MethodGet, url+"/auth/"+provider+"/login/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Request.URL.Path == "/account" {
		t.Errorf("%s let somebody in", provider)
	}
}

// changed are claims with others in their place; nil leaves one out.
func changed(claims, change map[string]any) map[string]any {
	out := maps.Clone(claims)
	for name, value := range change {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// TestImportedOAuth2Proxy guards that the settings of OAuth2 Proxy, imported and served, let in by login and bearer token whom they let in, and nobody else.
func TestImportedOAuth2Proxy(t *testing.T) {
	address := freePort(t)
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{ID: "intranet", Secret: "s:e+c r%t-and-more", RedirectURIs: []string{"http://" + address + "/auth/keycloak/login/callback/"}}})
	ada := map[string]any{"sub": "248289761001", "preferred_username": "ada", "email": "Ada@acme.example", "email_verified": true, "groups": []any{"/staff"}, "realm_access": map[string]any{"roles": []any{}}}
	op.User = ada
	text := `provider = "keycloak-oidc"
client_id = "intranet"
client_secret = "s:e+c r%t-and-more"
oidc_issuer_url = "` + op.Issuer() + `"
redirect_url = "http://` + address + `/oauth2/callback"
email_domains = ["acme.example"]
allowed_groups = ["/staff"]
allowed_roles = ["intranet-user"]
cookie_secret = "0123456789abcdef0123456789abcdef"
cookie_expire = "168h"
skip_jwt_bearer_tokens = true
extra_jwt_issuers = "https://ci.acme.example=ci"
`
	dir := importedFolder(t, nil, "", text, "oauth2-proxy")
	s := start(t, "-f", dir, "--listen", address)
	logsIn(t, s.url, "keycloak", "248289761001")
	for name, change := range map[string]map[string]any{
		"another domain": {"email": "ada@evil.example"}, "a domain that ends alike": {"email": "ada@notacme.example"}, "an address that is not verified": {"email_verified": false},
		"no group": {"groups": []any{"/guests"}}, "no groups at all": {"groups": nil},
	} {
		t.Run(name, func(t *testing.T) {
			op.User = changed(ada, change)
			refused(t, s.url, "keycloak")
		})
	}
	op.User = changed(ada, map[string]any{"groups": nil, "realm_access": map[string]any{"roles": []any{"intranet-user"}}})
	logsIn(t, s.url, "keycloak", "248289761001")
	// A token of the provider's, brought along by a program.
	token := func(change map[string]any) string {
		claims := map[string]any{"iss": op.Issuer(), "aud": "intranet", "sub": "robot", "exp": time.Now().Add(time.Hour).Unix(), "groups": []any{"/staff"}}
		return op.Sign(changed(claims, change), nil)
	}
	for _, c := range []struct {
		name   string
		change map[string]any
		status int
	}{
		{"a token", nil, http.StatusOK},
		{"audiences", map[string]any{"aud": []any{"other", "intranet"}}, http.StatusOK},
		{"the other issuer's audience", map[string]any{"aud": "ci"}, http.StatusForbidden},
		{"another audience", map[string]any{"aud": "else"}, http.StatusUnauthorized},
		{"no group", map[string]any{"groups": []any{"/guests"}}, http.StatusForbidden},
		{"a role", map[string]any{"groups": nil, "realm_access": map[string]any{"roles": []any{"intranet-user"}}}, http.StatusOK},
		{"another domain", map[string]any{"email": "x@evil.example"}, http.StatusForbidden},
		{"the domain", map[string]any{"email": "x@ACME.example"}, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, user := s.asked(t, "", token(c.change)); status != c.status || status == http.StatusOK && user != "robot" {
				t.Errorf("%d for %q, want %d", status, user, c.status)
			}
		})
	}
}

// TestImportedProxyFiles guards that the files that the settings name are read beside them, and nowhere else.
func TestImportedProxyFiles(t *testing.T) {
	dir := folder(t, map[string]string{"in/oauth2-proxy.cfg": "provider = \"oidc\"\nclient_id = \"x\"\nclient_secret_file = \"/run/secrets/one\"\noidc_issuer_url = \"https://a.example\"\nauthenticated_emails_file = \"../emails\"\n",
		"in/one": "a-secret-of-a-file\n", "emails": "eve@evil.example\n", "elsewhere": "eve@evil.example\n"})
	if err := os.Symlink("../elsewhere", filepath.Join(dir, "in", "emails")); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := cli(t, "", "import", "oauth2-proxy", filepath.Join(dir, "in", "oauth2-proxy.cfg"), "--secrets-out", filepath.Join(dir, "s.yaml"))
	if code != exitFine || strings.Contains(stdout, "eve@") || strings.Contains(stdout, "a-secret") || !strings.Contains(stdout, `expression: "false"`) {
		t.Errorf("%d: %s\n%s", code, stderr, stdout)
	}
	secrets, err := os.ReadFile(filepath.Join(dir, "s.yaml"))
	if err != nil || !strings.Contains(string(secrets), "clientSecret: a-secret-of-a-file\n") {
		t.Errorf("%v\n%s", err, secrets)
	}
}

// TestImportedDex guards that connectors of Dex, imported and served, let people log in, and its users with their password.
func TestImportedDex(t *testing.T) {
	address := freePort(t)
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{ID: "dex", Secret: "s:e+c r%t-and-more", RedirectURIs: []string{"http://" + address + "/auth/sso/login/callback/"}}})
	ada := map[string]any{"sub": "248289761001", "login": "ada", "full_name": "Ada", "mail": "ada@acme.example", "groups": []any{"staff"}}
	op.User = ada
	as := oauth2server.Start(t, oauth2server.Options{ClientID: "Iv1.example", ClientSecret: "s:e+c r%t-and-more", Method: oauth2server.Basic, PKCE: true,
		RedirectURIs: []string{"http://" + address + "/auth/hub/login/callback/"}})
	text := `issuer: http://` + address + `/dex
storage: {type: memory}
expiry: {idTokens: 20m}
enablePasswordDB: true
staticPasswords:
- {email: grace@acme.example, username: grace, userID: "1", hash: "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"}
connectors:
- type: oidc
  id: sso
  name: Acme
  config: {issuer: "` + op.Issuer() + `", clientID: dex, clientSecret: "s:e+c r%t-and-more", insecureSkipEmailVerified: true, insecureEnableGroups: true, allowedGroups: [staff], claimMapping: {preferred_username: login, email: mail}, userNameKey: full_name}
- type: oauth
  id: hub
  name: Hub
  config: {clientID: Iv1.example, clientSecret: "s:e+c r%t-and-more", authorizationURL: "` + as.AuthorizationEndpoint() + `", tokenURL: "` + as.TokenEndpoint() + `", userInfoURL: "` + as.UserInfoEndpoint() + `",
    scopes: ["read:user"], claimMapping: {preferredUsernameKey: login, userNameKey: name}}
`
	dir := importedFolder(t, nil, "", text, "dex")
	s := start(t, "-f", dir, "--listen", address)
	logsIn(t, s.url, "sso", "ada")
	logsIn(t, s.url, "hub", "octocat")
	if refused := as.Refusals(); len(refused) > 0 {
		t.Errorf("the service refused: %q", refused)
	}
	op.User = changed(ada, map[string]any{"groups": []any{"guests"}})
	refused(t, s.url, "sso")
	// The hash of Dex's example configuration, of the word password.
	resp, err := http.Post(s.url+"/api/v1/login", "application/json", strings.NewReader(`{"email": "grace@acme.example", "password": "password"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("with a password: %d", resp.StatusCode)
	}
}
