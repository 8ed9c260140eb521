// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// entraIssuer is how one directory of Entra ID is named.
const entraIssuer = "https://login.microsoftonline.com/<directory ID>/v2.0"

// openPlace is a provider at which anybody can have an account.
type openPlace struct {
	// domains whose hosts belong to it.
	domains []string
	// open tells whether a URL below these domains lets everybody in; nil: each does.
	open func(u *url.URL) bool
	// oidc and oauth2 say what to do, by the provider's type. Never a rule about an e-mail address or a login name: those change hands, and the
	// administrator of any directory of Entra ID writes whatever address they like.
	oidc, oauth2 string
	// username is the claim to map, where the place has no preferred_username; "" where it has.
	username string
}

// microsoft are the hosts at which Entra ID and personal accounts of Microsoft log in, of all its clouds.
var microsoft = []string{
	"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net", "login.microsoftonline.us", "login.partner.microsoftonline.cn",
}

// openPlaces are known by the hosts of their endpoints.
var openPlaces = []openPlace{
	{
		domains: []string{"accounts.google.com", "googleapis.com"},
		oidc:    byRule("claims.hd == 'example.com'"), oauth2: byRule("claims.hd == 'example.com'"),
		username: "email",
	},
	{
		domains: microsoft, open: namesAnyDirectory,
		oidc: "name one directory, as in " + entraIssuer + ", or " + byRule("claims.tid == '<directory ID>'"),
		oauth2: "name one directory in authorizationEndpoint and tokenEndpoint, as in https://login.microsoftonline.com/<directory ID>/oauth2/v2.0/token, or better " +
			"use type OIDC with the issuer " + entraIssuer,
	},
	{
		domains: microsoft, open: namesConsumers,
		oidc: byRule("claims.sub in ['<subject>']"), oauth2: byRule("userinfo.sub in ['<subject>']"),
	},
	{
		domains: []string{"login.live.com"},
		oidc:    byRule("claims.sub in ['<subject>']"), oauth2: byRule("userinfo.id in ['<user ID>']"),
	},
	{
		domains: []string{"github.com"},
		oidc:    byRule("userinfo.id in [583231]"),
		oauth2: `to admit the members of an organization set spec.oauth2.groupsEndpoint: {url: "https://api.github.com/user/orgs?per_page=100", expression: "groups.map(o, o.login)"} ` +
			"with the scope read:org, and " + byRule("'my-organization' in groups"),
		username: "login",
	},
	{
		domains: []string{"gitlab.com"},
		oidc:    byRule("'my-group' in userinfo.groups"), oauth2: byRule("'my-group' in userinfo.groups"),
	},
	{
		domains: []string{"facebook.com"},
		oidc:    byRule("claims.sub in ['<user ID>']"), oauth2: byRule("userinfo.id in ['<user ID>']"),
		username: "email",
	},
}

// byRule is the advice to write a rule.
func byRule(expression string) string {
	return fmt.Sprintf("say who may log in with a rule such as spec.claimValidationRules: [{expression: %q}]", expression)
}

// namesAnyDirectory tells whether a URL at Microsoft is not that of one directory. No token names such an issuer.
func namesAnyDirectory(u *url.URL) bool {
	return slices.Contains([]string{"common", "organizations"}, firstSegment(u))
}

// namesConsumers tells whether a URL is that of the personal accounts, whose directory has an ID as well.
func namesConsumers(u *url.URL) bool {
	return slices.Contains([]string{"consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"}, firstSegment(u))
}

// firstSegment is the beginning of a path in lower case, decoded, and as servers read it that clean paths.
func firstSegment(u *url.URL) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+u.Path), "/"), "/")
	return strings.ToLower(segment)
}

// planOpen refuses a provider at which anybody can have an account, unless the object says who may log in, or that everybody may.
func (o *providerPlan) planOpen(endpoints []endpoint) {
	spec := &o.object.Spec
	if len(spec.ClaimValidationRules) > 0 || spec.AllowAnyone != nil && *spec.AllowAnyone {
		return
	}
	for _, e := range endpoints {
		place, host := openAt(e.url)
		if place == nil {
			continue
		}
		advice := place.oidc
		if spec.Type == v1alpha1.ProviderOAuth2 {
			advice = place.oauth2
		}
		o.refuse(v1alpha1.ReasonOpenToEveryone, e.field, "anybody can have an account at %s: %s, or set spec.allowAnyone: true", host, advice)
		return
	}
}

// warnUsername tells of a provider whose users would all be refused, as they have no username.
func (o *providerPlan) warnUsername(endpoints []endpoint) {
	if m := o.object.Spec.ClaimMappings; m != nil && m.Username != nil || o.object.Spec.OIDC != nil && o.object.Spec.OIDC.UsernameClaim != "" {
		return
	}
	for _, e := range endpoints {
		if place, host := openAt(e.url); place != nil && place.username != "" {
			o.warn("spec.claimMappings.username", "users of %s have no preferred_username, so nobody can log in: set it to {claim: %s}", host, place.username)
			return
		}
	}
}

// openAt finds the open place that a URL belongs to, and how to call it.
func openAt(s string) (*openPlace, string) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, ""
	}
	host := hostOf(s)
	for i := range openPlaces {
		place := &openPlaces[i]
		if !slices.ContainsFunc(place.domains, func(domain string) bool { return under(host, domain) }) {
			continue
		}
		switch {
		case place.open == nil:
			return place, host
		case place.open(u):
			return place, host + "/" + firstSegment(u)
		}
	}
	return nil, ""
}
