// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
)

// warnExchanged tells of rules that let assertions be exchanged, and then none of the access tokens pass that these are exchanged for: rules judge both.
func (p *Plan) warnExchanged(o *policyPlan) {
	spec := &o.object.Spec
	if !spec.AcceptIssuedTokens || spec.TokenExchange == nil || !spec.TokenExchange.Enabled || p.server.base == nil {
		return
	}
	issuer := p.server.base.ExternalURL
	for i := range spec.ClaimValidationRules {
		rule := &o.claims.Rules[i]
		refuses := o.memo.recall(func() string {
			return fmt.Sprint(claims.RefusesExchanged(rule, issuer, spec.TenantID))
		}, "exchanged", rule.Expression, rule.Claim, rule.RequiredValue, issuer, spec.TenantID)
		if refuses != "true" {
			continue
		}
		fix := fmt.Sprintf("let the expression begin with claims.iss == '%s' || and put the rest into parentheses", issuer)
		if rule.Expression == "" {
			fix = fmt.Sprintf("write it as expression: claims.iss == '%s' || claims[%q] == '…'", issuer, rule.Claim)
		}
		o.warn(fmt.Sprintf("spec.claimValidationRules[%d]", i), "no access token that tokenExchange gives can meet it, so /verify answers each with 403 in spite of acceptIssuedTokens: "+
			"the server's own tokens have iss, which is its externalURL, organization, and of the others only %s. If these shall pass, %s", strings.Join(ownTold, ", "), fix)
	}
}

// ownTold are the claims of own tokens that a rule may have a use for, but for iss and organization.
var ownTold = []string{"sub", "aud", "exp", "iat", "jti", "client_id", "preferred_username", "email", "groups", "scope"}
