// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// dexConnectors make a provider of each type that Gatehouse can ask itself.
var dexConnectors = map[string]func(c *dexConnector){
	"oidc": (*dexConnector).openID, "google": (*dexConnector).google, "microsoft": (*dexConnector).microsoft, "github": (*dexConnector).github, "gitlab": (*dexConnector).gitlab,
	"gitea": (*dexConnector).gitea, "oauth": (*dexConnector).oauth, "bitbucket-cloud": (*dexConnector).bitbucket, "linkedin": (*dexConnector).linkedin,
}

const keepDex = "Keep Dex for it, with this connector alone and Gatehouse as its client, and log in there with type OIDC"

// dexElsewhere are connectors of other protocols.
var dexElsewhere = map[string]string{
	"ldap":            "Gatehouse speaks no LDAP: a directory's passwords would pass through it. " + keepDex + ", or use Keycloak's user federation",
	"saml":            "Gatehouse speaks no SAML. Most providers of SAML have OpenID Connect too: register a client there. Else: " + keepDex,
	"authproxy":       "Gatehouse takes no header's word for who somebody is. Let the proxy's own provider be the IdentityProvider",
	"openshift":       "OpenShift's OAuth server tells who somebody is in an object inside another, which type OAuth2 does not read. " + keepDex,
	"atlassian-crowd": "Crowd is asked with passwords, and Gatehouse passes none on. Crowd 5 and later has OpenID Connect; else: " + keepDex,
	"keystone":        "Keystone is asked with passwords, and Gatehouse passes none on. " + keepDex,
	"mockCallback":    "it lets everybody in, for tests of Dex", "mockPassword": "it is for tests of Dex: gatehouse users add, or a user in staticPasswords",
}

// dexConnector is the import of one connector. Its settings are those of config.
type dexConnector struct {
	*upstream
	o    *dexImport
	kind string
}

func (o *dexImport) connectors(taken names) {
	one := o.s.Get("connectors")
	if one == nil {
		return
	}
	if one.Value.Kind != List {
		o.s.Mistake("connectors", "want a list")
		return
	}
	for i, item := range one.Value.Items {
		s := o.s.ChildAt(fmt.Sprintf("connectors[%d]", i), item)
		kind, config := s.Text("type"), s.Get("config")
		value := Value{Line: item.Line}
		if config != nil {
			value = config.Value
		}
		make := dexConnectors[kind]
		if make == nil {
			o.elsewhere(s, kind, item.Line, value)
			continue
		}
		name := taken.take(cmp.Or(o.in.Name, labelOf(s.Text("id"), labelOf(kind, "sso"))))
		c := &dexConnector{upstream: newUpstream(o.in, o.s.ChildAt(s.at("config"), value), &o.result, name), o: o, kind: kind}
		if title := s.Text("name"); len([]rune(title)) > 128 {
			s.Mistake("name", "it has more than 128 characters")
		} else if title != "" {
			c.object.Spec.SetFrom("displayName", title, "name")
		}
		if s.Get("grantTypes") != nil {
			c.object.Notes = append(c.object.Notes, s.Note("grantTypes", "not carried over: people log in with the authorization code, and there is no password grant"))
		}
		c.s.Text("redirectURI") // told at the head, for each provider
		make(c)
		c.leftOver()
		c.done(o.external)
	}
}

// elsewhere tells of a connector that stays.
func (o *dexImport) elsewhere(s *Settings, kind string, line int, config Value) {
	text := dexElsewhere[kind]
	if text == "" {
		s.Mistake("type", "want one of Dex's connectors, such as oidc, github or ldap")
		return
	}
	s.Get("id")
	s.Get("name")
	s.Get("grantTypes")
	var members []string
	for _, m := range config.Members {
		members = append(members, shown(m.Name))
	}
	config.secrets(false, func(text string) { s.secrets["config: "+text] = text })
	s.notes = append(s.notes, Note{Place: s.place, Line: line, Text: fmt.Sprintf("no IdentityProvider is made of the connector %s (%s): %s", kind, strings.Join(members, ", "), text)})
}

// leftOver tells of what Dex's connectors of any type have and nothing here needs.
func (c *dexConnector) leftOver() {
	if c.s.Bool("insecureSkipVerify", false) {
		c.note("insecureSkipVerify", "never, as anybody on the way could then say who logs in. Put the provider's CA into a Secret or ConfigMap and name it with caBundleRef")
	}
	tellEach(c.s, c.note, [][2]string{
		{"useLoginAsID", "not carried over: login names change hands. Users are known by the number of their account"},
		{"loadAllGroups", "groups are those that groupsEndpoint gives, whatever the rule asks for"},
		{"preferredEmailDomain", "not carried over: the primary verified address counts"},
		{"teamNameField", "not carried over: groups are organization:slug of the team"},
		{"getGroupsPermission", "not carried over: groups are the paths alone"},
		{"inheritedGroups", "not carried over: groups are those that GitLab's userinfo names"},
		{"getUserInfo", "not needed: the userinfo endpoint is asked after each login, if the metadata name one"},
		{"issuerAlias", "not carried over: iss of ID tokens is compared with the issuer exactly. Write the one that tokens have as issuer, and the other's metadata as discoveryURL"},
		{"serviceAccountFilePath", "not carried over: Google's Admin SDK is not asked"}, {"domainToAdminEmail", "not carried over: Google's Admin SDK is not asked"},
		{"adminEmail", "not carried over: Google's Admin SDK is not asked"}, {"fetchTransitiveGroupMembership", "not carried over: Google's Admin SDK is not asked"},
		{"onlySecurityGroups", "not carried over: which groups a token has is a setting of the application at Entra ID"},
		{"groupNameFormat", "groups are IDs of objects, as tokens have them"}, {"useGroupsAsWhitelist", "groups are all those of the token; who may log in is the rule's"},
		{"emailToLowercase", "not carried over: addresses are compared without case"}, {"batchGroupLookups", "not carried over: Graph is not asked"},
		{"apiURL", "not carried over: oidc.issuer names the cloud"}, {"graphURL", "not carried over: Graph is not asked"},
		{"clientAssertion", "not carried over: the client logs in with a secret or a private key"},
		{"preferredUsernameField", "not carried over: claimMappings.username says where a name is from"},
		{"includeTeamGroups", "not carried over: groups are workspaces"}, {"getWorkspacePermissions", "not carried over: groups are workspaces"},
		{"clientSecret", "not carried over"},
	})
}

// start is the client, with the scopes of the file, or others.
func (c *dexConnector) start(scopes ...string) {
	c.block = append(c.block, Field{Name: "clientID", Value: ""})
	id := c.given("clientID", "change-me")
	if id == "" {
		c.s.mistakes = append(c.s.mistakes, Mistake{File: c.in.File, Line: cmp.Or(c.s.Line("clientSecret"), c.s.Line("issuer")), Text: "clientID is missing or empty in connector " + c.kind})
	} else if len(id) > 512 {
		c.s.Mistake("clientID", "it has more than 512 bytes")
	}
	c.block[len(c.block)-1] = Field{Name: "clientID", Value: id, From: c.origin("clientID")}
	c.dexSecret("clientSecret")
	if given := scopesOf(c.s, "scopes"); len(given) > 0 {
		scopes = given
		if !c.oauth2 && !slices.Contains(scopes, "openid") {
			scopes = append([]string{"openid"}, scopes...)
		}
	}
	c.set("scopes", scopes, "scopes")
}

// method is how the client authenticates, if it has a secret.
func (c *dexConnector) method(method, key string) {
	if !slices.ContainsFunc(c.block, func(f Field) bool { return f.Name == "clientAuthenticationMethod" }) {
		c.set("clientAuthenticationMethod", method, key)
	}
}

// extra are parameters of the authorization request.
func (c *dexConnector) extra(pairs ...[2]string) {
	var all []Inline
	var from []string
	for _, one := range pairs {
		if value := strings.Join(c.s.Words(one[0], ""), " "); value != "" && len(value) <= 1024 {
			all, from = append(all, Inline{{Name: "name", Value: one[1]}, {Name: "value", Value: value}}), append(from, one[0])
		}
	}
	if len(all) > 0 {
		c.block.SetFrom("extraAuthorizationParameters", all, strings.Join(from, ", "))
	}
}

// hostedDomains admits accounts of Google Workspace domains.
func (c *dexConnector) hostedDomains() {
	if domains := list(c.s, "hostedDomains"); len(domains) > 0 {
		c.rule("claims.hd in "+celList(domains), "log in with your account of one of the domains that may", "hostedDomains")
	}
}

func (c *dexConnector) google() {
	c.block.Set("issuer", googleIssuer)
	c.start("openid", "profile", "email")
	c.extra([2]string{"promptType", "prompt"})
	c.googleUsername(googleIssuer)
	c.hostedDomains()
	if c.s.Has("groups") {
		c.s.Get("groups")
		c.nobody("groups", "Google tells groups to its Admin SDK alone. Use a Workspace domain (claims.hd)")
	}
}

func (c *dexConnector) microsoft() {
	tenant := c.given("tenant", nobodysDirectory)
	if !directory.MatchString(tenant) {
		c.note("tenant", "which directory's people may log in is not said by its ID, and nobody can until oidc.issuer names it (az account show --query tenantId): all directories are at one place")
		tenant = nobodysDirectory
	}
	from := c.origin("tenant")
	if tenant == nobodysDirectory {
		from = "WRITE YOURS: az account show --query tenantId"
	}
	c.block.SetFrom("issuer", "https://login.microsoftonline.com/"+tenant+"/v2.0", from)
	if c.s.Has("scopes") {
		c.s.Get("scopes")
		c.note("scopes", "not carried over: they were for Graph, and the ID token is asked for here")
		c.s.byKey["scopes"] = nil
	}
	c.start("openid", "profile", "email")
	c.extra([2]string{"promptType", "prompt"}, [2]string{"domainHint", "domain_hint"})
	if groups := list(c.s, "groups"); len(groups) > 0 {
		if c.s.Text("groupNameFormat") == "id" || !slices.ContainsFunc(groups, func(g string) bool { return !directory.MatchString(g) }) {
			c.rule(groupsRule(groups), "you are in none of the groups that may log in", "groups")
			c.note("groups", "add the groups claim to the application's tokens, else nobody gets in")
		} else {
			c.nobody("groups", "tokens of Entra ID name groups by the ID of the object, not by name: 'aaaabbbb-0000-cccc-1111-dddd2222eeee' in groups, with the groups claim added to the application")
		}
	}
}

func (c *dexConnector) linkedin() {
	c.block.Set("issuer", "https://www.linkedin.com/oauth")
	c.start("openid", "profile", "email")
	c.method("ClientSecretPost", "")
	c.claim("username", "email", "")
	c.nobody("", "anybody can have an account at LinkedIn, and Dex let everybody in. Write who may come in: claims.sub in ['…']. The application there needs the product \"Sign In with LinkedIn using OpenID Connect\"")
}

// rootCAs are files, or for GitLab the certificates themselves.
func (c *dexConnector) rootCAs() {
	c.authorities("rootCAs", list(c.s, "rootCAs"), "")
	if file := c.s.Text("rootCA"); file != "" {
		c.authorities("rootCA", []string{file}, "")
	}
	if data := c.s.Text("rootCAData"); data != "" {
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			c.s.Mistake("rootCAData", "want base64")
			return
		}
		c.authorities("rootCAData", nil, string(text))
	}
}
