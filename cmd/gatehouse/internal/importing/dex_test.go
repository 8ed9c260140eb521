// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// connector is a Dex with one connector of a type, with more lines of its config.
func connector(kind string, lines ...string) string {
	text := "issuer: https://dex.acme.example/dex\nconnectors:\n- type: " + kind + "\n  id: " + kind + "\n  name: Acme\n  config:\n    clientID: dex\n    clientSecret: client-secret-1\n    redirectURI: https://dex.acme.example/dex/callback\n"
	for _, line := range lines {
		text += "    " + strings.ReplaceAll(line, "\n", "\n    ") + "\n"
	}
	return text
}

const issuerLine = "issuer: https://sso.acme.example"

// TestDexFields guards that each part of Dex's configuration becomes what docs/migrating/dex.md says.
func TestDexFields(t *testing.T) {
	type wants = map[string]string
	oidc := func(lines ...string) string {
		return connector("oidc", append([]string{issuerLine, "insecureSkipEmailVerified: true", "insecureEnableGroups: true"}, lines...)...)
	}
	const isOIDC, hub, lab, sea, ms, any = "IdentityProvider/oidc ", "IdentityProvider/github ", "IdentityProvider/gitlab ", "IdentityProvider/gitea ", "IdentityProvider/microsoft ", "IdentityProvider/oauth "
	base := "issuer: https://dex.acme.example/dex\n"
	cases := []fieldCase{
		{name: "issuer", text: base, want: wants{serverIs + "spec.externalURL": `"https://dex.acme.example"`}, comment: []string{"no authorization_endpoint, no ID token"}},
		{name: "--external-url", text: base, options: []string{"external-url=https://auth.acme.example"}, want: wants{serverIs + "spec.externalURL": `"https://auth.acme.example"`}},
		{name: "oidc", text: oidc(), want: wants{isOIDC + "spec.displayName": `"Acme"`, isOIDC + "spec.oidc.issuer": `"https://sso.acme.example"`, isOIDC + "spec.oidc.clientID": `"dex"`, isOIDC + "spec.oidc.scopes": `["openid","profile","email"]`,
			isOIDC + "spec.claimMappings": "", isOIDC + "spec.claimValidationRules": ""}, secret: wants{"oidc/clientSecret": "client-secret-1"}, comment: []string{"https://dex.acme.example/auth/oidc/login/callback/"}},
		{name: "email_verified", text: connector("oidc", issuerLine, "insecureEnableGroups: true"), want: wants{isOIDC + firstRule: `"has(claims.email_verified) || has(userinfo.email_verified)"`}},
		{name: "no email", text: connector("oidc", issuerLine, "scopes: [profile]"), want: wants{isOIDC + firstRule: ""}},
		{name: "insecureEnableGroups", text: connector("oidc", issuerLine), want: wants{isOIDC + "spec.claimMappings.groups.expression": `"[]"`}},
		{name: "allowedGroups", text: oidc("allowedGroups: [a, b c]"), want: wants{isOIDC + firstRule: `"groups.exists(g, g in ['a', 'b c'])"`}},
		{name: "allowedGroups without groups", text: connector("oidc", issuerLine, "allowedGroups: [a]"), comment: []string{"it counted with insecureEnableGroups alone"}},
		{name: "hostedDomains", text: oidc("hostedDomains: [acme.example]"), want: wants{isOIDC + firstRule: `"claims.hd in ['acme.example']"`}},
		{name: "claimMapping", text: oidc("claimMapping: {preferred_username: login, email: mail, groups: roles}"), want: wants{isOIDC + "spec.claimMappings.username.expression": `"claims[?'preferred_username'].or(claims[?'login']).orValue(null)"`,
			isOIDC + "spec.claimMappings.groups.expression": `"claims[?'groups'].or(claims[?'roles']).orValue(null)"`}},
		{name: "overrideClaimMapping", text: oidc("overrideClaimMapping: true", "claimMapping: {preferred_username: login, email: mail, groups: roles}"), want: wants{isOIDC + "spec.claimMappings": `{"email":{"claim":"mail"},"groups":{"claim":"roles"},"username":{"claim":"login"}}`}},
		{name: "userNameKey", text: oidc("userNameKey: full_name"), want: wants{isOIDC + "spec.claimMappings.name.claim": `"full_name"`}},
		{name: "userIDKey", text: oidc("userIDKey: uid"), comment: []string{"who somebody is for ever is sub"}},
		{name: "claimModifications", text: oidc("claimModifications:\n  filterGroupClaims: {groupsFilter: \"^app-\"}\n  modifyGroupNames: {prefix: \"acme:\"}\n  newGroupFromClaims: [{claims: [org]}]"),
			want: wants{isOIDC + "spec.claimMappings.groups.expression": `"claims['groups'].filter(g, g.matches('^app-')).map(g, 'acme:' + g + '')"`}, comment: []string{"newGroupFromClaims (line 16): not carried over"}},
		{name: "acrValues and promptType", text: oidc("acrValues: [a, b]", "promptType: consent"), want: wants{isOIDC + "spec.oidc.extraAuthorizationParameters": `[{"name":"acr_values","value":"a b"},{"name":"prompt","value":"consent"}]`}},
		{name: "scopes", text: oidc("scopes: [email]"), want: wants{isOIDC + "spec.oidc.scopes": `["openid","email"]`}},
		{name: "basicAuthUnsupported", text: oidc("basicAuthUnsupported: true"), want: wants{isOIDC + "spec.oidc.clientAuthenticationMethod": `"ClientSecretPost"`}},
		{name: "providerDiscoveryOverrides", text: oidc("providerDiscoveryOverrides: {tokenURL: https://a.example/t, authURL: https://a.example/a, jwksURL: https://a.example/k, userInfoURL: https://a.example/u, endSessionURL: https://a.example/e, deviceAuthURL: https://a.example/d}"),
			want:    wants{isOIDC + "spec.oidc.tokenEndpoint": `"https://a.example/t"`, isOIDC + "spec.oidc.authorizationEndpoint": `"https://a.example/a"`, isOIDC + "spec.oidc.jwksEndpoint": `"https://a.example/k"`, isOIDC + "spec.oidc.userInfoEndpoint": `"https://a.example/u"`, isOIDC + "spec.oidc.endSessionEndpoint": `"https://a.example/e"`},
			comment: []string{"deviceAuthURL (line 13)"}},
		{name: "never", text: oidc("insecureSkipVerify: true", "pkceChallenge: plain", "issuerAlias: https://a.example", "getUserInfo: true"), comment: []string{"insecureSkipVerify (line 13): never", "S256 in its place", "issuerAlias (line 15)", "getUserInfo (line 16)"}},
		{name: "rootCAs", text: oidc("rootCAs: [/etc/ca.pem]"), options: []string{"beside=ca.pem=" + certificate}, want: wants{isOIDC + "spec.caBundleRef.name": `"oidc-ca"`}, secret: wants{"oidc-ca/ca.crt": strings.TrimSpace(certificate)}},
		{name: "a variable", text: strings.Replace(oidc(), "client-secret-1", "$SSO_SECRET", 1), secret: wants{"oidc/clientSecret": ""}, comment: []string{`--from-literal=clientSecret="$SSO_SECRET"`}},
		{name: "a variable as clientID", text: strings.Replace(oidc(), "clientID: dex", "clientID: ${SSO_ID}", 1), want: wants{isOIDC + "spec.oidc.clientID": `"change-me"`}, comment: []string{"from the variable SSO_ID"}},
		{name: "no clientSecret", text: strings.Replace(oidc(), "    clientSecret: client-secret-1\n", "", 1), want: wants{isOIDC + "spec.oidc.clientAuthenticationMethod": `"None"`}},
		{name: "unknown", text: oidc("carrot: 1"), comment: []string{"carrot (line 13): not carried over: the importer does not know it"}},
		{name: "google", text: connector("google", "hostedDomains: [acme.example]"), want: wants{"IdentityProvider/google " + firstRule: `"claims.hd in ['acme.example']"`, "IdentityProvider/google spec.claimMappings.username.claim": `"email"`}},
		{name: "Google as oidc", text: strings.Replace(oidc(), "sso.acme.example", "accounts.google.com", 1), want: wants{isOIDC + "spec.claimMappings.username.claim": `"email"`}, comment: []string{"Google tells no preferred_username"}},
		{name: "Google as oidc, with a mapping", text: strings.Replace(oidc("overrideClaimMapping: true", "claimMapping: {preferred_username: sub}"), "sso.acme.example", "accounts.google.com", 1), want: wants{isOIDC + "spec.claimMappings.username.claim": `"sub"`}},
		{name: "two secrets", text: oidc() + strings.TrimPrefix(connector("linkedin"), base+"connectors:\n"),
			comment: []string{`oidc --namespace default --from-literal=clientSecret="$OIDC_CLIENT_SECRET" OIDC_CLIENT_SECRET: the value of clientSecret (line`, `linkedin --namespace default --from-literal=clientSecret="$LINKEDIN_CLIENT_SECRET" LINKEDIN_CLIENT_SECRET: the value of`}},
		{name: "google for everybody", text: connector("google"), want: wants{"IdentityProvider/google " + firstRule: nobody, "IdentityProvider/google spec.allowAnyone": ""}},
		{name: "google groups", text: connector("google", "groups: [a@acme.example]", "serviceAccountFilePath: /x"), want: wants{"IdentityProvider/google " + firstRule: nobody}, comment: []string{"serviceAccountFilePath (line 11)"}},
		{name: "microsoft", text: connector("microsoft", "tenant: 8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10", "groupNameFormat: id", "groups: [x]", "domainHint: acme.example"),
			want: wants{ms + "spec.oidc.issuer": `"https://login.microsoftonline.com/8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10/v2.0"`, ms + firstRule: `"'x' in groups"`, ms + "spec.oidc.extraAuthorizationParameters.0.name": `"domain_hint"`}},
		{name: "microsoft, groups by name", text: connector("microsoft", "tenant: 8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10", "groups: [Buyers]"), want: wants{ms + firstRule: nobody}},
		{name: "microsoft, common", text: connector("microsoft", "tenant: common", "scopes: [user.read]"), want: wants{ms + "spec.oidc.issuer": `"https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0"`, ms + "spec.oidc.scopes": `["openid","profile","email"]`}},
		{name: "github orgs", text: connector("github", "orgs: [{name: acme}, {name: other}]"), want: wants{hub + firstRule: `"groups.exists(g, g in ['acme', 'other'])"`, hub + "spec.oauth2.groupsEndpoint.url": `"https://api.github.com/user/orgs?per_page=100"`, hub + "spec.oauth2.clientAuthenticationMethod": `"ClientSecretPost"`}},
		{name: "github teams", text: connector("github", "orgs: [{name: acme, teams: [Core Team, sre]}]"), want: wants{hub + firstRule: `"groups.exists(g, g in ['acme:core-team', 'acme:sre'])"`, hub + "spec.oauth2.groupsEndpoint.url": `"https://api.github.com/user/teams?per_page=100"`}, comment: []string{"teams are known by their slug"}},
		{name: "github both", text: connector("github", "orgs: [{name: acme, teams: [sre]}, {name: other}]"), want: wants{hub + firstRule: nobody}},
		{name: "github org", text: connector("github", "org: acme", "loadAllGroups: true", "useLoginAsID: true", "preferredEmailDomain: a", "hostName: git.acme.example"), want: wants{hub + firstRule: `"'acme' in groups"`, hub + "spec.oauth2.userInfoEndpoint": `"https://git.acme.example/api/v3/user"`},
			comment: []string{"loadAllGroups (line 11)", "useLoginAsID (line 12)", "preferredEmailDomain (line 13)"}},
		{name: "github for everybody", text: connector("github"), want: wants{hub + firstRule: nobody}},
		{name: "github without a secret", text: strings.Replace(connector("github", "org: acme"), "    clientSecret: client-secret-1\n", "", 1), want: wants{hub + "spec.oauth2.clientAuthenticationMethod": `"None"`}},
		{name: "gitlab", text: connector("gitlab", "baseURL: https://gitlab.acme.example/", "groups: [acme/core]"), want: wants{lab + "spec.oauth2.tokenEndpoint": `"https://gitlab.acme.example/oauth/token"`, lab + firstRule: `"'acme/core' in groups"`, lab + "spec.oauth2.subjectAttribute": `"sub"`}},
		{name: "gitlab rootCAData", text: connector("gitlab", "baseURL: https://gitlab.acme.example", "rootCAData: "+base64.StdEncoding.EncodeToString([]byte(certificate))), secret: wants{"gitlab-ca/ca.crt": strings.TrimSpace(certificate)}},
		{name: "gitlab.com for everybody", text: connector("gitlab"), want: wants{lab + firstRule: nobody}},
		{name: "gitea", text: connector("gitea", "baseURL: https://gitea.acme.example", "orgs: [{name: acme, teams: [Core]}, {name: other}]"), want: wants{sea + firstRule: `"groups.exists(g, g in ['acme:Core', 'other'])"`, sea + "spec.oauth2.userInfoEndpoint": `"https://gitea.acme.example/login/oauth/userinfo"`}},
		{name: "gitea.com", text: connector("gitea"), want: wants{sea + firstRule: nobody}},
		{name: "bitbucket-cloud", text: connector("bitbucket-cloud", "teams: [acme]"), want: wants{"IdentityProvider/bitbucket-cloud " + firstRule: `"'acme' in groups"`, "IdentityProvider/bitbucket-cloud spec.oauth2.subjectAttribute": `"uuid"`}},
		{name: "bitbucket-cloud for everybody", text: connector("bitbucket-cloud"), want: wants{"IdentityProvider/bitbucket-cloud " + firstRule: nobody}},
		{name: "linkedin", text: connector("linkedin"), want: wants{"IdentityProvider/linkedin " + firstRule: nobody}},
		{name: "oauth", text: connector("oauth", "authorizationURL: https://a.example/a", "tokenURL: https://a.example/t", "userInfoURL: https://a.example/u", "userIDKey: uid", "claimMapping: {userNameKey: n, preferredUsernameKey: p, groupsKey: g, emailKey: e, emailVerifiedKey: v}"),
			want: wants{any + "spec.oauth2.subjectAttribute": `"uid"`, any + "spec.claimMappings": `{"email":{"claim":"e"},"groups":{"claim":"g"},"name":{"claim":"n"},"username":{"claim":"p"}}`}, comment: []string{"emailVerifiedKey is not carried over"}},
		{name: "oauth defaults", text: connector("oauth", "authorizationURL: https://a.example/a", "tokenURL: https://a.example/t", "userInfoURL: https://a.example/u"), want: wants{any + "spec.oauth2.subjectAttribute": `"id"`, any + "spec.claimMappings.name.claim": `"user_name"`, any + "spec.oauth2.scopes": ""}},
		{name: "two of a name", text: connector("linkedin") + "- {type: linkedin, id: linkedin, config: {clientID: b}}\n", want: wants{"IdentityProvider/linkedin-2 spec.oidc.clientID": `"b"`}},
		{name: "sqlite3", text: base + "storage: {type: sqlite3, config: {file: /var/dex.db}}", want: wants{serverIs + "spec.store.type": `"Embedded"`}, comment: []string{"file (line 2): not carried over"}},
		{name: "kubernetes", text: base + "storage: {type: kubernetes, config: {inCluster: true}}", want: wants{serverIs + "spec.store": ""}, comment: []string{"kubernetes is no store here"}},
		{name: "postgres", text: base + "storage: {type: postgres, config: {host: db, user: dex, password: p:w@d-of-dex, database: dex, ssl: {mode: disable}}}",
			want: wants{serverIs + "spec.store": `{"postgreSQL":{"dsnSecretRef":{"key":"dsn","name":"login-database"}},"type":"PostgreSQL"}`}, secret: wants{"login-database/dsn": "postgres://dex:p%3Aw%40d-of-dex@db:5432/gatehouse?sslmode=disable"}, comment: []string{"not checked against a CA"}},
		{name: "postgres of variables", text: base + "storage: {type: postgres, config: {host: db, user: dex, password: $DB_PASSWORD}}", secret: wants{"login-database/dsn": ""}, comment: []string{"postgres://USER:PASSWORD@HOST"}},
		{name: "expiry", text: base + "expiry: {idTokens: 24h, signingKeys: 6h, deviceRequests: 5m, refreshTokens: {validIfNotUsedFor: 168h, absoluteLifetime: 2160h, disableRotation: false}}",
			want: wants{serverIs + "spec.tokens": `{"accessTokenLifetime":"24h","keyRotationInterval":"6h","refreshTokenLifetime":"168h"}`}, comment: []string{"there is no such end here", "deviceRequests (line 2)", "disableRotation (line 2)"}},
		{name: "absoluteLifetime", text: base + "expiry: {refreshTokens: {absoluteLifetime: 10m}}", want: wants{serverIs + "spec.tokens": `{"accessTokenLifetime":"10m","refreshTokenLifetime":"10m"}`}},
		{name: "signingKeys", text: base + "expiry: {signingKeys: 10m}", want: wants{serverIs + "spec.tokens": `{"keyRotationInterval":"1h"}`}, comment: []string{"it is below 1h"}},
		{name: "frontend", text: base + "frontend: {issuer: Acme, logoURL: theme/logo.png, dir: web}", want: wants{serverIs + "spec.login.theme": `{"title":"Acme"}`}, comment: []string{"logoURL (line 2): not carried over", "dir (line 2)"}},
		{name: "web", text: base + "web: {http: 0.0.0.0:1, tlsKey: /k, allowedOrigins: [\"*\"], headers: {X-Frame-Options: DENY}, clientRemoteIP: {header: X-Real-IP, trustedProxies: [10.1.2.3/8]}}", want: wants{serverIs + "spec.login.trustedProxies": `["10.0.0.0/8"]`},
			comment: []string{"allowedOrigins (line 2)", "tlsKey (line 2)", "headers (line 2)", "header (line 2)"}},
		{name: "others", text: base + "grpc: {addr: a}\ntelemetry: {http: a}\nlogger: {level: debug}\noauth2: {responseTypes: [code]}\nsigner: {type: vault, config: {token: hunter-2-hunter}}\nsessions: {cookieEncryptionKey: hunter-2-hunter}\nmfa: {}\ncarrot: 1",
			comment: []string{"grpc (line 2)", "telemetry (line 3)", "logger (line 4)", "oauth2 (line 5)", "signer (line 6)", "sessions (line 7)", "mfa (line 8)", "does not know it: carrot (line 9)"}},
		{name: "staticClients", text: base + "staticClients:\n- {id: a, public: true, redirectURIs: [\"http://127.0.0.1:1/cb\", \"http://web/cb\", com.acme:/cb]}\n- {idEnv: B, secretEnv: C, redirectURIs: [https://b.example/cb]}",
			want: wants{serverIs + "spec.login.redirectURIs": `["http://127.0.0.1:1/cb","com.acme:/cb"]`}, comment: []string{"staticClients[0] (line 3): an application", "staticClients[1] (line 4): an application", "staticClients[1].secretEnv (line 4)", "staticClients[1].idEnv (line 4)"}},
		{name: "staticPasswords", text: base + "enablePasswordDB: true\nstaticPasswords:\n- {email: ada@acme.example, hash: \"" + bcrypt10 + "\", username: ada, name: Ada, userID: \"1\", groups: [a], emailVerified: true}\n- {email: b@acme.example, hash: \"$2a$05$x\"}\n- {email: c@acme.example, hashFromEnv: C}",
			want:    wants{"IdentityProvider/staff spec.enabled": "", "IdentityProvider/staff spec.type": `"Password"`},
			secret:  wants{"staff-users/users.yaml": "- email: ada@acme.example\n  username: ada\n  name: Ada\n  groups: [a]\n  hash: " + bcrypt10},
			comment: []string{"users carried over with their hashes: 1", "users not carried over: 1. Their hash", "users not carried over: 1. hashFromEnv"}},
		{name: "enablePasswordDB off", text: base + "staticPasswords:\n- {email: ada@acme.example, hash: \"" + bcrypt10 + "\"}", want: wants{"IdentityProvider/staff spec.enabled": "false"}},
	}
	for _, kind := range []string{"ldap", "saml", "authproxy", "openshift", "atlassian-crowd", "keystone", "mockCallback", "mockPassword"} {
		cases = append(cases, fieldCase{name: kind, text: connector(kind, "bindPW: hunter-2-hunter"), comment: []string{"no IdentityProvider is made of the connector " + kind, "bindPW"}})
	}
	for i := range cases {
		cases[i].options = append([]string{"file=dex.yaml"}, cases[i].options...)
	}
	runFields(t, "dex", cases)
}

// TestDexMistakes guards what is refused.
func TestDexMistakes(t *testing.T) {
	base := "issuer: https://dex.acme.example\n"
	for name, c := range map[string][2]string{
		"another file":         {"a: 1", "neither issuer nor connectors"},
		"no YAML":              {"issuer: [", "not valid YAML"},
		"a connector's type":   {connector("carrot"), "want one of Dex's connectors"},
		"connectors":           {base + "connectors: 1", "connectors: want a list"},
		"a connector":          {base + "connectors: [1]", "want a mapping"},
		"config":               {base + "connectors: [{type: oidc, config: 1}]", "want a mapping"},
		"no clientID":          {base + "connectors: [{type: google, config: {}}]", "clientID is missing"},
		"a hostName":           {connector("github", "hostName: https://a"), "hostName: want a host"},
		"a regular expression": {connector("oidc", issuerLine, "insecureEnableGroups: true", "claimModifications: {filterGroupClaims: {groupsFilter: \"(\"}}"), "groupsFilter: want a regular"},
		"a storage":            {base + "storage: {type: carrot}", "want one of Dex's storages"},
		"a duration":           {base + "expiry: {idTokens: 1d}", "idTokens: want a duration"},
		"staticClients":        {base + "staticClients: a", "staticClients: want a list"},
		"staticPasswords":      {base + "staticPasswords: a", "staticPasswords: want a list"},
		"no address":           {base + "staticPasswords: [{hash: x}]", "email is missing"},
		"an address twice":     {base + "staticPasswords: [{email: a, hash: x}, {email: A, hash: x}]", "it is there twice"},
		"rootCAData":           {connector("gitlab", "rootCAData: \"%\""), "rootCAData: want base64"},
		"a secret twice":       {strings.Replace(connector("oidc", issuerLine), "name: Acme", "name: client-secret-1", 1), "its value looks like a secret"},
		"oauth":                {connector("oauth"), "tokenURL is missing"},
		"a proxy":              {base + "web: {clientRemoteIP: {trustedProxies: [a]}}", "trustedProxies: want networks"},
	} {
		t.Run(name, func(t *testing.T) { mistakes(t, "dex", c[0], []string{c[1]}, "file=dex.yaml") })
	}
}
