// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// service is what an OAuth2 service needs, by JumpServer's names.
var service = map[string]string{
	"AUTH_OAUTH2": "true", "AUTH_OAUTH2_PROVIDER": `"Acme"`, "AUTH_OAUTH2_CLIENT_ID": `"gatehouse"`, "AUTH_OAUTH2_CLIENT_SECRET": `"client-secret-1"`,
	"AUTH_OAUTH2_PROVIDER_AUTHORIZATION_ENDPOINT": `"https://service.example/oauth2/authorize"`, "AUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT": `"https://service.example/oauth2/token"`,
	"AUTH_OAUTH2_PROVIDER_USERINFO_ENDPOINT": `"https://service.example/oauth2/userinfo"`, "AUTH_OAUTH2_USER_ATTR_MAP": `{"username": "login"}`,
}

// with is the service's settings as JSON, with changes; "" leaves one out.
func with(changes ...string) string {
	all := maps.Clone(service)
	for i := 0; i < len(changes); i += 2 {
		all[changes[i]] = changes[i+1]
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] != "" {
			lines = append(lines, strconv.Quote(name)+": "+all[name])
		}
	}
	return "{" + strings.Join(lines, ",\n") + "}"
}

// TestJumpServerFields guards that each parameter of JumpServer's documentation becomes what docs/migrating/jumpserver.md says.
func TestJumpServerFields(t *testing.T) {
	const acme = "IdentityProvider/acme "
	label := func(name, label, value string) string { return with(name, "", label, value) }
	runFields(t, "jumpserver", []fieldCase{
		{name: "without a trace", text: with("AUTH_OAUTH2", "", "OAuth2", "true", "Organization", `"DEFAULT"`), comment: []string{"the manifests say the same without one: OAuth2 (line", "Organization (line"}},
		{name: "OAuth2 on", text: with(), want: map[string]string{acme + "spec.type": `"OAuth2"`, acme + "spec.enabled": ""}},
		{name: "OAuth2 off", text: with("AUTH_OAUTH2", "false"), want: map[string]string{acme + "spec.enabled": "false"}},
		{name: "OAuth2, the form's", text: label("AUTH_OAUTH2", "OAuth2", `"Disable"`), want: map[string]string{acme + "spec.enabled": "false"}},
		{name: "OAuth2 absent", text: with("AUTH_OAUTH2", ""), want: map[string]string{acme + "spec.enabled": "false"}, comment: []string{"off in JumpServer"}},
		{name: "Service Provider", text: with(), want: map[string]string{acme + "spec.displayName": `"Acme"`}},
		{name: "Service Provider, the form's", text: label("AUTH_OAUTH2_PROVIDER", "Service Provider", `"GitHub Enterprise"`), want: map[string]string{"IdentityProvider/github-enterprise spec.displayName": `"GitHub Enterprise"`},
			comment: []string{"/auth/github-enterprise/login/callback/"}},
		{name: "no Service Provider", text: with("AUTH_OAUTH2_PROVIDER", ""), want: map[string]string{"IdentityProvider/oauth2 spec.displayName": ""}},
		{name: "Icon", text: label("", "Icon", `"https://service.example/icon.png"`), want: map[string]string{acme + "spec.icon": `{"url":"https://service.example/icon.png"}`}},
		{name: "Icon of a file", text: with("AUTH_OAUTH2_LOGO_PATH", `"/static/img/logo.png"`), want: map[string]string{acme + "spec.icon": ""}, comment: []string{"kubectl create configmap acme-icon"}},
		{name: "Client ID", text: label("AUTH_OAUTH2_CLIENT_ID", "Client ID", `"from-the-form"`), want: map[string]string{acme + "spec.oauth2.clientID": `"from-the-form"`}},
		{name: "Client Secret", text: label("AUTH_OAUTH2_CLIENT_SECRET", "Client Secret", `"from-the-form"`), want: map[string]string{acme + "spec.oauth2.clientSecretRef": `{"key":"clientSecret","name":"acme"}`},
			secret: map[string]string{"acme/clientSecret": "from-the-form"}, comment: []string{`--from-literal=clientSecret="$ACME_CLIENT_SECRET" ACME_CLIENT_SECRET: the value of Client Secret (line`}},
		{name: "no Client Secret", text: with("AUTH_OAUTH2_CLIENT_SECRET", ""), want: map[string]string{acme + "spec.oauth2.clientSecretRef": `{"key":"clientSecret","name":"acme"}`},
			secret: map[string]string{"acme/clientSecret": ""}, comment: []string{"JumpServer's API does not give it away", `--from-literal=clientSecret="$AUTH_OAUTH2_CLIENT_SECRET"`}},
		{name: "a masked Client Secret", text: with("AUTH_OAUTH2_CLIENT_SECRET", `"********"`), secret: map[string]string{"acme/clientSecret": ""}},
		{name: "Client Secret Basic", text: label("", "Client Authentication Method", `"Client Secret Basic"`), want: map[string]string{acme + "spec.oauth2.clientAuthenticationMethod": `"ClientSecretBasic"`}},
		{name: "Client Secret Post", text: label("", "Client Authentication Method", `"client_secret_post"`), want: map[string]string{acme + "spec.oauth2.clientAuthenticationMethod": `"ClientSecretPost"`}},
		{name: "POST", text: with("AUTH_OAUTH2_ACCESS_TOKEN_METHOD", `"POST"`), want: map[string]string{acme + "spec.oauth2.clientAuthenticationMethod": `"ClientSecretPost"`}},
		{name: "GET", text: with("AUTH_OAUTH2_ACCESS_TOKEN_METHOD", `"GET"`), want: map[string]string{acme + "spec.oauth2.clientAuthenticationMethod": `"ClientSecretPost"`}, comment: []string{"GET is read as ClientSecretPost"}},
		{name: "POST_JSON", text: with("AUTH_OAUTH2_ACCESS_TOKEN_METHOD", `"POST_JSON"`), want: map[string]string{acme + "spec.oauth2.clientAuthenticationMethod": `"ClientSecretPost"`}, comment: []string{"POST_JSON is read"}},
		{name: "no method", text: with(), want: map[string]string{acme + "spec.oauth2.clientAuthenticationMethod": ""}, comment: []string{"ID and secret go into the header"}},
		{name: "Scope", text: label("", "Scope", `"user user:email user:login"`), want: map[string]string{acme + "spec.oauth2.scopes": `["user","user:email","user:login"]`, acme + "spec.oauth2.subjectAttribute": `"id"`}},
		{name: "Authorization Endpoint Address", text: label("AUTH_OAUTH2_PROVIDER_AUTHORIZATION_ENDPOINT", "Authorization Endpoint Address", `"https://a.example/x"`), want: map[string]string{acme + "spec.oauth2.authorizationEndpoint": `"https://a.example/x"`}},
		{name: "Token Endpoint Address", text: label("AUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT", "Token Endpoint Address", `"https://a.example/x"`), want: map[string]string{acme + "spec.oauth2.tokenEndpoint": `"https://a.example/x"`}},
		{name: "User Info Endpoint Address", text: label("AUTH_OAUTH2_PROVIDER_USERINFO_ENDPOINT", "User Info Endpoint Address", `"https://a.example/x"`), want: map[string]string{acme + "spec.oauth2.userInfoEndpoint": `"https://a.example/x"`}},
		{name: "Logout Endpoint Address", text: label("", "Logout Endpoint Address", `"https://a.example/x"`), want: map[string]string{acme + "spec.oauth2.logoutEndpoint": `"https://a.example/x"`, acme + "spec.oauth2.syncLogout": ""}},
		{name: "Mapped Attributes, JumpServer's on the left", text: with("AUTH_OAUTH2_USER_ATTR_MAP", `{"name": "displayName", "username": "email", "email": "username", "phone": "mobile", "comment": "bio", "groups": "teams", "wechat": "wx"}`),
			want:    map[string]string{acme + "spec.claimMappings": `{"comment":{"claim":"bio"},"email":{"claim":"username"},"groups":{"claim":"teams"},"name":{"claim":"displayName"},"phone":{"claim":"mobile"},"username":{"claim":"email"}}`},
			comment: []string{"1 of its attributes are not carried over"}},
		{name: "Mapped Attributes as text", text: with("AUTH_OAUTH2_USER_ATTR_MAP", `"{\"username\": \"login\"}"`), want: map[string]string{acme + "spec.claimMappings": `{"username":{"claim":"login"}}`}},
		{name: "no Mapped Attributes", text: with("AUTH_OAUTH2_USER_ATTR_MAP", ""), want: map[string]string{acme + "spec.claimMappings": `{"email":{"claim":"email"},"name":{"claim":"name"},"username":{"claim":"username"}}`}},
		{name: "Organization: DEFAULT", text: label("", "Organization", `"DEFAULT"`), want: map[string]string{acme + "spec.organization": ""}},
		{name: "Organization", text: label("", "Organization", `"engineering"`), want: map[string]string{acme + "spec.organization": `"engineering"`}},
		{name: "OAUTH2_ORG_IDS", text: with("OAUTH2_ORG_IDS", `["00000000-0000-0000-0000-000000000002", "5a1f0a52-6f2b-4a3e-9a39-0d3a1f6f0c11"]`),
			want: map[string]string{acme + "spec.organization": `"5a1f0a52-6f2b-4a3e-9a39-0d3a1f6f0c11"`}, comment: []string{"JumpServer's ID of an organization"}},
		{name: "Always Update User Info", text: label("", "Always Update User Info", `true`), want: map[string]string{acme + "spec.userSync": `"Always"`}},
		{name: "Always Update User Info off", text: label("", "Always Update User Info", `"Disable"`), want: map[string]string{acme + "spec.userSync": `"FirstLogin"`}},
		{name: "Sync Logout", text: with("AUTH_OAUTH2_PROVIDER_END_SESSION_ENDPOINT", `"https://a.example/x"`, "Sync Logout", `"Enable"`), want: map[string]string{acme + "spec.oauth2.syncLogout": "true"}},
		{name: "Sync Logout without an endpoint", text: with("AUTH_OAUTH2_LOGOUT_COMPLETELY", "true"), want: map[string]string{acme + "spec.oauth2.syncLogout": ""}, comment: []string{"it needs AUTH_OAUTH2_PROVIDER_END_SESSION_ENDPOINT"}},
		{name: "the subject of OpenID", text: with("AUTH_OAUTH2_SCOPE", `"openid profile"`), want: map[string]string{acme + "spec.oauth2.subjectAttribute": `"sub"`}, comment: []string{"subjectAttribute is a guess"}},
		{name: "--subject-attribute", text: with(), options: []string{"subject-attribute=uid"}, want: map[string]string{acme + "spec.oauth2.subjectAttribute": `"uid"`}},
		{name: "--name", text: with(), options: []string{"name=work"}, want: map[string]string{"IdentityProvider/work spec.oauth2.clientSecretRef.name": `"work"`}, comment: []string{"/auth/work/login/callback/"}},
		{name: "github.com", text: with("AUTH_OAUTH2_PROVIDER_AUTHORIZATION_ENDPOINT", `"https://github.com/login/oauth/authorize"`), want: map[string]string{acme + "spec.claimValidationRules.0.expression": `"false"`}},
		{name: "YAML", text: "AUTH_OAUTH2: yes\nClient ID: 0123\nAUTH_OAUTH2_PROVIDER: no\nToken Endpoint: https://a.example/t\nAuthorization Endpoint: https://a.example/a\nUser Info Endpoint: https://a.example/u\n",
			options: []string{"file=config.yml"}, want: map[string]string{"IdentityProvider/no spec.oauth2.clientID": `"0123"`, "IdentityProvider/no spec.displayName": `"no"`}},
		{name: ".env", text: "AUTH_OAUTH2=1\nAUTH_OAUTH2_CLIENT_ID=x\nAUTH_OAUTH2_PROVIDER_AUTHORIZATION_ENDPOINT=https://a.example/a\nAUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT=https://a.example/t\nAUTH_OAUTH2_PROVIDER_USERINFO_ENDPOINT=https://a.example/u\nAUTH_OAUTH2_USER_ATTR_MAP='{\"username\": \"login\"}'",
			options: []string{"file=config.txt"}, want: map[string]string{"IdentityProvider/oauth2 spec.claimMappings": `{"username":{"claim":"login"}}`}},
	})
}

// TestJumpServerMistakes guards what is refused.
func TestJumpServerMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		options          []string
	}{
		{"the mapping the other way round", with("AUTH_OAUTH2_USER_ATTR_MAP", `{"login": "username"}`), "It seems to be the other way round", nil},
		{"a mapping without username", with("AUTH_OAUTH2_USER_ATTR_MAP", `{"email": "mail"}`), "username is missing on the left", nil},
		{"a mapping of numbers", with("AUTH_OAUTH2_USER_ATTR_MAP", `{"username": 1}`), "want names of members on the right", nil},
		{"no mapping", with("AUTH_OAUTH2_USER_ATTR_MAP", `"login"`), "want a JSON object", nil},
		{"no client", with("AUTH_OAUTH2_CLIENT_ID", `""`), "AUTH_OAUTH2_CLIENT_ID is missing or empty", nil},
		{"two names", with("Client ID", `"x"`), "it is there twice", nil},
		{"two organizations", with("OAUTH2_ORG_IDS", `["one", "two"]`), "belong to one organization", nil},
		{"a method", with("AUTH_OAUTH2_ACCESS_TOKEN_METHOD", `"PUT"`), "want Client Secret Basic", nil},
		{"a password in a URL", with("AUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT", `"https://bob:hunter2@a.example/t"`), "want a URL without user", nil},
		{"a list", "[1]", "want a mapping", nil},
		{"another file", `{"a": 1}`, "it has no OAuth2 setting of JumpServer's", nil},
		{"a subject", with(), "--subject-attribute", []string{"subject-attribute=a\nb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mistakes(t, "jumpserver", c.text, []string{c.want}, append(c.options, "file=oauth2.json")...)
		})
	}
}
