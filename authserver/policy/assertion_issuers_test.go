// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestWhoseAssertion guards by whose policy an assertion is judged, and that a client who shows no good signature cannot tell why by none.
func TestWhoseAssertion(t *testing.T) {
	const shared, open = "https://shared.example", "https://any.example"
	key := func(issuer string) []config.Issuer {
		return []config.Issuer{{Issuer: issuer, Keys: []json.RawMessage{cast().acme.jwk(t)}}}
	}
	s := setOf(t, Outbound{},
		exchanging(t, "acme", nil),
		exchanging(t, "globex", func(p *config.Policy) { p.Issuers = key(shared) }),
		exchanging(t, "hooli", func(p *config.Policy) { p.Issuers = key(shared) }),
		exchanging(t, "initech", func(p *config.Policy) { p.Issuers, p.TokenExchange = key(shared+"/2"), nil }),
		exchanging(t, "open", func(p *config.Policy) { p.Issuers = key("") }),
		exchanging(t, "fallback", func(p *config.Policy) { p.Issuers, p.Default = key("https://fallback.example"), true }),
	)
	of := func(iss string) string { return assertion(t, nil, obj{"iss": iss}) }
	forged := func(iss string) string { return cast().mallory.sign(t, nil, assertionClaims.with(obj{"iss": iss})) }
	acme, tampered := of(acmeIssuer), forged(acmeIssuer)
	for name, c := range map[string]struct {
		raw, tenant string
		want        string // the tenant
		reason      token.Reason
		told        string // error code; toldNothing where empty
	}{
		"by its issuer":                       {raw: acme, want: "acme"},
		"by the header":                       {raw: acme, tenant: "acme", want: "acme"},
		"by the header, of several":           {raw: of(shared), tenant: "hooli", want: "hooli"},
		"by the header, of any issuer":        {raw: of(open), tenant: "open", want: "open"},
		"by the header, of no issuer":         {raw: assertion(t, nil, obj{"iss": nil}), tenant: "open", reason: ReasonIssuerMissing, told: errorGrant},
		"of several":                          {raw: of(shared), reason: ReasonIssuerOfSeveral, told: errorRequest},
		"of several, forged":                  {raw: forged(shared), reason: ReasonIssuerOfSeveral},
		"of any issuer":                       {raw: of(open), reason: ReasonIssuerOfNobody},
		"of a tenant without exchange":        {raw: of(shared + "/2"), reason: ReasonIssuerOfNobody},
		"of the default policy by its issuer": {raw: of("https://fallback.example"), want: "fallback"},
		"of nobody":                           {raw: of("https://nobody.example"), reason: ReasonIssuerOfNobody},
		"without iss":                         {raw: assertion(t, nil, obj{"iss": nil}), reason: ReasonIssuerOfNobody},
		"no JWT":                              {raw: "hello", reason: ReasonIssuerOfNobody},
		"forged":                              {raw: tampered, reason: token.ReasonSignature},
		"forged, by the header":               {raw: tampered, tenant: "acme", reason: token.ReasonSignature},
		"another tenant's":                    {raw: acme, tenant: "globex", reason: claims.ReasonIssuer},
		"an unknown tenant":                   {raw: acme, tenant: "nobody", reason: ReasonUnknownTenant},
		"a tenant without exchange":           {raw: of(shared + "/2"), tenant: "initech", reason: ReasonExchangeOff},
		"no tenant's name":                    {raw: acme, tenant: "a/b", reason: ReasonInvalidTenant, told: errorRequest},
		"our own token":                       {raw: cast().own.sign(t, ownHeader, ownClaims.with(obj{"aud": ownIssuer, "jti": "x"})), reason: ReasonOwnAssertion},
		"our own token, of any issuer":        {raw: cast().acme.sign(t, nil, assertionClaims.with(obj{"iss": ownIssuer})), tenant: "open", reason: ReasonOwnAssertion},
	} {
		t.Run(name, func(t *testing.T) {
			a := Assertion{Raw: c.raw}
			if c.tenant != "" {
				a.Facts.TenantID = []string{c.tenant}
			}
			x := exchangeFor(t, s, a)
			checkExchange(t, s, &a, &x, c.reason)
			if c.reason == "" && x.Tenant != c.want {
				t.Errorf("for %s, want %s", x.Tenant, c.want)
			}
			if c.told != "" && x.Error != c.told {
				t.Errorf("told %s", x.Error)
			}
			if c.reason != "" && c.told == "" && (x.Error != errorGrant || x.Description != toldNothing) {
				t.Errorf("told %s: %s", x.Error, x.Description)
			}
		})
	}
}

// TestShardsShareIssuers guards that several tenants of one issuer are found wherever their policies are.
func TestShardsShareIssuers(t *testing.T) {
	const count = 8
	shards := make([][]config.Policy, count)
	for _, tenant := range []string{"a", "b", "c"} {
		n := config.ShardOf(tenant, count)
		shards[n] = append(shards[n], exchanging(t, tenant, nil))
	}
	if n := config.ShardOf("a", count); len(shards[n]) == 3 {
		t.Fatal("the tenants share a shard")
	}
	made := make([]*Shard, count)
	for n := range shards {
		file := &config.Tenants{Version: config.Version, Shard: n, Count: count, Policies: shards[n]}
		data, err := file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if made[n], err = ReadShard(config.TenantsFile(count, n), data, Outbound{}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewSet(ownOf(t), made...)
	if err != nil {
		t.Fatal(err)
	}
	if x := exchangeFor(t, s, Assertion{Raw: assertion(t, nil, nil)}); x.Reason != ReasonIssuerOfSeveral || x.Error != errorRequest {
		t.Errorf("%d %s %s", x.Status, x.Reason, x.Error)
	}
	if x := exchangeFor(t, s, Assertion{Raw: assertion(t, nil, nil), Facts: Facts{TenantID: []string{"b"}}}); x.Tenant != "b" || x.Status != http.StatusOK {
		t.Errorf("%d %s for %s", x.Status, x.Reason, x.Tenant)
	}
}

// TestKeysOfAssertions guards that keys out of reach are told as such, and as something that passes.
func TestKeysOfAssertions(t *testing.T) {
	var web published
	s := setOf(t, Outbound{Keys: &web}, exchanging(t, "acme", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: acmeIssuer, JWKSURI: "https://idp.acme.example/keys"}}
	}))
	x := exchangeFor(t, s, Assertion{Raw: assertion(t, nil, nil)})
	if x.Status != http.StatusServiceUnavailable || x.Reason != ReasonKeysUnavailable || x.Error != errorUnavailable || x.RetryAfter <= 0 {
		t.Errorf("%+v", x)
	}
}
