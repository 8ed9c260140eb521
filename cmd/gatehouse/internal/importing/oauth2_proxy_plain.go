// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"strings"
)

// plain is the block of type OAuth2.
func (p *proxyProvider) plain() {
	p.clientID("client_id")
	p.clientSecret()
	scopes := p.scopes(false)
	p.set("scopes", scopes, "scope")
	if p.kind == "github" {
		p.github()
		return
	}
	userInfo := "validate_url"
	if p.s.Has("profile_url") {
		userInfo = "profile_url"
	}
	for _, e := range []struct{ field, key, otherwise string }{
		{"authorizationEndpoint", "login_url", p.place.authorization}, {"tokenEndpoint", "redeem_url", p.place.token}, {"userInfoEndpoint", userInfo, p.place.userInfo},
	} {
		if e.otherwise == "" && !p.s.Has(e.key) {
			p.s.mistakes = append(p.s.mistakes, Mistake{File: p.s.file, Line: p.s.Line("provider"), Text: e.key + " is missing or empty"})
		}
		p.endpoint(e.field, e.key, e.otherwise)
	}
	p.block.Set("subjectAttribute", p.place.subject)
	p.claim("username", p.place.username, "")
}

// github is GitHub, or an Enterprise Server of one's own: validate_url is where its API begins.
func (p *proxyProvider) github() {
	p.endpoint("authorizationEndpoint", "login_url", p.place.authorization)
	p.endpoint("tokenEndpoint", "redeem_url", p.place.token)
	api := "https://api.github.com"
	if u, err := url.Parse(p.s.URL("validate_url")); err == nil && u.Host != "" {
		api = u.Scheme + "://" + u.Host
		if strings.HasPrefix(u.Path, "/api/v3") {
			api += "/api/v3"
		}
	}
	p.set("userInfoEndpoint", api+"/user", "validate_url")
	p.block.Set("subjectAttribute", "id")
	p.block.Set("emailsEndpoint", api+"/user/emails")
	p.claim("username", "login", "")
	p.githubGroups(api)
}

// githubGroups asks for teams where a team is demanded, else for organizations.
func (p *proxyProvider) githubGroups(api string) {
	url, expression := api+"/user/orgs?per_page=100", "groups.map(o, o.login)"
	if p.s.Has("github_team") {
		url, expression = api+"/user/teams?per_page=100", "groups.map(t, t.organization.login + ':' + t.slug)"
	}
	p.block.Set("groupsEndpoint", Fields{{Name: "url", Value: url}, {Name: "expression", Value: expression}})
}

// githubAdmission is of github_org, github_team and github_users: a user of the list gets in without being a member.
func (p *proxyProvider) githubAdmission() bool {
	org, users := p.s.Text("github_org"), list(p.s, "github_users")
	var groups []string
	for _, team := range list(p.s, "github_team") {
		of, slug, named := strings.Cut(team, ":")
		switch {
		case named:
			groups = append(groups, of+":"+slug)
		case org == "":
			p.s.Mistake("github_team", "want organization:team, as github_org is not set: a team of that name may be in any organization")
		default:
			groups = append(groups, org+":"+team)
		}
	}
	key := "github_team"
	if len(groups) == 0 && org != "" {
		groups, key = []string{org}, "github_org"
	}
	var parts []string
	if len(groups) > 0 {
		parts = append(parts, groupsRule(groups))
	}
	if len(users) > 0 {
		parts = append(parts, "userinfo.login in "+celList(users))
		if key = "github_users"; len(groups) > 0 {
			key = "github_org"
		}
		p.note("github_users", "login names change hands at GitHub: write userinfo.id in [583231] in their place (curl https://api.github.com/users/NAME)")
	}
	if len(parts) > 0 {
		p.upstream.rule(strings.Join(parts, " || "), "you are not among those that may log in", key)
	}
	if all := list(p.s, "allowed_groups"); len(all) > 0 {
		p.upstream.rule(groupsRule(all), "you are in none of the groups that may log in", "allowed_groups")
	}
	return len(parts) > 0
}
