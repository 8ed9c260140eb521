// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// OwnNames are the names of all claims that a token of the server's own may have.
var OwnNames = []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "organization", "preferred_username", "email", "name", "groups", "scope",
	ClaimUsernameParts, ClaimHasGroups, ClaimGrantType, ClaimGrantedBy}

// RefusesExchanged tells of a rule, for its author, that it holds for none of the access tokens that the server of that issuer gives for the tenant's assertions.
// It is sure of that where it says so: it looks at parts of the rule, all of which must hold, that read nothing but iss, organization and claims that no such
// token has. A rule that does not compile refuses nothing.
func RefusesExchanged(rule *config.ClaimRule, issuer, tenant string) bool {
	payload, err := json.Marshal(map[string]any{"iss": issuer, "organization": tenant, "exp": 4102444800})
	if err != nil {
		return false
	}
	own, err := token.ReadClaims(payload)
	if err != nil {
		return false
	}
	if rule.Expression == "" {
		return sameForAll(rule.Claim) && !holds(rule, own)
	}
	parts, err := expression.Conjuncts(rule.Expression)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(parts, func(part expression.Conjunct) bool {
		return !part.Whole && !slices.ContainsFunc(part.Claims, func(name string) bool { return !sameForAll(name) }) &&
			!holds(&config.ClaimRule{Expression: part.Text}, own)
	})
}

// sameForAll tells a claim that is the same in all own tokens of a tenant, or in none of them.
func sameForAll(name string) bool {
	return name == "iss" || name == "organization" || !slices.Contains(OwnNames, name)
}

func holds(rule *config.ClaimRule, c *token.Claims) bool {
	compiled, err := compileRule(rule)
	return err != nil || compiled.check(Of(c)) == ""
}
