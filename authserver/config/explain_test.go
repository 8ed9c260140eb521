// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/config/configtest"
)

// full has every field of every file set, as JSON, and the parser of each.
func full(t *testing.T) map[string]struct {
	document []byte
	parse    func([]byte) error
} {
	t.Helper()
	base := config.Base{
		Version: config.Version, Server: "default/default", ExternalURL: "https://auth.example",
		Tokens:   config.Tokens{AccessTokenLifetime: config.Duration(time.Minute), RefreshTokenLifetime: config.Duration(time.Hour), Audience: []string{"https://auth.example"}},
		Store:    config.Store{Type: config.StoreEmbedded},
		Outbound: config.Outbound{AllowedCIDRs: []string{"10.0.0.0/8"}, CABundle: "pem"},
		Providers: []config.Provider{{
			Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, DisplayName: "Staff", Organization: "default",
			Password: &config.Password{Users: []config.User{{Email: "ada@example.com", Username: "ada", Name: "Ada", Groups: []string{"a"}, Hash: "$argon2id$"}}},
		}},
	}
	signing := config.Keys{Version: config.Version, Keys: []config.SigningKey{{
		KeyID: "a", Algorithm: "ES256", ActiveFrom: time.Unix(1, 0).UTC(), RetireAfter: time.Unix(2, 0).UTC(), TokenLifetime: config.Duration(time.Minute), PrivateKey: "pem",
	}}}
	second := signing.Keys[0]
	second.KeyID = "b"
	signing.Keys = append(signing.Keys, second)
	policy := config.Policy{
		Object: "TenantJWTPolicy/default/acme", TenantID: "acme", Default: true,
		Issuers:   []config.Issuer{{Issuer: "a", JWKSURI: "https://a.example"}, {Issuer: "b", Keys: []json.RawMessage{[]byte(`{"kty":"oct","k":"secret"}`)}}},
		Audiences: []string{"a"}, Algorithms: []string{"RS256"}, TokenTypes: []string{"jwt"}, Leeway: config.Duration(time.Second),
		CABundle: config.Hash([]byte("pem")), Claims: config.ClaimRules{Username: config.Username{Source: config.Source{Claims: []string{"sub"}}, PrefixWithTenant: true}, Email: config.Source{Claims: []string{"email"}}, Groups: config.Source{Claims: []string{"groups"}}},
		AcceptIssuedTokens: true, UpstreamCredential: "api", TokenExchange: &config.TokenExchange{Scopes: []string{"read"}},
	}
	credential := config.Credential{
		Object: "IdentityProvider/default/api", Name: "api", CABundle: config.Hash([]byte("pem")), Key: []byte(`{"kty":"oct","k":"secret"}`), KeyID: "k1", Algorithm: "HS256",
		Issuer: "a", Subject: "a", Audience: "b", Lifetime: config.Duration(time.Minute), Headers: map[string]json.RawMessage{"typ": []byte(`"jwt"`)}, Claims: map[string]json.RawMessage{"scope": []byte(`["a"]`)},
		TokenEndpoint: "https://a.example/token", GrantType: "urn:x", Client: &config.Client{ID: "a", Authentication: config.ClientSecretBasic, Secret: "secret"},
		Parameters: []config.Parameter{{Name: "scope", Value: "a"}}, AllowedCallers: "true",
	}
	tenants := config.Tenants{
		Version: config.Version, Count: 1, Bundles: map[string]string{config.Hash([]byte("pem")): "pem"},
		Policies: []config.Policy{policy}, Credentials: []config.Credential{credential},
	}
	type file = struct {
		document []byte
		parse    func([]byte) error
	}
	return map[string]file{
		config.FileBase: {encode(t, &base), func(b []byte) error { _, err := config.ParseBase(b); return err }},
		config.FileKeys: {encode(t, &signing), func(b []byte) error { _, err := config.ParseKeys(b); return err }},
		config.TenantsFile(1, 0): {encode(t, &tenants), func(b []byte) error {
			_, err := config.ParseTenants(config.TenantsFile(1, 0), zipped(t, b))
			return err
		}},
	}
}

// encode returns the file's content, uncompressed.
func encode(t *testing.T, v interface{ Encode() ([]byte, error) }) []byte {
	t.Helper()
	data, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestErrorsHoldNoContent guards logs and /configz, which anybody may read: whatever is in a file, in whichever field, its
// parser's error holds nothing of it. Every file is also given to the parsers of the others.
func TestErrorsHoldNoContent(t *testing.T) {
	files := full(t)
	for name, file := range files {
		if err := file.parse(file.document); err != nil {
			t.Fatalf("%s: the good file is refused: %v", name, err)
		}
		refused := 0
		for what, document := range configtest.Spoil(file.document) {
			for reader, other := range files {
				err := other.parse(document)
				if err == nil {
					continue
				}
				refused++
				if configtest.Holds(err.Error()) {
					t.Errorf("%s read as %s: %s: %v", name, reader, what, err)
				}
			}
		}
		if refused < 1000 {
			t.Errorf("%s: only %d documents were refused: nothing is shown", name, refused)
		}
	}
}

// TestErrorsStillHelp guards what may be told: the place and the kind.
func TestErrorsStillHelp(t *testing.T) {
	base := string(full(t)[config.FileBase].document)
	for _, tt := range []struct{ from, to, want string }{
		{`{"version":1`, `{"version":"hunter2"`, "field version holds a string of another form than this version's"},
		{`{"version":1`, `{"version":48151623421516234215162342`, "field version holds a number of another form than this version's"},
		{`"audience":[`, `"audience":[12,`, "field tokens.audience holds a number"},
		{`{"version":1`, `{"version":hunter2`, "JSON syntax error at byte 12"},
		{`"1m0s"`, `"hunter2"`, `a duration is not a string such as "15m0s"`},
		{`"version"`, `"hunter2"`, "content is not of this version's form: a field is not known, or a value has another form"},
		{"}\n", "", "content is cut off"},
		{base, "", "content is empty"},
		{"}\n", "}\nhunter2", "data after the end of the JSON value"},
	} {
		_, err := config.ParseBase([]byte(strings.Replace(base, tt.from, tt.to, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.to, err, tt.want)
		}
	}
	_, err := config.ParseKeys([]byte(`{"version":1,"keys":[{"activeFrom":"hunter2"}]}`))
	if want := "parsing keys.json: a time is not of the form 2006-01-02T15:04:05Z (RFC 3339)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
