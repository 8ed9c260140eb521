// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestHeadersOfAssertions guards that no x-jwt-* header is passed over: each narrows, or is refused.
func TestHeadersOfAssertions(t *testing.T) {
	s := setOf(t, Outbound{}, exchanging(t, "acme", func(p *config.Policy) { p.MaxTokenAge = config.Duration(10 * time.Minute) }))
	raw := assertion(t, nil, obj{"nonce": "n-1"})
	for name, c := range map[string]struct {
		headers []string
		facts   Facts
		reason  token.Reason
		told    string
	}{
		"none":                  {},
		"its issuer":            {headers: []string{"x-jwt-issuer: " + acmeIssuer}},
		"another issuer":        {headers: []string{"x-jwt-issuer: https://x.example"}, reason: ReasonNarrowIssuer, told: errorGrant},
		"its aud":               {headers: []string{"x-jwt-client-id: " + ownIssuer}},
		"the policy's audience": {headers: []string{"x-jwt-client-id: https://api.example"}, reason: ReasonNarrowClientID, told: errorGrant},
		"its nonce":             {headers: []string{"x-jwt-nonce: n-1"}},
		"another nonce":         {headers: []string{"x-jwt-nonce: n-2"}, reason: ReasonNarrowNonce, told: errorGrant},
		"an empty nonce":        {headers: []string{"x-jwt-nonce: "}, reason: ReasonEmptyHeader, told: errorRequest},
		"an issuer twice":       {headers: []string{"x-jwt-issuer: a", "x-jwt-issuer: a"}, reason: ReasonDuplicateHeader, told: errorRequest},
		"the tenant twice":      {facts: Facts{TenantID: []string{"acme", "acme"}}, reason: ReasonDuplicateHeader, told: errorRequest},
		"an empty tenant":       {facts: Facts{TenantID: []string{""}}, reason: ReasonEmptyHeader, told: errorRequest},
		"a token beside":        {facts: Facts{Token: []string{raw}}, reason: ReasonTokenBeside, told: errorRequest},
		"an empty token beside": {facts: Facts{Token: []string{""}}, reason: ReasonEmptyHeader, told: errorRequest},
		"several tokens beside": {facts: Facts{Token: []string{raw, raw}}, reason: ReasonDuplicateHeader, told: errorRequest},
	} {
		t.Run(name, func(t *testing.T) {
			a := Assertion{Raw: raw, Facts: c.facts}
			x := exchangeFor(t, s, a, c.headers...)
			if x.Reason != c.reason || x.Error != c.told {
				t.Errorf("%s (%s), told %s", x.Reason, x.Detail, x.Error)
			}
		})
	}
	if x := exchangeFor(t, s, Assertion{}); x.Reason != ReasonNoToken || x.Error != errorRequest {
		t.Errorf("nothing: %s, told %s", x.Reason, x.Error)
	}
	if x := exchangeFor(t, s, Assertion{Raw: assertion(t, nil, obj{"iat": nil})}); x.Reason != claims.ReasonTooOld || x.Error != errorGrant {
		t.Errorf("maxTokenAge without iat: %s, told %s", x.Reason, x.Error)
	}
}

// TestEncryptedAssertions guards that an assertion may be encrypted and must be signed inside, whatever the policy allows tokens.
func TestEncryptedAssertions(t *testing.T) {
	s := setOf(t, Outbound{}, exchanging(t, "acme", func(p *config.Policy) {
		p.Decryption = decryption(t, func(d *config.Decryption) { d.Direct = true })
	}), exchanging(t, "sealed", func(p *config.Policy) {
		p.Decryption = decryption(t, func(d *config.Decryption) { d.Required = true })
	}))
	signed := assertion(t, nil, nil)
	direct := seal(t, obj{"cty": nil}, marshal(t, assertionClaims))
	acme, sealed := []string{"acme"}, []string{"sealed"}
	for name, c := range map[string]struct {
		raw    string
		tenant []string
		reason token.Reason
	}{
		"signed inside":             {seal(t, nil, signed), acme, ""},
		"signed alone":              {signed, acme, ""},
		"claims inside":             {direct, acme, token.ReasonNestedRequired},
		"our own iss inside":        {seal(t, nil, assertion(t, nil, obj{"iss": ownIssuer})), acme, ReasonOwnAssertion},
		"encrypted without a name":  {seal(t, nil, signed), nil, ReasonIssuerOfNobody},
		"where it is required":      {seal(t, nil, signed), sealed, ""},
		"signed where it is needed": {signed, sealed, token.ReasonJWERequired},
	} {
		t.Run(name, func(t *testing.T) {
			a := Assertion{Raw: c.raw, Facts: Facts{TenantID: c.tenant}}
			x := exchangeFor(t, s, a)
			checkExchange(t, s, &a, &x, c.reason)
		})
	}
	if d := ask(t, s, "acme", seal(t, obj{"cty": nil}, marshal(t, assertionClaims.with(obj{"aud": "https://api.example"})))); d.Status != http.StatusOK {
		t.Errorf("claims inside, as a token: %d %s", d.Status, d.Reason)
	}
	if !slices.Contains(jwe.KeyAlgorithms(), "A128KW") {
		t.Fatal("the encryption of this test is none")
	}
}

// TestAGrantIsNoToken guards that an assertion that says that it is one passes nowhere else, and that nothing of it is remembered.
func TestAGrantIsNoToken(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, exchanging(t, "acme", func(p *config.Policy) { p.Audiences = nil }))
	raw := assertion(t, obj{"typ": "authorization-grant+jwt"}, nil)
	for range 3 {
		if x := exchangeFor(t, s, Assertion{Raw: raw}); x.Status != http.StatusOK || x.Cached {
			t.Errorf("as an assertion: %d %s, cached %v", x.Status, x.Reason, x.Cached)
		}
	}
	if d := ask(t, s, "acme", raw); d.Reason != token.ReasonType {
		t.Errorf("as a token: %d %s", d.Status, d.Reason)
	}
	if stats := s.decisions.Stats(); stats.Hits != 0 {
		t.Errorf("%+v", stats)
	}
}
