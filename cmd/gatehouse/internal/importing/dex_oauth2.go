// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"regexp"
	"strings"
)

var hostAndPort = regexp.MustCompile(`^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)

// github is github.com, or an Enterprise Server.
func (c *dexConnector) github() {
	c.oauth2 = true
	c.rootCAs()
	site, api := "https://github.com", "https://api.github.com"
	if host := c.s.Text("hostName"); host != "" {
		if !hostAndPort.MatchString(host) {
			c.s.Mistake("hostName", "want a host such as git.example.com")
			return
		}
		site, api = "https://"+host, "https://"+host+"/api/v3"
	}
	c.start("read:user", "user:email", "read:org")
	c.method("ClientSecretPost", "")
	c.place(site+"/login/oauth/authorize", site+"/login/oauth/access_token", api+"/user", "id")
	c.block.Set("emailsEndpoint", api+"/user/emails")
	c.claim("username", "login", "")
	groups, teams := c.organizations()
	url, expression := api+"/user/orgs?per_page=100", "groups.map(o, o.login)"
	if teams {
		url, expression = api+"/user/teams?per_page=100", "groups.map(t, t.organization.login + ':' + t.slug)"
		if field := c.s.Text("teamNameField"); field != "slug" {
			c.note("orgs", "teams are known by their slug, such as site-admins: Dex compared the name, such as Site Admins, unless teamNameField is slug. The names are in the rule as slugs; check them")
		}
	}
	c.block.Set("groupsEndpoint", Fields{{Name: "url", Value: url}, {Name: "expression", Value: expression}})
	c.member(groups)
}

// place are the endpoints, and the member that says who somebody is for ever.
func (c *dexConnector) place(authorization, token, userInfo, subject string) {
	c.block.Set("authorizationEndpoint", authorization)
	c.block.Set("tokenEndpoint", token)
	c.block.Set("userInfoEndpoint", userInfo)
	c.block.Set("subjectAttribute", subject)
}

// member admits the members of any of the groups.
func (c *dexConnector) member(groups []string) {
	key := "orgs"
	for _, k := range []string{"org", "groups", "teams"} {
		if c.s.byKey[k] != nil {
			key = k
		}
	}
	if len(groups) > 0 {
		c.rule(groupsRule(groups), "you are in none of the groups that may log in", key)
	}
}

// organizations are those of org and orgs: organization, or organization:team.
func (c *dexConnector) organizations() (groups []string, teams bool) {
	if org := c.s.Text("org"); org != "" {
		groups = append(groups, org)
	}
	one := c.s.Get("orgs")
	if one == nil {
		return groups, false
	}
	var whole []string
	for _, item := range one.Value.Items {
		s := c.s.Child(item)
		org, named := s.Text("name"), s.Words("teams", "\x00")
		if list := s.Get("teams"); list != nil && list.Value.Kind == Text {
			named = []string{list.Value.Text}
		}
		if org == "" {
			s.Mistake("name", "want the name of an organization")
		}
		if len(named) == 0 {
			whole = append(whole, org)
		}
		for _, team := range named {
			groups = append(groups, org+":"+c.slug(team))
		}
	}
	teams = len(groups) > len(strings.Fields(c.s.Text("org")))
	if teams && len(whole) > 0 && c.kind == "github" {
		c.note("orgs", "an organization without teams stands beside one with teams: only members of some team of the first get in, as GitHub is asked for teams. Name its teams in the rule, or make two providers")
		c.nobody("orgs", "write groups.exists(g, g.startsWith('organization:')) for organizations without teams, beside the rule's teams")
	}
	return append(groups, whole...), teams
}

// slug is what GitHub makes of a team's name; elsewhere the name.
func (c *dexConnector) slug(team string) string {
	if c.kind != "github" {
		return team
	}
	return strings.Trim(regexp.MustCompile(`[^a-z0-9_-]+`).ReplaceAllString(strings.ToLower(team), "-"), "-")
}

// base is the URL of a service of one's own.
func (c *dexConnector) base(otherwise string) string {
	text := strings.TrimRight(c.s.URL("baseURL"), "/")
	if text != "" {
		tellPlain(c.s, &c.object, "baseURL", text)
	}
	return cmp.Or(text, otherwise)
}

func (c *dexConnector) gitlab() {
	c.oauth2 = true
	c.rootCAs()
	base := c.base("https://gitlab.com")
	c.start("openid", "profile", "email")
	c.place(base+"/oauth/authorize", base+"/oauth/token", base+"/oauth/userinfo", "sub")
	c.claim("username", "nickname", "")
	c.member(c.s.Words("groups", "\x00"))
}

func (c *dexConnector) gitea() {
	c.oauth2 = true
	c.rootCAs()
	base := c.base("https://gitea.com")
	c.start("openid", "profile", "email", "groups")
	c.place(base+"/login/oauth/authorize", base+"/login/oauth/access_token", base+"/login/oauth/userinfo", "sub")
	groups, _ := c.organizations()
	c.member(groups)
	if len(groups) == 0 && base == "https://gitea.com" {
		c.nobody("baseURL", "anybody can have an account at gitea.com. Write who may come in: 'my-organization' in groups")
	}
}

func (c *dexConnector) bitbucket() {
	c.oauth2 = true
	c.start("account", "email")
	c.place("https://bitbucket.org/site/oauth2/authorize", "https://bitbucket.org/site/oauth2/access_token", "https://api.bitbucket.org/2.0/user", "uuid")
	c.claim("username", "nickname", "")
	c.note("", "users have no e-mail address: Bitbucket gives it at an endpoint that answers with an object, and Gatehouse reads a list there")
	c.block.Set("groupsEndpoint", Fields{{Name: "url", Value: "https://api.bitbucket.org/2.0/user/workspaces?pagelen=100"}, {Name: "expression", Value: "groups.values.map(w, w.workspace.slug)"}})
	teams := list(c.s, "teams")
	c.member(teams)
	if len(teams) == 0 {
		c.nobody("", "anybody can have an account at Bitbucket, and Dex let everybody in. Write who may come in: 'my-workspace' in groups")
	}
}

// oauth is any OAuth 2.0 server with a userinfo endpoint.
func (c *dexConnector) oauth() {
	c.oauth2 = true
	c.rootCAs()
	c.start()
	for _, e := range [][2]string{{"authorizationEndpoint", "authorizationURL"}, {"tokenEndpoint", "tokenURL"}, {"userInfoEndpoint", "userInfoURL"}} {
		if !c.s.Has(e[1]) {
			c.s.mistakes = append(c.s.mistakes, Mistake{File: c.in.File, Line: c.s.Line("clientID"), Text: e[1] + " is missing or empty in connector oauth"})
		}
		c.endpoint(e[0], e[1], "")
	}
	subject := cmp.Or(c.s.Text("userIDKey"), "id")
	if len(subject) > 256 {
		c.s.Mistake("userIDKey", "it has more than 256 bytes")
	}
	c.set("subjectAttribute", subject, "userIDKey")
	mapping := c.s.ChildOf("claimMapping")
	for _, one := range [][3]string{
		{"preferredUsernameKey", "username", "preferred_username"}, {"userNameKey", "name", "user_name"}, {"emailKey", "email", "email"}, {"groupsKey", "groups", "groups"},
	} {
		claim := cmp.Or(mapping.Text(one[0]), one[2])
		if len(claim) > 256 {
			mapping.Mistake(one[0], "it has more than 256 bytes")
			continue
		}
		from := ""
		if mapping.byKey[one[0]] != nil {
			from = one[0]
		}
		c.mappings.SetFrom(one[1], Inline{{Name: "claim", Value: claim}}, from)
	}
	if key := mapping.Text("emailVerifiedKey"); key != "" && key != "email_verified" {
		c.note("claimMapping", "emailVerifiedKey is not carried over: email_verified says whether an address is verified")
	}
}
