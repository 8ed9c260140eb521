// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestFoldKeepsEverything guards pods that still mount a smaller set of tenants files: it holds every policy and credential, with the CA bundles that they
// name, and nothing twice.
func TestFoldKeepsEverything(t *testing.T) {
	const pem = "bundle"
	bundle := config.Hash([]byte(pem))
	large := map[string][]byte{}
	for n := range 4 {
		shard := config.Tenants{Version: config.Version, Shard: n, Count: 4}
		for i := range 40 {
			if name := fmt.Sprintf("object%02d", i); config.ShardOf(name, 4) == n {
				named := ""
				if i%3 == 0 {
					named = bundle
					shard.Bundles = map[string]string{bundle: pem}
				}
				shard.Credentials = append(shard.Credentials, config.Credential{
					Object: "IdentityProvider/default/" + name, Name: name, CABundle: named, Key: json.RawMessage(`{"kty":"oct","k":"c2VjcmV0"}`),
					Algorithm: "HS256", Issuer: "a", Subject: "b", Audience: "c", Lifetime: 1, TokenEndpoint: "https://api.example/token", GrantType: "urn:x",
				})
				shard.Policies = append(shard.Policies, config.Policy{
					Object: "TenantJWTPolicy/default/" + name, TenantID: name, CABundle: named, Algorithms: []string{"RS256"}, TokenTypes: []string{"jwt"},
					Issuers: []config.Issuer{{Issuer: "https://" + name + ".example", JWKSURI: "https://" + name + ".example/keys"}},
					Claims:  config.ClaimRules{Username: config.Username{Source: config.Source{Claims: []string{"sub"}}}},
				})
			}
		}
		data, err := shard.Encode()
		if err != nil {
			t.Fatal(err)
		}
		large[config.TenantsFile(4, n)] = data
	}
	for _, count := range []int{1, 2} {
		small, err := folded(large, count)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contents(t, large), contents(t, small)); diff != "" || len(small) != count {
			t.Errorf("%d files of %d: %s", len(small), count, diff)
		}
	}
}

// contents counts what is in the files, as the server reads them, with the bundle that each object names.
func contents(t *testing.T, files map[string][]byte) map[string]int {
	t.Helper()
	out := map[string]int{}
	for name, data := range files {
		f, err := config.ParseTenants(name, data)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.Policies {
			out[f.Policies[i].Object+f.Bundles[f.Policies[i].CABundle]]++
		}
		for i := range f.Credentials {
			out[f.Credentials[i].Object+f.Bundles[f.Credentials[i].CABundle]]++
		}
	}
	return out
}
