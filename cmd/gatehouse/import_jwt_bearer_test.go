// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	signing "github.com/gatehouse-auth/gatehouse/test/served"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// TestImportedJWTBearer guards that the settings of JWT Bearer Auth, imported and served, give callers a token of an endpoint that takes exactly what those settings say.
func TestImportedJWTBearer(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a secret of thirty-two bytes, or more"
	for _, c := range []struct {
		algorithm, private string
		public             any
	}{
		{"HS256", secret, []byte(secret)},
		{"RS256", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rs)})), &rs.PublicKey},
		{"ES256", privatePEM(t, ec), &ec.PublicKey},
	} {
		t.Run(c.algorithm, func(t *testing.T) {
			endpoint := tokenendpoint.Start(t, tokenendpoint.Options{
				Algorithm: c.algorithm, Key: c.public, KeyID: "2026-11", Issuer: "client-1", Subject: "svc@example.com", Lifetime: 5 * time.Minute,
				Claims: map[string]any{"scope": "read write", "tenant": map[string]any{"id": 42}}, GrantType: "urn:example:grant",
			})
			dir := importJWTBearer(t, c.private, map[string]any{
				"Jwt Auth Algorithm": c.algorithm, "Jwt Auth Claims Expiry Seconds": "300", "Jwt Auth Claims Issuer": "client-1", "Jwt Auth Claims Audience": endpoint.URL(),
				"Jwt Auth Claims Subject": "svc@example.com", "Jwt Auth Headers": `{"alg": "` + c.algorithm + `", "typ": "JWT", "kid": "2026-11"}`,
				"Jwt Auth Additional Claims": map[string]any{"scope": "read write", "tenant": map[string]any{"id": 42}, "iat": 1, "exp": 2}, "Jwt Auth OAuth2 Access Token Request URL": endpoint.URL(),
				"Jwt Auth Custom OAuth Request Options": map[string]any{"Custom Grant Type": "urn:example:grant"},
			})
			got := credentialOf(t, start(t, "-f", dir), "api", http.StatusOK)
			if tokens := endpoint.Tokens(); len(tokens) != 1 || got.AccessToken != tokens[0] || got.TokenType != "Bearer" {
				t.Errorf("the answer is %+v; the endpoint gave %d tokens and refused %v", got.TokenType, len(tokens), endpoint.Refusals())
			}
		})
	}
	t.Run("without an endpoint", func(t *testing.T) {
		dir := importJWTBearer(t, secret, map[string]any{"jwt_auth_algorithm": "HS256", "jwt_auth_claims_issuer": "client-1", "jwt_auth_claims_expiry_seconds": 60})
		s := start(t, "-f", dir)
		if got := credentialOf(t, s, "api", http.StatusOK); len(got.AccessToken) < 50 || got.TokenType != "Bearer" {
			t.Errorf("the answer is %+v", got.TokenType)
		}
		credentialOf(t, s, "other", http.StatusNotFound)
	})
}

func privatePEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// importJWTBearer imports settings with the command into a folder that also has tenant acme, whose callers may have the token.
func importJWTBearer(t *testing.T, key string, settings map[string]any) (dir string) {
	t.Helper()
	settings["Jwt Auth Private Key"] = key
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	dir = folder(t, map[string]string{"acme.yaml": docs(tenant("acme"), secretDoc)})
	file := filepath.Join(t.TempDir(), "auth.json")
	write(t, file, string(text))
	code, out, errs := cli(t, "", "import", "jwt-bearer", file, "--name", "api", "--allowed-callers", "tenant == 'acme' && username == 'bob'", "--secrets-out", filepath.Join(dir, "secrets.yaml"))
	if code != exitFine {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	write(t, filepath.Join(dir, "api.yaml"), out)
	if code, out, errs := cli(t, "", "lint", "-f", dir, "--require-refs"); code != exitFine {
		t.Fatalf("the linter: exit code %d: %s%s", code, out, errs)
	}
	return dir
}

type credentialAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
}

// credentialOf asks for a credential as bob of acme.
func credentialOf(t *testing.T, s *served, name string, status int) (got credentialAnswer) {
	t.Helper()
	token := signing.HMAC("HS256", []byte(hmacSecret)).Sign(t, nil, signing.Claims{"sub": "bob", "exp": time.Now().Add(time.Hour).Unix()})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/credentials/"+name, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("x-jwt-tenant-id", "acme")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		t.Fatalf("/credentials/%s: %d, want %d", name, response.StatusCode, status)
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}
