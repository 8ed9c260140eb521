// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func base() *Base {
	return &Base{
		Version: Version, Server: "default/default", ExternalURL: "https://auth.example",
		Tokens: Tokens{
			AccessTokenLifetime: Duration(15 * time.Minute), RefreshTokenLifetime: Duration(720 * time.Hour),
			Audience: []string{"https://auth.example"},
		},
		Store:    Store{Type: StoreEmbedded},
		Outbound: Outbound{AllowedCIDRs: []string{"10.0.0.0/8"}},
		Providers: []Provider{{
			Object: "IdentityProvider/default/staff", Name: "staff", Type: ProviderPassword, Organization: "default",
			Password: &Password{Users: []User{{Email: "ada@example.com", Username: "ada", Hash: "$argon2id$..."}}},
		}},
	}
}

func policy(tenant string) Policy {
	return Policy{
		Object: "TenantJWTPolicy/default/" + tenant, TenantID: tenant,
		Issuers:    []Issuer{{Issuer: "https://idp.example", JWKSURI: "https://idp.example/keys"}},
		Algorithms: []string{"RS256"}, TokenTypes: []string{"", "jwt"}, Leeway: Duration(30 * time.Second),
		Claims: ClaimRules{Username: Username{Source: Source{Claims: []string{"upn"}}}},
	}
}

// Guards that what the operator writes is what the server reads, and that equal values give equal bytes: the hash of a
// file must not change without its content.
func TestRoundTrip(t *testing.T) {
	b := base()
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseBase(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, back); diff != "" {
		t.Error(diff)
	}
	tenants := &Tenants{Version: Version, Count: 1, Bundles: map[string]string{Hash([]byte("pem")): "pem"}, Policies: []Policy{policy("acme"), policy("globex")}}
	tenants.Policies[1].CABundle = Hash([]byte("pem"))
	first, err := tenants.Encode()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := tenants.Encode()
	if !bytes.Equal(first, second) {
		t.Error("two encodings of one value differ")
	}
	got, err := ParseTenants(TenantsFile(1, 0), first)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tenants, got); diff != "" {
		t.Error(diff)
	}
}

// Guards each check of base.json: the server must not swap in what it cannot serve.
func TestParseBaseRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Base)
		want   string
	}{
		{"another version", func(b *Base) { b.Version = 2 }, "version is 2, this server reads version 1"},
		{"no URL", func(b *Base) { b.ExternalURL = "" }, "externalURL is not an http or https URL"},
		{"unknown store", func(b *Base) { b.Store.Type = "Redis" }, "store.type is not known, want Embedded, PostgreSQL or None"},
		{"no lifetime", func(b *Base) { b.Tokens.AccessTokenLifetime = 0 }, "accessTokenLifetime must be at least 1s"},
		{"refresh before access", func(b *Base) { b.Tokens.RefreshTokenLifetime = Duration(time.Minute) }, "not exceed refreshTokenLifetime"},
		{"no audience", func(b *Base) { b.Tokens.Audience = nil }, "tokens.audience is empty"},
		{"no range", func(b *Base) { b.Outbound.AllowedCIDRs = []string{"10.0.0.0"} }, "outbound.allowedCIDRs[0]"},
		{"provider without name", func(b *Base) { b.Providers[0].Name = "" }, "IdentityProvider/default/staff: object and name are required"},
		{"bad organization", func(b *Base) { b.Providers[0].Organization = "a/b" }, "organization is not valid"},
		{"unknown type", func(b *Base) { b.Providers[0].Type = "LDAP" }, "type is not known"},
		{"no block", func(b *Base) { b.Providers[0].Password = nil }, "its block is missing"},
		{"one name twice", func(b *Base) { b.Providers = append(b.Providers, b.Providers[0]) }, "another provider has the same name"},
		{"two Password providers", func(b *Base) {
			second := b.Providers[0]
			second.Name = "other"
			b.Providers = append(b.Providers, second)
		}, "a second Password provider"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := base()
			test.change(b)
			data, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseBase(data); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Guards each check of a tenants file.
func TestParseTenantsRefuses(t *testing.T) {
	edit := func(f func(*Policy)) Tenants {
		p := policy("acme")
		f(&p)
		return Tenants{Version: Version, Count: 1, Policies: []Policy{p}}
	}
	bundled := func(bundles map[string]string, named string) Tenants {
		t := edit(func(p *Policy) { p.CABundle = named })
		t.Bundles = bundles
		return t
	}
	other := 1 - ShardOf("acme", 2)
	tests := []struct {
		name    string
		file    string
		tenants Tenants
		want    string
	}{
		{"name of another shard", TenantsFile(2, 1), Tenants{Version: Version, Count: 1}, "content is shard 0 of 1"},
		{"not a tenants file", "tenants.json", Tenants{}, "not the name of a tenants file"},
		{"another version", TenantsFile(1, 0), Tenants{Version: 7, Count: 1}, "version is 7"},
		{"one tenant twice", TenantsFile(1, 0), Tenants{Version: Version, Count: 1, Policies: []Policy{policy("acme"), policy("acme")}}, "a second policy of its tenant"},
		{"tenant of another shard", TenantsFile(2, other), Tenants{Version: Version, Count: 2, Shard: other, Policies: []Policy{policy("acme")}}, "its tenant belongs to shard"},
		{"bad tenant", TenantsFile(1, 0), edit(func(p *Policy) { p.TenantID = "a/b" }), "TenantJWTPolicy/default/acme: tenantID is not valid"},
		{"no object", TenantsFile(1, 0), edit(func(p *Policy) { p.Object = "" }), "policies[0]: object is empty"},
		{"no algorithms", TenantsFile(1, 0), edit(func(p *Policy) { p.Algorithms = nil }), "algorithms and tokenTypes are required"},
		{"no issuers", TenantsFile(1, 0), edit(func(p *Policy) { p.Issuers = nil }), "no issuers"},
		{"no credential's name", TenantsFile(1, 0), edit(func(p *Policy) { p.UpstreamCredential = "a/b" }), "upstreamCredential is not the name of a credential"},
		{"leeway below zero", TenantsFile(1, 0), edit(func(p *Policy) { p.Leeway = -1 }), "leeway is negative"},
		{"age below zero", TenantsFile(1, 0), edit(func(p *Policy) { p.MaxTokenAge = -1 }), "maxTokenAge is negative"},
		{"no refresh", TenantsFile(1, 0), edit(func(p *Policy) { p.JWKS = &JWKSTimes{} }), "jwks: refreshInterval must be positive"},
		{"stale below zero", TenantsFile(1, 0), edit(func(p *Policy) { p.JWKS = &JWKSTimes{RefreshInterval: 1, StaleIfError: -1} }), "staleIfError not negative"},
		{"decryption without keys", TenantsFile(1, 0), edit(func(p *Policy) {
			p.Decryption = &Decryption{KeyAlgorithms: []string{"dir"}, ContentAlgorithms: []string{"A256GCM"}}
		}), "decryption: keyAlgorithms, contentAlgorithms and keys are required"},
		{"no username", TenantsFile(1, 0), edit(func(p *Policy) { p.Claims.Username = Username{} }), "claims.username is required"},
		{"two sources", TenantsFile(1, 0), edit(func(p *Policy) { p.Claims.Email = Source{Claims: []string{"a"}, Expression: "b"} }), "claims.email: more than one of"},
		{"header without source", TenantsFile(1, 0), edit(func(p *Policy) { p.Claims.Headers = []HeaderMapping{{Name: "X-Plan"}} }), "claims.headers[0]: name and a source are required"},
		{"rule of both kinds", TenantsFile(1, 0), edit(func(p *Policy) { p.Claims.Rules = []ClaimRule{{Claim: "a", Expression: "b"}} }), "claims.rules[0]: want either claim or expression"},
		{"rule of no kind", TenantsFile(1, 0), edit(func(p *Policy) { p.Claims.Rules = []ClaimRule{{}} }), "claims.rules[0]: want either claim or expression"},
		{"URL and keys", TenantsFile(1, 0), edit(func(p *Policy) { p.Issuers[0].Keys = []json.RawMessage{[]byte("{}")} }), "want exactly one of jwksURI, discovery and keys"},
		{"URL and discovery", TenantsFile(1, 0), edit(func(p *Policy) { p.Issuers[0].Discovery = "https://idp.example/metadata" }), "want exactly one of jwksURI, discovery and keys"},
		{"neither", TenantsFile(1, 0), edit(func(p *Policy) { p.Issuers[0].JWKSURI = "" }), "want exactly one of jwksURI, discovery and keys"},
		{"URL without issuer", TenantsFile(1, 0), edit(func(p *Policy) { p.Issuers[0].Issuer = "" }), "issuer is required"},
		{"a bundle that is not there", TenantsFile(1, 0), edit(func(p *Policy) { p.CABundle = Hash([]byte("x")) }), "TenantJWTPolicy/default/acme: caBundle names none of bundles"},
		{"a bundle under another's name", TenantsFile(1, 0), bundled(map[string]string{Hash([]byte("x")): "y"}, Hash([]byte("x"))), "bundles: the name of one is not its SHA-256"},
		{"a bundle for nothing", TenantsFile(1, 0), bundled(map[string]string{Hash([]byte("x")): "x", Hash([]byte("y")): "y"}, Hash([]byte("x"))), "bundles: 1 of them are named by no policy and no credential"},
		{"one issuer twice", TenantsFile(1, 0), edit(func(p *Policy) { p.Issuers = append(p.Issuers, p.Issuers[0]) }), "issuers[1]: its issuer is there twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, err := test.tenants.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseTenants(test.file, data); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Guards the strict reading: what this version does not know must not be passed over silently.
func TestDecodingIsStrict(t *testing.T) {
	for name, data := range map[string]string{
		"unknown field": `{"version":1,"surprise":true}`,
		"two values":    `{"version":1}{}`,
		"not JSON":      `version: 1`,
		"empty":         ``,
	} {
		if _, err := ParseBase([]byte(data)); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

// Guards the bound on what a small compressed file may grow to.
func TestDecompressionIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	chunk := bytes.Repeat([]byte(" "), 1<<20) // of which each is JSON so far
	for range MaxShardContent>>20 + 1 {
		if _, err := z.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseTenants(TenantsFile(1, 0), bomb.Bytes()); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v, want a refusal of the size", err)
	}
}

// Guards the names and the property that growth relies on: a doubled count splits each shard in two.
func TestShards(t *testing.T) {
	for _, id := range []string{"acme", "globex", "a", "tenant-5", "x.y.z"} {
		for count := 1; count < MaxShards; count *= 2 {
			if small, large := ShardOf(id, count), ShardOf(id, 2*count); large != small && large != small+count {
				t.Errorf("%s: shard %d of %d became %d of %d", id, small, count, large, 2*count)
			}
		}
	}
	for name, want := range map[string]bool{
		"tenants-1-0.json.gz": true, "tenants-256-255.json.gz": true, "tenants-2-2.json.gz": false, "tenants-3-0.json.gz": false,
		"tenants-512-0.json.gz": false, "tenants-01-0.json.gz": false, "tenants-1-0.json": false, "tenants-0-0.json.gz": false,
	} {
		if _, _, ok := ParseTenantsFile(name); ok != want {
			t.Errorf("ParseTenantsFile(%q) = %v, want %v", name, ok, want)
		}
	}
}

func FuzzParseTenants(f *testing.F) {
	seed, _ := (&Tenants{Version: Version, Count: 1, Policies: []Policy{policy("acme")}}).Encode()
	f.Add(seed)
	seed, _ = (&Tenants{Version: Version, Count: 1, Credentials: []Credential{credential("api")}}).Encode()
	f.Add(seed)
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := ParseTenants(TenantsFile(1, 0), data)
		if err != nil {
			return
		}
		again, err := parsed.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseTenants(TenantsFile(1, 0), again); err != nil {
			t.Errorf("what was parsed does not parse when written: %v", err)
		}
	})
}
