// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
)

// Kinds of expressions of a provider, as profile.CheckExpression names them.
const (
	kindMapping        = "mapping"
	kindGroupsMapping  = "groups-mapping"
	kindRule           = "rule"
	kindGroupsEndpoint = "groups-endpoint"
)

// planMappings checks claimMappings and claimValidationRules and makes of them what the server reads, with the standard claims (OpenID Connect Core 1.0 §5.1)
// where the object names none.
func (o *providerPlan) planMappings() {
	m := o.object.Spec.ClaimMappings
	if m == nil {
		m = &v1alpha1.ProviderClaimMappings{}
	}
	const at = "spec.claimMappings."
	out := &o.mappings
	out.Username = o.source(at+"username", kindMapping, m.Username, "preferred_username")
	out.Email = o.source(at+"email", kindMapping, m.Email, "email")
	out.Name = o.source(at+"name", kindMapping, m.Name, "name")
	out.Phone = o.source(at+"phone", kindMapping, m.Phone, "phone_number")
	out.Comment = o.source(at+"comment", kindMapping, m.Comment, "")
	out.Groups = o.source(at+"groups", kindGroupsMapping, m.Groups, "groups")
	for i, rule := range o.object.Spec.ClaimValidationRules {
		o.planExpression(fmt.Sprintf("spec.claimValidationRules[%d].expression", i), kindRule, rule.Expression)
		o.rules = append(o.rules, config.ClaimRule{Expression: rule.Expression, Message: rule.Message})
	}
}

// source is where an attribute comes from: the claim named standard where the object does not say; "" for nowhere.
func (o *providerPlan) source(field, kind string, s *v1alpha1.ProviderClaimSource, standard string) config.Source {
	switch {
	case s == nil && standard == "":
		return config.Source{}
	case s == nil:
		return config.Source{Claims: []string{standard}}
	case (s.Claim == "") == (s.Expression == ""):
		o.refuse(v1alpha1.ReasonInvalid, field, "set exactly one of claim and expression")
	case s.Claim != "":
		return config.Source{Claims: []string{s.Claim}}
	default:
		o.planExpression(field+".expression", kind, s.Expression)
	}
	return config.Source{Expression: s.Expression}
}

// planExpression compiles an expression, so that its author learns of a mistake before a login meets it.
func (o *providerPlan) planExpression(field, kind, text string) {
	wrong := o.memo.recall(func() string {
		if err := profile.CheckExpression(kind, text); err != nil {
			return err.Error()
		}
		return ""
	}, "provider expression", kind, text)
	if wrong != "" {
		o.refuse(v1alpha1.ReasonInvalid, field, "%s", wrong)
	}
}
