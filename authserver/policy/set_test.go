// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const secret = "a-secret-of-more-than-thirty-two-bytes"

// symmetric makes a policy whose one key is the secret, or that names a URL.
func symmetric(t testing.TB, tenant, secret, uri string) config.Policy {
	t.Helper()
	p := config.Policy{Object: "TenantJWTPolicy/default/" + tenant, TenantID: tenant, Algorithms: []string{"HS256"}, TokenTypes: []string{"jwt"}, Claims: config.ClaimRules{Username: config.Username{Source: config.Source{Claims: []string{"sub"}}}}}
	if uri != "" {
		p.Issuers = []config.Issuer{{Issuer: "https://idp.example", JWKSURI: uri}}
		return p
	}
	p.Issuers = []config.Issuer{{Issuer: "https://idp.example", Keys: []json.RawMessage{jwkOf(t, secret)}}}
	return p
}

func jwkOf(t testing.TB, secret string) []byte {
	t.Helper()
	text, err := keyOf(t, secret).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func keyOf(t testing.TB, secret string) *jwk.Key {
	t.Helper()
	key, err := jwk.Symmetric([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func shard(t testing.TB, previous *Shard, o Outbound, policies ...config.Policy) *Shard {
	t.Helper()
	return shardOf(t, previous, o, &config.Tenants{Policies: policies})
}

// shardOf compiles the shard of a file, the only one unless it says otherwise.
func shardOf(t testing.TB, previous *Shard, o Outbound, tenants *config.Tenants) *Shard {
	t.Helper()
	s, err := tryShard(t, previous, o, tenants)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tryShard encodes and reads the file.
func tryShard(t testing.TB, previous *Shard, o Outbound, tenants *config.Tenants) (*Shard, error) {
	t.Helper()
	tenants.Version, tenants.Count = config.Version, max(1, tenants.Count)
	data, err := tenants.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return ReadShard(config.TenantsFile(tenants.Count, tenants.Shard), data, o, previous, nil)
}

func decide(t testing.TB, s *Set, tenant, secret string) Decision {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "https://idp.example", "sub": "bob", "exp": now.Add(time.Hour).Unix()})
	raw, err := token.SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s.Decide(t.Context(), &Facts{Route: tenant, ByRoute: tenant != "", Token: []string{raw}}, now)
}

func set(t testing.TB, shards ...*Shard) *Set {
	t.Helper()
	s, err := NewSet(Own{Issuer: "https://auth.example"}, shards...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAChangeRebuildsOnePolicy guards the cost of a reload: among ten thousand tenants one is compiled.
func TestAChangeRebuildsOnePolicy(t *testing.T) {
	list := func(c string) []config.Policy {
		return []config.Policy{symmetric(t, "a", secret, ""), symmetric(t, "b", secret, "https://idp.example/keys"), symmetric(t, "c", c, "")}
	}
	first := shard(t, nil, Outbound{}, list(secret)...)
	second := shard(t, first, Outbound{}, list(secret+"-new")...)
	for tenant, same := range map[string]bool{"a": true, "b": true, "c": false} {
		if (first.tenants[tenant] == second.tenants[tenant]) != same {
			t.Errorf("policy %s: taken over is %v, want %v", tenant, !same, same)
		}
	}
	if decide(t, set(t, second), "c", secret).Status != http.StatusUnauthorized || decide(t, set(t, second), "c", secret+"-new").Status != http.StatusOK {
		t.Error("the changed policy is not in force")
	}
	if decide(t, set(t, first), "c", secret).Status != http.StatusOK {
		t.Error("the set before the change has changed")
	}
	if third := shard(t, second, Outbound{}, list(secret + "-new")[:2]...); len(third.tenants) != 2 || decide(t, set(t, third), "c", secret+"-new").Reason != ReasonUnknownTenant {
		t.Error("a removed policy is still there")
	}
}

// TestOutboundIsPartOfAPolicy guards against keys fetched under rules that no longer hold.
func TestOutboundIsPartOfAPolicy(t *testing.T) {
	own := symmetric(t, "b", secret, "https://idp.example/keys")
	own.CABundle = config.Hash([]byte("its own"))
	compiled := func(previous *Shard, o Outbound) *Shard {
		return shardOf(t, previous, o, &config.Tenants{Bundles: map[string]string{own.CABundle: "its own"}, Policies: []config.Policy{symmetric(t, "a", secret, "https://idp.example/keys"), own}})
	}
	first := compiled(nil, Outbound{CABundle: outbound.NewBundle("old")})
	next := Outbound{AllowedCIDRs: "10.0.0.0/8", CABundle: outbound.NewBundle("new")}
	recompiled := first.For(next)
	for _, s := range []*Shard{recompiled, compiled(first, next), compiled(nil, next)} {
		for tenant, ca := range map[string]string{"a": "new", "b": "its own"} {
			want := keys.Source{URL: "https://idp.example/keys", AllowedCIDRs: "10.0.0.0/8", CABundle: outbound.NewBundle(ca)}
			if got := s.tenants[tenant].Remotes(); len(got) != 1 || got[0] != want {
				t.Errorf("policy %s is fetched from %v, want %v", tenant, got, want)
			}
		}
	}
	if recompiled.For(next) != recompiled {
		t.Error("nothing changed, and the shard was made again")
	}
}

func TestTwoDefaultsAreNone(t *testing.T) {
	one, two := symmetric(t, "a", secret, ""), symmetric(t, "b", secret, "")
	one.Default = true
	both := func() *Set {
		return set(t, shardOf(t, nil, Outbound{}, &config.Tenants{Count: 2, Shard: 0, Policies: []config.Policy{one}}),
			shardOf(t, nil, Outbound{}, &config.Tenants{Count: 2, Shard: 1, Policies: []config.Policy{two}}))
	}
	if d := decide(t, both(), "", secret); d.Status != http.StatusOK || d.Tenant != "a" {
		t.Errorf("one default: %+v", d)
	}
	two.Default = true
	if d := decide(t, both(), "", secret); d.Status != http.StatusUnauthorized || d.Reason != ReasonNoTenant {
		t.Errorf("two defaults: %+v", d)
	}
	if d := decide(t, both(), "b", secret); d.Status != http.StatusOK {
		t.Errorf("a default by its name: %+v", d)
	}
}

// TestARefusedOwnTokenIsNotTheDefaultTenants guards that logs do not lay a refused token of the server's own at the door of the
// default policy's tenant, which has no part in it.
func TestARefusedOwnTokenIsNotTheDefaultTenants(t *testing.T) {
	one := symmetric(t, "a", secret, "")
	one.Default = true
	s := set(t, shard(t, nil, Outbound{}, one))
	for issuer, tenants := range map[string]map[string]string{ // the decision's tenant by the one that the request names
		"https://auth.example":  {"": "", "a": "a", "b": ""},
		"https://other.example": {"": "a", "a": "a", "b": ""},
	} {
		raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": issuer, "organization": "b"}).SignedString([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		for named, want := range tenants {
			d := s.Decide(t.Context(), &Facts{Route: named, ByRoute: named != "", Token: []string{raw}}, now)
			if d.Status != http.StatusUnauthorized || d.Tenant != want {
				t.Errorf("iss %s, tenant %q: %d for tenant %q, want %q", issuer, named, d.Status, d.Tenant, want)
			}
		}
	}
}

// TestOnlyAWholeSetIsServed guards that no tenant is looked for where its policy is not.
func TestOnlyAWholeSetIsServed(t *testing.T) {
	empty := func(count, n int) *Shard {
		return shardOf(t, nil, Outbound{}, &config.Tenants{Count: count, Shard: n})
	}
	for name, shards := range map[string][]*Shard{
		"one twice":   {empty(2, 0), empty(2, 0)},
		"wrong order": {empty(2, 1), empty(2, 0)},
		"half":        {empty(2, 0)},
		"of two sets": {empty(2, 0), empty(4, 1)},
	} {
		if _, err := NewSet(Own{}, shards...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if s := set(t); s.Policy("a") != nil || s.Len() != 0 {
		t.Error("a set of no shards has a policy")
	}
}

// TestCompileErrors guards that they name object and field and hold no key bytes.
func TestCompileErrors(t *testing.T) {
	cases := map[string]struct {
		change func(*config.Policy)
		want   string
	}{
		"short secret": {func(p *config.Policy) {
			p.Issuers[0].Keys = []json.RawMessage{[]byte(`{"kty":"oct","k":"c2hvcnQtc2VjcmV0"}`)}
		}, "TenantJWTPolicy/default/a: issuers[0]: keys[0] is not a JWK"},
		"no JWK":        {func(p *config.Policy) { p.Issuers[0].Keys = []json.RawMessage{[]byte(`"c2hvcnQtc2VjcmV0"`)} }, "issuers[0]: keys[0] is not a JWK"},
		"no algorithm":  {func(p *config.Policy) { p.Algorithms = []string{"HS256", "none"} }, "algorithms[1] is not one of"},
		"no bundle":     {func(p *config.Policy) { p.CABundle = config.Hash(nil) }, "TenantJWTPolicy/default/a: caBundle names none of bundles"},
		"JWE algorithm": {func(p *config.Policy) { p.Algorithms = []string{"RSA-OAEP"} }, "algorithms[0] is not one of"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := symmetric(t, "a", secret, "")
			c.change(&p)
			_, err := tryShard(t, nil, Outbound{}, &config.Tenants{Policies: []config.Policy{p}})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c2hvcnQ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// answer is a KeySource that answers the same always.
type answer struct {
	key *jwk.Key
	err error
}

func (s answer) Find(context.Context, keys.Source, keys.Ask) (keys.Found, error) {
	return keys.Found{Key: s.key, Set: jwk.NewSet(s.key)}, s.err
}

func (s answer) Current(keys.Source, time.Duration) *jwk.Set { return nil }

func TestAnswersOfTheKeySource(t *testing.T) {
	cases := map[string]struct {
		source answer
		status int
		reason string
	}{
		"a symmetric key of a URL is never used": {answer{key: keyOf(t, secret)}, 401, "unknown_key"},
		"unavailable":                            {answer{err: fmt.Errorf("%w: idp.example answered with status 500", keys.ErrUnavailable)}, 503, "keys_unavailable"},
		"unknown kid":                            {answer{err: fmt.Errorf("x: %w", jwk.ErrUnknownKeyID)}, 401, "unknown_key"},
		"ambiguous":                              {answer{err: jwk.ErrAmbiguousKey}, 401, "ambiguous_key"},
		"a key of another type":                  {answer{err: jwk.ErrKeyMismatch}, 401, "key_mismatch"},
		"anything else refuses":                  {answer{err: errors.New("x")}, 401, "internal"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := set(t, shard(t, nil, Outbound{Keys: c.source}, symmetric(t, "a", "", "https://idp.example/keys")))
			d := decide(t, s, "a", secret)
			if d.Status != c.status || string(d.Reason) != c.reason || !reflect.DeepEqual(d.Identity, Identity{}) || d.Tenant != "a" || d.Algorithm != "HS256" {
				t.Errorf("got %+v", d)
			}
			if (d.RetryAfter > 0) != (c.status == 503) {
				t.Errorf("retry after %s with %d", d.RetryAfter, d.Status)
			}
		})
	}
}
