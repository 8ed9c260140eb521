// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestScopesAndClients guards what an access token may be used for, and whom it is given to, by what is asked for, what the assertion says and what the policy has.
func TestScopesAndClients(t *testing.T) {
	s := setOf(t, Outbound{}, exchanging(t, "acme", nil), exchanging(t, "none", func(p *config.Policy) { p.TokenExchange.Scopes = nil }))
	const unset = "-"
	many := make([]string, maxScopes+1)
	for i := range many {
		many[i] = "s" + strings.Repeat("x", i)
	}
	for name, c := range map[string]struct {
		tenant, asked, claimed string
		want                   string
		reason                 token.Reason
	}{
		"nothing asked":                       {claimed: unset, want: "read write admin"},
		"one asked":                           {asked: "write", claimed: unset, want: "write"},
		"in the order asked":                  {asked: "admin read", claimed: unset, want: "admin read"},
		"twice":                               {asked: "read read", claimed: unset, want: "read"},
		"some unknown":                        {asked: "x read y", claimed: unset, want: "read"},
		"all unknown":                         {asked: "x y", claimed: unset, reason: ReasonScopeNotGranted},
		"another case":                        {asked: "READ", claimed: unset, reason: ReasonScopeNotGranted},
		"the assertion's":                     {claimed: "write x", want: "write"},
		"the assertion's, none of the policy": {claimed: "x", want: ""},
		"the assertion's, empty":              {claimed: "", want: ""},
		"no more than the assertion's":        {asked: "read write", claimed: "write", want: "write"},
		"other than the assertion's":          {asked: "read", claimed: "write", reason: ReasonScopeNotGranted},
		"two spaces":                          {asked: "read  write", claimed: unset, reason: ReasonScopeParameter},
		"a space at the end":                  {asked: "read ", claimed: unset, reason: ReasonScopeParameter},
		"a space":                             {asked: " ", claimed: unset, reason: ReasonScopeParameter},
		"a tab":                               {asked: "read\twrite", claimed: unset, reason: ReasonScopeParameter},
		"a quote":                             {asked: `read"`, claimed: unset, reason: ReasonScopeParameter},
		"a backslash":                         {asked: `re\ad`, claimed: unset, reason: ReasonScopeParameter},
		"not ASCII":                           {asked: "réad", claimed: unset, reason: ReasonScopeParameter},
		"too many":                            {asked: strings.Join(many, " "), claimed: unset, reason: ReasonScopeParameter},
		"a policy without":                    {tenant: "none", claimed: unset, want: ""},
		"a policy without, asked":             {tenant: "none", asked: "read", claimed: unset, reason: ReasonScopeNotGranted},
	} {
		t.Run(name, func(t *testing.T) {
			changes := obj{}
			if c.claimed != unset {
				changes["scope"] = c.claimed
			}
			a := Assertion{Raw: assertion(t, nil, changes), Scope: c.asked, Facts: Facts{TenantID: []string{"acme"}}}
			if c.tenant != "" {
				a.Facts.TenantID[0] = c.tenant
			}
			x := exchangeFor(t, s, a)
			checkExchange(t, s, &a, &x, c.reason)
			if x.Issued.Scope != c.want || c.reason != "" && x.Error != errorScope {
				t.Errorf("%q, told %s", x.Issued.Scope, x.Error)
			}
		})
	}
	for name, c := range map[string]struct {
		asked   string
		claimed any
		want    string
		reason  token.Reason
		told    string
	}{
		"nobody":           {},
		"by the request":   {asked: "portal"}, // which is nobody's word
		"by the assertion": {claimed: "portal", want: "portal"},
		"by both":          {asked: "portal", claimed: "portal", want: "portal"},
		"differing":        {asked: "portal", claimed: "billing", reason: ReasonClientID, told: errorGrant},
		"a line break":     {asked: "portal\n", reason: ReasonClientParameter, told: errorRequest},
		"too long":         {asked: strings.Repeat("x", 256), reason: ReasonClientParameter, told: errorRequest},
	} {
		t.Run("client: "+name, func(t *testing.T) {
			a := Assertion{Raw: assertion(t, nil, obj{"client_id": c.claimed}), ClientID: c.asked, Facts: Facts{TenantID: []string{"acme"}}}
			x := exchangeFor(t, s, a)
			checkExchange(t, s, &a, &x, c.reason)
			if x.Issued.ClientID != c.want || x.Error != c.told {
				t.Errorf("%q, told %s", x.Issued.ClientID, x.Error)
			}
		})
	}
}
