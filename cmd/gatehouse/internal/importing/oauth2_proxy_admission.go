// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

var mailDomain = regexp.MustCompile(`^(\*?\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)

// admission says who may log in: an e-mail address that fits, and where groups are given a member of one of them.
func (p *proxyProvider) admission() {
	everybody := p.emails()
	restricted := p.groups()
	if everybody && !restricted {
		p.everybody = "email_domains"
	}
}

// emailRules are of email_domains and authenticated_emails_file: one of them has to fit. known: the file could be read, or there is none.
func (o *proxyImport) emailRules() (domains, addresses []string, everybody, known bool) {
	known = true
	for _, domain := range list(o.s, "email_domains") {
		domain = strings.ToLower(domain)
		switch {
		case domain == "*":
			everybody = true
		case !mailDomain.MatchString(domain):
			o.s.Mistake("email_domains", `want domains such as example.com, .example.com for those below it, or "*"`)
		default:
			domains = append(domains, domain)
		}
	}
	file := o.s.Text("authenticated_emails_file")
	if file == "" || everybody {
		return domains, nil, everybody, known
	}
	text := besideOf(o.in, file)
	for line := range strings.Lines(text) {
		address, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(line)), ",")
		if address = strings.TrimSpace(address); address != "" && !strings.HasPrefix(address, "#") {
			addresses = append(addresses, address)
		}
	}
	return domains, addresses, everybody, text != ""
}

// emails makes the rule about e-mail addresses, and tells whether any will do.
func (p *proxyProvider) emails() bool {
	if p.o.alone {
		p.nobody("", "email_domains and authenticated_emails_file are not in an alpha configuration. Import the .cfg or flags with --alpha-config, or write the rule")
		return false
	}
	domains, addresses, everybody, known := p.o.emailRules()
	key := "email_domains"
	if len(domains) == 0 {
		key = "authenticated_emails_file"
	}
	switch {
	case everybody:
		return true
	case !known:
		p.aside("authenticated_emails_file", "the file of addresses is not beside the settings. Put it there and import again, or write claims.email in ['ada@example.com']")
	case len(domains)+len(addresses) == 0:
		p.aside(key, "there is neither email_domains nor authenticated_emails_file, and OAuth2 Proxy does not start without")
	case p.kind == "github" || p.kind == "bitbucket":
		p.aside(key, "a rule cannot see the address that this service verified. Admit the members of an organization, with groupsEndpoint as for github_org, or people by their ID")
	default:
		p.emailRule(domains, addresses, key)
	}
	return false
}

// aside is nobody for a setting that stands outside of the provider's.
func (p *proxyProvider) aside(key, why string) {
	p.nobody("", "%s", why)
	last := &p.object.Notes[len(p.object.Notes)-1]
	last.Key, last.Line = p.o.s.Name(key), p.o.s.Line(key)
}

func (p *proxyProvider) emailRule(domains, addresses []string, key string) {
	claim := "email"
	for _, m := range p.mappings {
		if source, ok := m.Value.(Inline); ok && m.Name == "email" {
			claim, _ = source[0].Value.(string)
		}
	}
	expression := emailExpression("claims["+celText(claim)+"]", domains, addresses)
	if claim == "email" {
		expression = emailExpression("claims.email", domains, addresses)
	}
	switch {
	case p.kind == "google":
		// Google vouches for an address of its own, and of a Workspace; another can be a former holder's.
		if !slices.Equal(domains, []string{"gmail.com"}) {
			expression = "has(claims.hd) && (" + expression + ")"
			if slices.Contains(domains, "gmail.com") || len(addresses) > 0 {
				expression = "(has(claims.hd) || claims.email.endsWith('@gmail.com')) && (" + strings.TrimPrefix(expression, "has(claims.hd) && (")
			}
			p.note("", "%s: an address counts only of an account that is in a Google Workspace (the claim hd), or at gmail.com: with others, whoever had the address once may still have the account", shown(p.o.s.Name(key)))
		}
		expression = "claims.email_verified == true && " + expression
	case p.s.Bool("insecure_oidc_allow_unverified_email", false):
		p.note("insecure_oidc_allow_unverified_email", "the rule does not ask email_verified, as before: whoever can write any address into their account there gets in")
	case p.kind != "facebook" && claim == "email":
		expression = "claims.?email_verified.orValue(true) == true && " + expression
	}
	p.upstream.rule(expression, "your e-mail address is not among those that may log in", "")
	if from := p.o.s.Name(key); !slices.Contains(p.from, from) {
		p.from = append(p.from, from)
	}
}

// emailExpression is true of an address in a domain, below one that begins with a dot, or in the list.
func emailExpression(address string, domains, addresses []string) string {
	folded := address + ".lowerAscii()"
	var ends []string
	for _, domain := range domains {
		if _, below, ok := strings.Cut(domain, "."); ok && (strings.HasPrefix(domain, ".") || strings.HasPrefix(domain, "*.")) {
			ends = append(ends, "."+below)
		} else {
			ends = append(ends, "@"+domain)
		}
	}
	var parts []string
	switch len(ends) {
	case 0:
	case 1:
		parts = append(parts, folded+".endsWith("+celText(ends[0])+")")
	default:
		parts = append(parts, celList(ends)+".exists(d, "+folded+".endsWith(d))")
	}
	if len(addresses) > 0 {
		parts = append(parts, folded+" in "+celList(addresses))
	}
	if len(parts) == 2 {
		return "(" + strings.Join(parts, " || ") + ")"
	}
	return strings.Join(parts, "")
}

// groups makes the rule about groups, roles, organizations and people, and tells whether there is one.
func (p *proxyProvider) groups() bool {
	before := len(p.rules)
	p.unreadable()
	if p.kind == "github" {
		return p.githubAdmission() || len(p.rules) > before
	}
	var groups []string
	key := ""
	for _, k := range []string{"allowed_groups", "keycloak_groups", "gitlab_groups"} {
		if all := list(p.s, k); len(all) > 0 {
			groups, key = append(groups, all...), k
		}
	}
	roles := list(p.s, "allowed_roles")
	for i, g := range groups {
		if role, ok := strings.CutPrefix(g, "role:"); ok && p.kind == "keycloak-oidc" {
			roles = append(roles, role)
			groups[i] = ""
		}
	}
	groups = slices.DeleteFunc(groups, func(g string) bool { return g == "" })
	var parts, ofTokens []string
	if len(groups) > 0 {
		parts = append(parts, groupsRule(groups))
		ofTokens = append(ofTokens, "claims["+celText(cmp.Or(p.s.Text("oidc_groups_claim"), "groups"))+"].exists(g, g in "+celList(groups)+")")
	}
	ofRoles := p.roles(roles)
	parts = append(parts, ofRoles...)
	p.admits = strings.Join(append(ofTokens, ofRoles...), " || ")
	if len(parts) > 0 {
		if key == "" {
			key = "allowed_roles"
		}
		p.upstream.rule(strings.Join(parts, " || "), "you are in none of the groups that may log in", key)
	}
	return len(p.rules) > before
}

// roles are Keycloak's: of the realm, or client:role.
func (p *proxyProvider) roles(roles []string) []string {
	var realm, parts []string
	for _, role := range roles {
		if client, name, ok := strings.Cut(role, ":"); ok {
			parts = append(parts, celText(name)+" in claims.resource_access["+celText(client)+"].roles")
		} else {
			realm = append(realm, role)
		}
	}
	if len(realm) > 0 {
		parts = append([]string{"claims.realm_access.roles.exists(r, r in " + celList(realm) + ")"}, parts...)
	}
	if len(roles) > 0 {
		p.note("allowed_roles", "Keycloak puts roles into access tokens alone: switch on \"Add to ID token\" in the mappers of the client scope roles, else nobody gets in")
	}
	return parts
}

// unreadable are restrictions that nothing here can ask about.
func (p *proxyProvider) unreadable() {
	for _, one := range []struct{ key, why string }{
		{"google_groups", "Google tells groups to its Admin SDK alone. Use a Workspace domain (claims.hd), or let an OpenID provider that knows the groups stand between"},
		{"gitlab_projects", "projects are told by no claim. Write groups of GitLab: 'my-group' in groups"},
		{"github_repo", "access to a repository is told at no endpoint that lists groups. Write an organization or team"},
		{"bitbucket_repository", "access to a repository is told at no endpoint that lists groups. Write the members of a workspace"},
		{"bitbucket_team", "Bitbucket has workspaces in place of teams. Set groupsEndpoint to the URL of the API that lists the user's workspaces, and write a rule about groups"},
	} {
		if p.s.Has(one.key) || one.key == "google_groups" && p.s.Has("google_group") {
			p.s.Get(one.key)
			p.s.Get("google_group")
			p.nobody(one.key, "%s", one.why)
		}
	}
	if p.kind == "bitbucket" && len(p.rules) == 0 {
		p.nobody("provider", "anybody can have an account at Bitbucket. Write who may come in: userinfo.uuid in ['{…}']")
	}
	if p.kind == "linkedin" {
		p.nobody("provider", "anybody can have an account at LinkedIn. Write who may come in: claims.sub in ['…']. The application there needs the product \"Sign In with LinkedIn using OpenID Connect\"")
	}
}
