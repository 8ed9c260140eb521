// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// bearer are an issuer's tokens that passed as they came, without a login.
type bearer struct {
	issuer    string
	audiences []string
	// admits is an expression over claims that says which groups and roles may come in; empty: all.
	admits, groups, email string
}

// bearers makes a TenantJWTPolicy for tokens that programs bring along: those of the providers, and of extra_jwt_issuers.
func (o *proxyImport) bearers(own []bearer) {
	on := o.s.Bool("skip_jwt_bearer_tokens", false)
	extra := o.extraIssuers()
	if !on {
		if len(extra) > 0 {
			o.s.Tell("extra_jwt_issuers", "not carried over: it counts with skip_jwt_bearer_tokens alone")
		}
		return
	}
	all := own
	for _, b := range extra {
		if i := slices.IndexFunc(all, func(x bearer) bool { return x.issuer == b.issuer }); i >= 0 {
			all[i].audiences = append(all[i].audiences, b.audiences...)
		} else {
			all = append(all, b)
		}
	}
	if len(all) == 0 {
		o.s.Tell("skip_jwt_bearer_tokens", "no TenantJWTPolicy is made: no issuer is known whose tokens could pass")
		return
	}
	o.policy(all)
}

// extraIssuers are pairs issuer=audience.
func (o *proxyImport) extraIssuers() []bearer {
	var out []bearer
	for _, pair := range list(o.s, "extra_jwt_issuers") {
		issuer, audience, ok := strings.Cut(pair, "=")
		u, err := url.Parse(issuer)
		if !ok || audience == "" || len(audience) > 512 || err != nil || !plainURL(issuer) {
			o.s.Mistake("extra_jwt_issuers", "want pairs such as https://idp.example=audience")
			return nil
		}
		if u.Scheme == "http" {
			o.s.Tell("extra_jwt_issuers", "one is http: Gatehouse calls it only if its address is in outbound.allowedCIDRs of the AuthServer")
		}
		out = append(out, bearer{issuer: issuer, audiences: []string{audience}})
	}
	return out
}

// policy is that of requests that name no tenant and bring no token or session of Gatehouse's own.
func (o *proxyImport) policy(all []bearer) {
	name := o.in.Named("bearer")
	object := Object{Kind: "TenantJWTPolicy", Name: name}
	object.Notes = append(object.Notes, o.s.Note("skip_jwt_bearer_tokens", "tokens that programs bring in Authorization: Bearer. The policy is the default one, for requests that name no tenant; whoever logged in is of "+
		"the organization \"default\", which this is not"))
	spec := &object.Spec
	spec.Set("tenantID", name)
	spec.SetFrom("default", true, o.s.Name("skip_jwt_bearer_tokens"))
	var issuers []Fields
	var audiences []string
	for _, b := range all {
		issuers = append(issuers, Fields{{Name: "issuer", Value: b.issuer}})
		for _, a := range b.audiences {
			if !slices.Contains(audiences, a) {
				audiences = append(audiences, a)
			}
		}
	}
	from := ""
	if o.s.byKey["extra_jwt_issuers"] != nil {
		from = o.s.Name("extra_jwt_issuers")
	}
	spec.SetFrom("issuers", issuers, from)
	spec.SetFrom("audiences", audiences, from)
	spec.Set("claimMappings", Fields{
		{Name: "username", Value: Inline{{Name: "claim", Value: "sub"}}}, {Name: "email", Value: Inline{{Name: "claim", Value: cmp.Or(all[0].email, "email")}}},
		{Name: "groups", Value: Inline{{Name: "claim", Value: cmp.Or(all[0].groups, "groups")}}},
	})
	if rules := o.bearerRules(all, audiences, &object); len(rules) > 0 {
		spec.Set("claimValidationRules", rules)
	}
	o.result.Objects = append(o.result.Objects, object)
}

// bearerRules are what admission demands of tokens too, and that an audience goes with its issuer.
func (o *proxyImport) bearerRules(all []bearer, audiences []string, object *Object) []Inline {
	var rules []Inline
	add := func(expression, message string) {
		if len([]rune(expression)) > maxExpression {
			object.Notes = append(object.Notes, Note{Text: "a rule does not fit into 1024 characters, and false stands in its place: nobody passes until you replace it"})
			expression, message = "false", "which tokens pass has not been decided yet"
		}
		rules = append(rules, Inline{{Name: "expression", Value: expression}, {Name: "message", Value: message}})
	}
	if slices.ContainsFunc(all, func(b bearer) bool {
		return slices.ContainsFunc(audiences, func(a string) bool { return !slices.Contains(b.audiences, a) })
	}) {
		var pairs []string
		for _, b := range all {
			list := celList(b.audiences)
			pairs = append(pairs, "claims.iss == "+celText(b.issuer)+" && (claims.aud in "+list+" || claims.aud.exists(a, a in "+list+"))")
		}
		add(strings.Join(pairs, " || "), "the audience is another issuer's")
	}
	domains, addresses, everybody, known := o.emailRules()
	switch {
	case everybody:
	case o.alone || !known || len(domains)+len(addresses) == 0:
		object.Notes = append(object.Notes, Note{Text: "whose tokens pass is not known, as for the logins above, and none does until you replace the rule false"})
		add("false", "which tokens pass has not been decided yet")
	default:
		claim := celText(cmp.Or(all[0].email, "email"))
		add("!("+claim+" in claims) || "+emailExpression("claims["+claim+"]", domains, addresses), "the e-mail address is not among those that may come in")
	}
	for _, b := range all {
		if b.admits != "" {
			add(b.admits, "in none of the groups that may come in")
		}
	}
	return rules
}
