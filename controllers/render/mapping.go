// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// maxHeaderNames bounds the different header names that the policies of one server map: all of them are on every answer.
const maxHeaderNames = 64

// headerName is what a mapped header's name may look like; reservedHeaders are beginnings that have a meaning of their own.
var (
	headerName      = regexp.MustCompile(`^X-[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)
	reservedHeaders = []string{"X-Auth-", "X-Forwarded-", "X-Real-", "X-Original-", "X-Jwt-"}
)

// planClaims checks claimMappings and claimValidationRules and makes of them what the server reads.
func (o *policyPlan) planClaims() {
	spec, out := &o.object.Spec, &o.claims
	m := spec.ClaimMappings
	if m == nil {
		m = &v1alpha1.ClaimMappings{}
	}
	const at = "spec.claimMappings."
	out.Username.PrefixWithTenant = m.Username.PrefixWithTenant
	if m.Username.Claim != "" || m.Username.Expression != "" {
		out.Username.Source = o.source(at+"username", "username", m.Username.Claim, m.Username.Expression)
	}
	if m.Email != nil {
		out.Email = o.source(at+"email", "email", m.Email.Claim, m.Email.Expression)
	}
	if m.Groups != nil {
		out.Groups = o.source(at+"groups", "groups", m.Groups.Claim, m.Groups.Expression)
	}
	for i := range m.Headers {
		o.planHeader(fmt.Sprintf("%sheaders[%d]", at, i), &m.Headers[i])
	}
	for i := range spec.ClaimValidationRules {
		o.planRule(fmt.Sprintf("spec.claimValidationRules[%d]", i), &spec.ClaimValidationRules[i])
	}
	switch {
	case o.azure():
		o.azureClaims(m)
	case out.Username.Zero():
		out.Username.Claims = []string{"upn"}
	}
	o.planWhole()
}

// planWhole runs the server's own compiler over all rules together, so that nothing is written that a server would refuse.
func (o *policyPlan) planWhole() {
	text, err := json.Marshal(&o.claims)
	if err != nil || o.bad() {
		return
	}
	wrong := o.memo.recall(func() string {
		if _, err := claims.Compile(&o.claims, o.object.Spec.TenantID); err != nil {
			return err.Error()
		}
		return ""
	}, "claims", string(text), o.object.Spec.TenantID)
	if wrong != "" {
		o.refuse(v1alpha1.ReasonInvalid, "spec.claimMappings", "%s", wrong)
	}
}

// source is where a value comes from. Exactly one of claim and expression must be given.
func (o *policyPlan) source(field, kind, claim, expression string) config.Source {
	switch {
	case (claim == "") == (expression == ""):
		o.refuse(v1alpha1.ReasonInvalid, field, "set exactly one of claim and expression")
	case claim != "":
		return config.Source{Claims: []string{claim}}
	default:
		o.planExpression(field+".expression", kind, expression)
	}
	return config.Source{Expression: expression}
}

// planExpression compiles an expression, so that its author learns of a mistake before a token meets it.
func (o *policyPlan) planExpression(field, kind, text string) {
	wrong := o.memo.recall(func() string {
		if err := claims.CheckExpression(kind, text); err != nil {
			return err.Error()
		}
		return ""
	}, "expression", kind, text)
	if wrong != "" {
		o.refuse(v1alpha1.ReasonInvalid, field, "%s", wrong)
	}
}

func (o *policyPlan) planHeader(field string, m *v1alpha1.HeaderMapping) {
	name := textproto.CanonicalMIMEHeaderKey(m.Name)
	reserved := slices.ContainsFunc(reservedHeaders, func(prefix string) bool { return strings.HasPrefix(name+"-", prefix) })
	switch {
	case len(name) > 64 || !headerName.MatchString(name):
		o.refuse(v1alpha1.ReasonInvalid, field+".name", "%s must be a header name such as X-Acme-Plan", quoted(m.Name))
	case reserved:
		o.refuse(v1alpha1.ReasonInvalid, field+".name", "must not begin with %s, which have a meaning of their own", strings.Join(reservedHeaders, ", "))
	case slices.ContainsFunc(o.claims.Headers, func(other config.HeaderMapping) bool { return other.Name == name }):
		o.refuse(v1alpha1.ReasonInvalid, field+".name", "another entry has the same name: header names do not differ by case")
	}
	o.claims.Headers = append(o.claims.Headers, config.HeaderMapping{Name: name, Source: o.source(field, "header", m.Claim, m.Expression)})
}

func (o *policyPlan) planRule(field string, rule *v1alpha1.ClaimValidationRule) {
	out := config.ClaimRule{Claim: rule.Claim, Expression: rule.Expression, Message: rule.Message}
	if rule.RequiredValue != nil {
		out.RequiredValue = *rule.RequiredValue
	}
	switch {
	case (rule.Claim == "") == (rule.Expression == ""):
		o.refuse(v1alpha1.ReasonInvalid, field, "set exactly one of claim (with requiredValue) and expression")
	case (rule.Claim == "") != (rule.RequiredValue == nil):
		o.refuse(v1alpha1.ReasonInvalid, field, "claim and requiredValue go together")
	case rule.Expression != "":
		o.planExpression(field+".expression", "rule", rule.Expression)
	}
	o.claims.Rules = append(o.claims.Rules, out)
}

// planHeaderNames gives the names that there is room for to the first claimants. Only policies without a mistake of their own count: a
// name is no one's property, and there are 64 of them.
func (p *Plan) planHeaderNames() {
	taken := map[string]bool{}
	for _, o := range p.policies {
		if o.bad() {
			continue
		}
		var fresh []string
		for _, h := range o.claims.Headers {
			if !taken[h.Name] {
				fresh = append(fresh, h.Name)
			}
		}
		if len(taken)+len(fresh) > maxHeaderNames {
			o.refuse(v1alpha1.ReasonTooLarge, "spec.claimMappings.headers", "the policies of one AuthServer may name %d different headers together, older ones name %d, and these are more: %s. "+
				"Use names that others use too, or another AuthServer", maxHeaderNames, len(taken), strings.Join(fresh, ", "))
			continue
		}
		for _, name := range fresh {
			taken[name] = true
		}
	}
}
