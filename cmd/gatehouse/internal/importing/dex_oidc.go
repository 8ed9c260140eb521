// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"regexp"
	"slices"
)

// openID is the connector for any OpenID provider.
func (c *dexConnector) openID() {
	c.rootCAs()
	c.endpoint("issuer", "issuer", "")
	c.start("openid", "profile", "email")
	if c.s.Bool("basicAuthUnsupported", false) {
		c.method("ClientSecretPost", "basicAuthUnsupported")
	}
	overrides := c.s.ChildOf("providerDiscoveryOverrides")
	for _, e := range [][2]string{{"authURL", "authorizationEndpoint"}, {"tokenURL", "tokenEndpoint"}, {"userInfoURL", "userInfoEndpoint"}, {"jwksURL", "jwksEndpoint"}, {"endSessionURL", "endSessionEndpoint"}} {
		if value := overrides.URL(e[0]); value != "" {
			c.block.SetFrom(e[1], value, e[0])
			tellPlain(overrides, &c.object, e[0], value)
		}
	}
	tellEach(overrides, overrides.Tell, [][2]string{{"deviceAuthURL", "not carried over: there is no device flow"}})
	c.extra([2]string{"acrValues", "acr_values"}, [2]string{"promptType", "prompt"})
	if method := c.s.Text("pkceChallenge"); method != "" && method != "S256" {
		c.note("pkceChallenge", "S256 in its place, which every provider with PKCE takes (RFC 7636 section 4.2)")
	}
	c.claims()
	c.hostedDomains()
	if groups := list(c.s, "allowedGroups"); len(groups) > 0 {
		if c.s.Bool("insecureEnableGroups", false) {
			c.rule(groupsRule(groups), "you are in none of the groups that may log in", "allowedGroups")
		} else {
			c.note("allowedGroups", "not carried over: it counted with insecureEnableGroups alone, and everybody could log in. For the rule that was meant: %s", "'group' in groups")
		}
	}
	if !c.s.Bool("insecureSkipEmailVerified", false) && c.asksEmail() {
		c.rule("has(claims.email_verified) || has(userinfo.email_verified)", "the provider does not say whether your e-mail address is verified", "")
		c.note("insecureSkipEmailVerified", "the rule about email_verified is Dex's own, unless it is told to skip it: providers such as Entra ID send none")
	}
}

// asksEmail tells whether the scope email is asked for.
func (c *dexConnector) asksEmail() bool {
	for _, f := range c.block {
		if scopes, ok := f.Value.([]string); ok && f.Name == "scopes" {
			return slices.Contains(scopes, "email")
		}
	}
	return false
}

// claims say who people are.
func (c *dexConnector) claims() {
	mapping := c.s.ChildOf("claimMapping")
	override := c.s.Bool("overrideClaimMapping", false)
	source := func(key, standard string) (claim, expression string) {
		other := mapping.Text(key)
		switch {
		case other == "" || other == standard:
			return standard, ""
		case override:
			return other, ""
		}
		return "", "claims[?" + celText(standard) + "].or(claims[?" + celText(other) + "]).orValue(null)"
	}
	for _, one := range [][3]string{{"username", "preferred_username", "preferred_username"}, {"email", "email", "email"}} {
		claim, expression := source(one[1], one[2])
		switch {
		case expression != "":
			c.expression(one[0], expression, "claimMapping."+one[1])
		case claim != one[2]:
			c.mappings.SetFrom(one[0], Inline{{Name: "claim", Value: claim}}, "claimMapping."+one[1])
		}
	}
	if name := c.s.Text("userNameKey"); name != "" && name != "name" {
		c.claim("name", name, "userNameKey")
	}
	if id := c.s.Text("userIDKey"); id != "" && id != "sub" {
		c.note("userIDKey", "not carried over: who somebody is for ever is sub, as OpenID Connect Core section 5.7 has it")
	}
	c.googleUsername(c.s.Text("issuer"))
	claim, expression := source("groups", "groups")
	c.groupClaims(claim, expression)
}

// groupClaims are off in Dex unless it is told otherwise; they can be filtered and renamed.
func (c *dexConnector) groupClaims(claim, expression string) {
	modify := c.s.ChildOf("claimModifications")
	filter, rename := modify.ChildOf("filterGroupClaims"), modify.ChildOf("modifyGroupNames")
	pattern, prefix, suffix := filter.Text("groupsFilter"), rename.Text("prefix"), rename.Text("suffix")
	tellEach(modify, modify.Tell, [][2]string{{"newGroupFromClaims", "not carried over: claimMappings.groups takes an expression, such as claims.groups + [claims.org + ':' + claims.role]"}})
	if !c.s.Bool("insecureEnableGroups", false) {
		c.note("insecureEnableGroups", "groups of the provider are not taken, as in Dex without it. Leave claimMappings.groups out to take them")
		c.expression("groups", "[]", c.origin("insecureEnableGroups"))
		return
	}
	if _, err := regexp.Compile(pattern); err != nil {
		filter.Mistake("groupsFilter", "want a regular expression")
		return
	}
	if pattern == "" && prefix == "" && suffix == "" {
		switch {
		case expression != "":
			c.expression("groups", expression, "claimMapping.groups")
		case claim != "groups":
			c.mappings.SetFrom("groups", Inline{{Name: "claim", Value: claim}}, "claimMapping.groups")
		}
		return
	}
	list := "claims[" + celText(cmp.Or(claim, "groups")) + "]"
	if pattern != "" {
		list += ".filter(g, g.matches(" + celText(pattern) + "))"
	}
	if prefix != "" || suffix != "" {
		list += ".map(g, " + celText(prefix) + " + g + " + celText(suffix) + ")"
		c.note("claimModifications", "rules ask for groups by the new names: Dex compared allowedGroups with those before they were changed")
	}
	c.expression("groups", list, "claimModifications")
}
