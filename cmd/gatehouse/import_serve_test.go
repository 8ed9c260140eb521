// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/entratest"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
	signing "github.com/gatehouse-auth/gatehouse/test/served"
)

// secretOf is a Secret's document.
func secretOf(name, key, value string) string {
	return "---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\ndata: {" + key + ": " + base64.StdEncoding.EncodeToString([]byte(value)) + "}\n"
}

func quotedPEM(text string) string { return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"` }

// TestImportedTimbr guards that the settings of Timbr, imported and served, pass the tokens that they were for, and no others.
func TestImportedTimbr(t *testing.T) {
	const password, aes = "correct horse battery staple, and more", "0123456789abcdef0123456789abcdef"
	hs, rs := signing.HMAC("HS256", []byte(password)), signing.NewSigner(t, "RS256", "")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	privatePEM := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}))
	text := `ENABLE_TOKEN=true
JWT_TYPE=custom
JWT_DEFAULT_ALGORITHM=RS246
JWT_DEFAULT_KEY=` + quotedPEM("\n"+rs.PEM(t)) + `
JWT_DEFAULT_AUDIENCE=https://api.acme.example
JWT_USE_EMAIL_OR_USER=username
JWT_ISSUER=https://idp.acme.example
JWT_TENANT_5_ALGORITHM=HS256
JWT_TENANT_5_KEY='` + password + `'
JWT_TENANT_5_AUDIENCE=five
JWT_SEALED_ALGORITHM=RSA-OAEP
JWT_SEALED_KEY=` + quotedPEM(privatePEM) + `
JWT_VAULT_ALGORITHM=AES
JWT_VAULT_KEY=` + aes + `
JWT_USE_TENANT_USER=True
`
	dir := importedFolder(t, nil, secretOf("sealed-jwt", "public.pem", rs.PEM(t)), text, "timbr", "--tenant", "tenant-5", "--tenant", "initech,Sealed")
	s := start(t, "-f", dir)
	claims := signing.Claims{"username": "bob", "iss": "https://idp.acme.example", "aud": "https://api.acme.example", "exp": time.Now().Add(time.Hour).Unix()}
	five := claims.With(signing.Claims{"aud": "five"})
	inside, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed := rs.Sign(t, nil, claims)
	for _, c := range []struct {
		name, tenant, token string
		status              int
		user                string
	}{
		{"no tenant", "", signed, 200, "bob"},
		{"the default by its name", "default", signed, 200, "bob"},
		{"a copy of the default", "initech", signed, 200, "initech/bob"},
		{"another audience", "initech", rs.Sign(t, nil, five), 401, ""},
		{"another issuer", "initech", rs.Sign(t, nil, claims.With(signing.Claims{"iss": "https://evil.example"})), 401, ""},
		{"HS256", "tenant-5", hs.Sign(t, nil, five), 200, "tenant-5/bob"},
		{"the default's audience", "tenant-5", hs.Sign(t, nil, claims), 401, ""},
		{"the default's key", "tenant-5", rs.Sign(t, nil, five), 401, ""},
		{"HS256 at the default", "", hs.Sign(t, nil, claims), 401, ""},
		{"HS256 with the public key", "", signing.HMAC("HS256", []byte(rs.PEM(t))).Sign(t, nil, claims), 401, ""},
		{"RSA-OAEP", "Sealed", signing.Seal(t, jose.RSA_OAEP, jose.A256GCM, &private.PublicKey, "", signed), 200, "Sealed/bob"},
		{"RSA-OAEP without a signature", "Sealed", signing.Seal(t, jose.RSA_OAEP, jose.A256GCM, &private.PublicKey, "", string(inside)), 401, ""},
		{"signed alone", "Sealed", signed, 401, ""},
		{"AES", "vault", signing.Seal(t, jose.DIRECT, jose.A256GCM, []byte(aes), "", string(inside)), 200, "vault/bob"},
		{"AES with key wrap", "vault", signing.Seal(t, jose.A256KW, jose.A256GCM, []byte(aes), "", string(inside)), 200, "vault/bob"},
		{"AES with another key", "vault", signing.Seal(t, jose.DIRECT, jose.A256GCM, []byte(password[:32]), "", string(inside)), 401, ""},
		{"an unknown tenant", "globex", signed, 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, user := s.asked(t, c.tenant, c.token); status != c.status || user != c.user {
				t.Errorf("%d for %q, want %d for %q", status, user, c.status, c.user)
			}
		})
	}
}

// TestImportedAzure guards JWT_TYPE=azure against a fake that issues tokens as Entra ID does.
func TestImportedAzure(t *testing.T) {
	const directory, application = "aaaabbbb-0000-cccc-1111-dddd2222eeee", "00001111-aaaa-2222-bbbb-3333cccc4444"
	cloud, err := entratest.New(entratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(cloud)
	t.Cleanup(web.Close)
	cloud.SetAuthority(web.URL)
	text, err := os.ReadFile("internal/importing/testdata/timbr-azure.env")
	if err != nil {
		t.Fatal(err)
	}
	// The clouds of this machine have another address.
	dir := importedFolder(t, func(docs string) string {
		docs = strings.Replace(docs, "\n  azure:\n", "\n  azure:\n    authorityHost: "+web.URL+"\n", 1)
		return strings.ReplaceAll(docs, "https://login.microsoftonline.com/", web.URL+"/")
	}, "", string(text), "timbr")
	s := start(t, "-f", dir)
	token := func(id, version string) string {
		raw, err := cloud.Directory(id).Token(version, application, entratest.User{ObjectID: "11112222-3333-4444-5555-666677778888", UPN: "bob@acme.example"}, signing.Claims{"preferred_username": "bob@acme.example"})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if status, user := s.asked(t, "", token(directory, entratest.V2)); status != http.StatusOK || user != "bob@acme.example" {
		t.Errorf("the directory of JWT_ISSUER: %d for %q", status, user)
	}
	for name, raw := range map[string]string{
		"the directory's other issuer": token(directory, entratest.V1), "another directory": token("99999999-0000-cccc-1111-dddd2222eeee", entratest.V2),
	} {
		if status, _ := s.asked(t, "", raw); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// asked sends a token as Timbr's clients do.
func (s *served) asked(t *testing.T, tenant, token string) (status int, user string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+"/verify", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-jwt-token", token)
	if tenant != "" {
		req.Header.Set("x-jwt-tenant-id", tenant)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("X-Auth-Request-User")
}

// freePort is an address that nobody listens at for the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// logsIn goes through a provider's login with a browser's cookies and demands that /verify then knows the user.
func logsIn(t *testing.T, url, provider, user string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: testPatience}
	get := func(path string) (*http.Response, string) {
		req, err := http.NewRequest(http.MethodGet, url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Sec-Fetch-Mode", "navigate")
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	if resp, body := get("/auth/" + provider + "/login/"); resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/account" {
		t.Fatalf("the login led to %s: %d\n%s", resp.Request.URL, resp.StatusCode, body)
	}
	if resp, _ := get("/verify"); resp.StatusCode != http.StatusOK || resp.Header.Get("X-Auth-Request-User") != user {
		t.Fatalf("/verify: %d as %q, want %q", resp.StatusCode, resp.Header.Get("X-Auth-Request-User"), user)
	}
}

// TestImportedJumper guards that the settings of Jumper, imported and served, let people log in with their password and at the provider, for as long as they said.
func TestImportedJumper(t *testing.T) {
	address := freePort(t)
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{
		ID: "your-client-id", Secret: "s:e+c r%t", RedirectURIs: []string{"http://" + address + "/auth/sso/login/callback/"},
	}})
	op.User = map[string]any{"sub": "248289761001", "preferred_username": "ada", "email": "ada@example.com", "email_verified": true}
	text, err := os.ReadFile("internal/importing/testdata/jumper.env")
	if err != nil {
		t.Fatal(err)
	}
	replace := strings.NewReplacer("https://provider.com/oauth2/authorize", op.URL(optest.PathAuthorize), "https://provider.com/oauth2/token", op.URL(optest.PathToken),
		"https://provider.com/oauth2/userinfo", op.URL(optest.PathUserInfo), "https://provider.com/.well-known/jwks.json", op.URL(optest.PathJWKS),
		"your-client-secret", "'s:e+c r%t'", "LIFETIME=15", "LIFETIME=7", "AUTHENTICATION=False", "AUTHENTICATION=True")
	for _, flags := range [][]string{nil, {"--issuer", op.Issuer()}} {
		dir := importedFolder(t, nil, secretOf("staff-users", "users.yaml", `[{email: grace@example.com, username: grace, hash: "`+phc+`"}]`),
			replace.Replace(string(text)), append([]string{"jumper", "--external-url", "http://" + address}, flags...)...)
		s := start(t, "-f", dir, "--listen", address)
		logsIn(t, s.url, "sso", "ada@example.com")
		resp, err := http.Post(s.url+"/api/v1/login", "application/json", bytes.NewReader([]byte(`{"email": "grace@example.com", "password": "secret-pass"}`)))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			ExpiresIn        int `json:"expires_in"`
			RefreshExpiresIn int `json:"refresh_expires_in"`
		}
		err = json.NewDecoder(resp.Body).Decode(&got)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || got.ExpiresIn != 7*60 || got.RefreshExpiresIn != 43200*60 {
			t.Errorf("with a password: %d, %+v: %v", resp.StatusCode, got, err)
		}
		s.stop()
		if code := <-s.ended; code != exitFine { // the address is free again
			t.Errorf("serve ended with %d", code)
		}
		s.ended <- exitFine
	}
}

// TestImportedJumpServer guards that the OAuth2 settings of JumpServer, imported and served, let people log in at a service that is strict about what it is sent.
func TestImportedJumpServer(t *testing.T) {
	for _, c := range []struct{ method, mapping, user string }{
		{"POST", `{"name": "name", "username": "login", "email": "email"}`, "octocat"},
		{"Client Secret Post", `{"username": "name"}`, "Mona Lisa"},
	} {
		t.Run(c.method, func(t *testing.T) {
			address := freePort(t)
			as := oauth2server.Start(t, oauth2server.Options{ClientID: "Iv1.example", ClientSecret: "s:e+c r%t", Method: oauth2server.Post, PKCE: true,
				RedirectURIs: []string{"http://" + address + "/auth/github/login/callback/"}})
			text := `{"AUTH_OAUTH2": true, "AUTH_OAUTH2_PROVIDER": "GitHub", "AUTH_OAUTH2_CLIENT_ID": "Iv1.example", "AUTH_OAUTH2_CLIENT_SECRET": "s:e+c r%t",
				"AUTH_OAUTH2_SCOPE": "user user:email", "AUTH_OAUTH2_ACCESS_TOKEN_METHOD": "` + c.method + `", "AUTH_OAUTH2_USER_ATTR_MAP": ` + c.mapping + `,
				"AUTH_OAUTH2_PROVIDER_AUTHORIZATION_ENDPOINT": "` + as.AuthorizationEndpoint() + `", "AUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT": "` + as.TokenEndpoint() + `",
				"AUTH_OAUTH2_PROVIDER_USERINFO_ENDPOINT": "` + as.UserInfoEndpoint() + `"}`
			dir := importedFolder(t, nil, "", text, "jumpserver", "--external-url", "http://"+address)
			s := start(t, "-f", dir, "--listen", address)
			logsIn(t, s.url, "github", strings.ReplaceAll(c.user, " ", "%20"))
			if refused := as.Refusals(); len(refused) > 0 {
				t.Errorf("the service refused: %q", refused)
			}
		})
	}
}
