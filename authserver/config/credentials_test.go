// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func credential(name string) Credential {
	return Credential{
		Object: "IdentityProvider/default/" + name, Name: name, Key: json.RawMessage(`{"kty":"oct","k":"c2VjcmV0"}`), KeyID: "k1", Algorithm: "HS256",
		Issuer: "a", Subject: "b", Audience: "c", Lifetime: Duration(time.Hour),
		Headers: map[string]json.RawMessage{"typ": json.RawMessage(`"at+jwt"`)}, Claims: map[string]json.RawMessage{"n": json.RawMessage(`12345678901234567890`)},
		TokenEndpoint: "https://api.example/token", GrantType: "urn:x", Client: &Client{ID: "id", Authentication: ClientSecretBasic, Secret: "s"},
		Parameters: []Parameter{{Name: "scope", Value: "a b"}}, AllowedCallers: "tenant == 'acme'",
	}
}

// TestCredentialsRoundTrip guards that the server reads what the operator writes, digit by digit.
func TestCredentialsRoundTrip(t *testing.T) {
	pem := Hash([]byte("pem"))
	api := credential("api")
	api.CABundle = pem
	bare := Credential{Object: "IdentityProvider/team/app", Name: "team_app", Key: api.Key, Algorithm: "HS256", Issuer: "1", Lifetime: 1}
	want := &Tenants{Version: Version, Count: 1, Bundles: map[string]string{pem: "pem"}, Policies: []Policy{policy("acme")}, Credentials: []Credential{api, bare}}
	want.Policies[0].UpstreamCredential = "api"
	want.Policies[0].TokenExchange = &TokenExchange{Scopes: []string{"read"}}
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseTenants(TenantsFile(1, 0), data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	pauses := 0
	shard, err := (&Reader{Pause: func() { pauses++ }}).Read(TenantsFile(1, 0), data)
	if err != nil || len(shard.Credentials) != 2 || len(shard.Entries) != 1 || pauses != 3 {
		t.Errorf("%d credentials, %d policies, %d pauses, %v", len(shard.Credentials), len(shard.Entries), pauses, err)
	}
}

// TestCredentialsRefused guards each check of the list: the server must not swap in what it cannot serve.
func TestCredentialsRefused(t *testing.T) {
	for want, change := range map[string]func(*Credential){
		"credentials[0]: object is empty":                              func(c *Credential) { c.Object = "" },
		"name is not that of an IdentityProvider":                      func(c *Credential) { c.Name = "a/b" },
		"IdentityProvider/default/api: name is not that":               func(c *Credential) { c.Name = "" },
		"key is not a JWK":                                             func(c *Credential) { c.Key = json.RawMessage("null") },
		"algorithm is required":                                        func(c *Credential) { c.Algorithm = "" },
		"issuer is required":                                           func(c *Credential) { c.Issuer = "" },
		"lifetime must be positive":                                    func(c *Credential) { c.Lifetime = 0 },
		"headers holds alg, which is not its to set":                   func(c *Credential) { c.Headers["alg"] = json.RawMessage(`"none"`) },
		"headers holds crit, which is not its to set":                  func(c *Credential) { c.Headers["crit"] = json.RawMessage(`[]`) },
		"claims holds exp, which is not its to set":                    func(c *Credential) { c.Claims["exp"] = json.RawMessage(`1`) },
		"claims holds jti, which is not its to set":                    func(c *Credential) { c.Claims["jti"] = json.RawMessage(`1`) },
		"tokenEndpoint goes with subject, audience and grantType":      func(c *Credential) { c.Subject = "" },
		"api: tokenEndpoint goes with subject, audience and grantType": func(c *Credential) { c.Audience = "" },
		"gz: IdentityProvider/default/api: tokenEndpoint goes with subject, audience and grantType": func(c *Credential) { c.GrantType = "" },
		"grantType, client, parameters and caBundle go with":                                        func(c *Credential) { c.TokenEndpoint = "" },
		"parameters: name is required":                                                              func(c *Credential) { c.Parameters[0].Name = "" },
		"client.id is required":                                                                     func(c *Credential) { c.Client.ID = "" },
		"IdentityProvider/default/api: caBundle names none of bundl":                                func(c *Credential) { c.CABundle = Hash([]byte("x")) },
	} {
		c := credential("api")
		change(&c)
		if err := refusal(t, TenantsFile(1, 0), &Tenants{Version: Version, Count: 1, Credentials: []Credential{c}}); !strings.Contains(err, want) {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

// TestCredentialsOfAFile guards what spans the list.
func TestCredentialsOfAFile(t *testing.T) {
	pem := Hash([]byte("pem"))
	other := 1 - ShardOf("api", 2)
	crowd := &Tenants{Version: Version, Count: 1}
	for i := range MaxCredentials + 1 {
		crowd.Credentials = append(crowd.Credentials, Credential{Object: "x", Name: fmt.Sprintf("c%d", i), Key: json.RawMessage(`{}`), Algorithm: "HS256", Issuer: "a", Lifetime: 1})
	}
	large := credential("api")
	large.Issuer = strings.Repeat("x", MaxObject)
	for name, tt := range map[string]struct {
		file    string
		tenants *Tenants
		want    string
	}{
		"one name twice":       {TenantsFile(1, 0), &Tenants{Version: Version, Count: 1, Credentials: []Credential{credential("api"), credential("api")}}, "a second credential of its name"},
		"name of other shard":  {TenantsFile(2, other), &Tenants{Version: Version, Shard: other, Count: 2, Credentials: []Credential{credential("api")}}, "its name belongs to shard"},
		"a bundle for nothing": {TenantsFile(1, 0), &Tenants{Version: Version, Count: 1, Bundles: map[string]string{pem: "pem"}, Credentials: []Credential{credential("api")}}, "named by no policy and no credential"},
		"too many":             {TenantsFile(1, 0), crowd, "more than 16384 credentials"},
		"too large":            {TenantsFile(1, 0), &Tenants{Version: Version, Count: 1, Credentials: []Credential{large}}, "credentials[0] has more than 131072 bytes"},
	} {
		if err := refusal(t, tt.file, tt.tenants); !strings.Contains(err, tt.want) {
			t.Errorf("%s: got %q, want %q", name, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		`[{"lifetime":"x"}]`:   `a duration is not a string such as "15m0s"`,
		`[{"issuer":7}]`:       "field credentials.issuer holds a number",
		`[{"surprise":7}]`:     "a field is not known",
		`{}`:                   "content is not of this version's form",
		`[null]`:               "credentials[0]: object is empty",
		`[{"key":{"a":1,"a"`:   "a member of an object is there twice",
		`[{"headers":["typ"]}`: "field credentials.headers holds a array",
	} {
		_, err := ParseTenants(TenantsFile(1, 0), zip(t, `{"version":1,"shard":0,"count":1,"credentials":`+text+`}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func refusal(t *testing.T, file string, tenants *Tenants) string {
	t.Helper()
	data, err := tenants.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = ParseTenants(file, data); err == nil {
		return ""
	}
	return err.Error()
}
