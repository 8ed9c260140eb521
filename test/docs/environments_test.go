// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// environments are what pages can ask for, by name. Each returns pairs of texts, one that the page has and what is put in its place.
var environments = map[string]func(t *testing.T, s *shell, bin string) []string{
	"serve":      func(*testing.T, *shell, string) []string { return nil },
	"repository": copyRepository,
	"cluster":    useCluster,
	"nginx":      findNginx,

	"keycloak": keycloak,
	"entra-id": entraID,
	"github":   github,
	"google":   google,
	"payments": payments,
}

// findNginx looks where packages put it, on administrators' paths only.
func findNginx(t *testing.T, s *shell, _ string) []string {
	t.Helper()
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if _, err := os.Stat(dir + "/nginx"); err == nil {
			s.environment = append(s.environment, "PATH="+s.path+":"+dir)
			return nil
		}
	}
	needs(t, "nginx")
	return nil
}

// copyRepository gives a page that begins in the repository what it needs of it.
func copyRepository(t *testing.T, s *shell, bin string) []string {
	t.Helper()
	if err := os.CopyFS(filepath.Join(s.dir, "config"), os.DirFS(repository+"/config")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(s.dir, "bin")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "token.txt"), sampleToken(t))
	return nil
}

// sampleToken is one that the sample of tenant acme accepts, whose private key is the example of RFC 7515 appendix A.3.
func sampleToken(t *testing.T) string {
	t.Helper()
	d, err := base64.RawURLEncoding.DecodeString("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": "https://idp.acme.example", "sub": "bob", "aud": "https://api.example", "roles": []string{"dev"}, "exp": time.Now().Add(time.Hour).Unix(),
	})
	token.Header["kid"] = "acme-2026"
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
