// SPDX-License-Identifier: Apache-2.0

package served

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// TestSampleOfTokenExchange guards that what the sample of tokenExchange promises comes about: a JWT of a repository of the tenant's is exchanged, one of another
// is not, and /verify takes the access token.
func TestSampleOfTokenExchange(t *testing.T) {
	sample, err := os.ReadFile("../../config/samples/credentials/token-exchange.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ci := NewSigner(t, "RS256", "ci-1")
	const published = "jwksURI: https://ci.cyberdyne.example/keys"
	document := strings.Replace(string(sample), published, "keys: [{jwks: '"+ci.JWKS(t)+"'}]", 1)
	if document == string(sample) {
		t.Fatalf("the sample has no %s", published)
	}
	const server = "apiVersion: auth.gatehouse.dev/v1alpha1\nkind: AuthServer\nmetadata: {name: default, namespace: default}\nspec: {externalURL: 'https://auth.example.com'}\n---\n"
	at := "http://" + Start(t, server+document)
	exchange := func(repository string) (*http.Response, string) {
		now := time.Now()
		assertion := ci.Sign(t, nil, Claims{"iss": "https://ci.cyberdyne.example", "sub": "builder", "aud": "https://auth.example.com", "jti": repository, "exp": now.Add(5 * time.Minute).Unix(), "repository": repository})
		answer, err := http.PostForm(at+"/oauth2/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}, "scope": {"read"}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		return answer, body.AccessToken
	}
	if answer, access := exchange("skynet/core"); answer.StatusCode != http.StatusBadRequest || access != "" {
		t.Errorf("another's repository: %d", answer.StatusCode)
	}
	answer, access := exchange("cyberdyne/core")
	if answer.StatusCode != http.StatusOK || access == "" {
		t.Fatalf("%d", answer.StatusCode)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/verify/cyberdyne", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if user := got.Header.Get("X-Auth-Request-User"); got.StatusCode != http.StatusOK || user != "cyberdyne/builder" {
		t.Errorf("/verify: %d for %q", got.StatusCode, user)
	}
}
