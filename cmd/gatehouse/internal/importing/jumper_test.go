// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"strings"
	"testing"
)

// carrot has what an OpenID provider needs.
const carrot = `OIDC_AUTHENTICATION=True
OIDC_RP_CLIENT_ID=your-client-id
OIDC_RP_CLIENT_SECRET=your-client-secret
OIDC_OP_AUTHORIZATION_ENDPOINT=https://provider.com/oauth2/authorize
OIDC_OP_TOKEN_ENDPOINT=https://provider.com/oauth2/token
OIDC_OP_JWKS_ENDPOINT=https://provider.com/.well-known/jwks.json
`

// TestJumperFields guards that each variable of Jumper's documentation becomes what docs/migrating/jumper.md says.
func TestJumperFields(t *testing.T) {
	const server, sso, staff = "AuthServer/default ", "IdentityProvider/sso ", "IdentityProvider/staff "
	issuer := []string{"issuer=https://provider.com"}
	runFields(t, "jumper", []fieldCase{
		{name: "JWT_ACCESS_TOKEN_LIFETIME", text: "JWT_ACCESS_TOKEN_LIFETIME=5", want: map[string]string{server + "spec.tokens.accessTokenLifetime": `"5m"`}},
		{name: "JWT_ACCESS_TOKEN_LIFETIME in hours", text: "JWT_ACCESS_TOKEN_LIFETIME=120", want: map[string]string{server + "spec.tokens.accessTokenLifetime": `"2h"`}},
		{name: "JWT_REFRESH_TOKEN_LIFETIME", text: "JWT_REFRESH_TOKEN_LIFETIME=43200", want: map[string]string{server + "spec.tokens": `{"refreshTokenLifetime":"720h"}`}},
		{name: "no lifetimes", text: "PASSWORD_BASED_AUTHENTICATION=True", want: map[string]string{server + "spec.tokens": ""}},
		{name: "lifetimes beyond the bounds", text: "JWT_ACCESS_TOKEN_LIFETIME=2880\nJWT_REFRESH_TOKEN_LIFETIME=99999999",
			want:    map[string]string{server + "spec.tokens": `{"accessTokenLifetime":"24h","refreshTokenLifetime":"8760h"}`},
			comment: []string{"JWT_ACCESS_TOKEN_LIFETIME (line 1): it is above 24h", "JWT_REFRESH_TOKEN_LIFETIME (line 2): it is above 8760h"}},
		{name: "a refresh token that ends first", text: "JWT_REFRESH_TOKEN_LIFETIME=10", want: map[string]string{server + "spec.tokens": `{"accessTokenLifetime":"10m","refreshTokenLifetime":"10m"}`},
			comment: []string{"an access token that outlives the refresh token"}},
		{name: "a refresh token below the bounds", text: "JWT_ACCESS_TOKEN_LIFETIME=1\nJWT_REFRESH_TOKEN_LIFETIME=1",
			want: map[string]string{server + "spec.tokens": `{"accessTokenLifetime":"1m","refreshTokenLifetime":"5m"}`}, comment: []string{"it is below 5m"}},
		{name: "e-mail address and password", text: "JWT_ACCESS_TOKEN_LIFETIME=15", want: map[string]string{staff + "spec": `{"password":{"usersSecretRef":{"key":"users.yaml","name":"staff-users"}},"type":"Password"}`},
			comment: []string{"Hashes that Django wrote do not move", "--from-file=users.yaml=users.yaml"}},
		{name: "PASSWORD_BASED_AUTHENTICATION=False", text: carrot + "PASSWORD_BASED_AUTHENTICATION=False", want: map[string]string{staff + "kind": "", sso + "kind": `"IdentityProvider"`},
			comment: []string{"PASSWORD_BASED_AUTHENTICATION (line 7): no IdentityProvider of type Password"}},
		{name: "nothing left", text: "PASSWORD_BASED_AUTHENTICATION=False", want: map[string]string{sso + "kind": "", staff + "kind": ""}, comment: []string{"nobody can log in"}},
		{name: "OIDC_AUTHENTICATION=True", text: carrot, want: map[string]string{sso + "spec.type": `"OIDC"`, sso + "spec.enabled": "", staff + "spec.type": `"Password"`}},
		{name: "OIDC_AUTHENTICATION=False", text: strings.Replace(carrot, "True", "False", 1), want: map[string]string{sso + "spec.enabled": "false"}},
		{name: "OIDC_AUTHENTICATION absent", text: strings.Replace(carrot, "OIDC_AUTHENTICATION=True", "", 1), want: map[string]string{sso + "spec.enabled": "false"}},
		{name: "OIDC_AUTHENTICATION=False and little else", text: "OIDC_AUTHENTICATION=False\nOIDC_RP_CLIENT_ID=x", want: map[string]string{sso + "kind": ""}, comment: []string{"no IdentityProvider of type OIDC is made"}},
		{name: "OIDC_RP_CLIENT_ID", text: carrot, want: map[string]string{sso + "spec.oidc.clientID": `"your-client-id"`}},
		{name: "OIDC_RP_CLIENT_SECRET", text: carrot, want: map[string]string{sso + "spec.oidc.clientSecretRef": `{"key":"clientSecret","name":"sso"}`},
			secret: map[string]string{"sso/clientSecret": "your-client-secret"}, comment: []string{`kubectl create secret generic sso --namespace default --from-literal=clientSecret="$OIDC_RP_CLIENT_SECRET"`}},
		{name: "no client secret", text: strings.Replace(carrot, "your-client-secret", "", 1), want: map[string]string{sso + "spec.oidc.clientSecretRef": "", sso + "spec.oidc.clientAuthenticationMethod": `"None"`}},
		{name: "OIDC_OP_AUTHORIZATION_ENDPOINT", text: carrot, want: map[string]string{sso + "spec.oidc.authorizationEndpoint": `"https://provider.com/oauth2/authorize"`}},
		{name: "OIDC_OP_TOKEN_ENDPOINT", text: carrot, want: map[string]string{sso + "spec.oidc.tokenEndpoint": `"https://provider.com/oauth2/token"`}},
		{name: "OIDC_OP_USER_ENDPOINT", text: carrot + "OIDC_OP_USER_ENDPOINT=https://provider.com/oauth2/userinfo", want: map[string]string{sso + "spec.oidc.userInfoEndpoint": `"https://provider.com/oauth2/userinfo"`}},
		{name: "OIDC_OP_JWKS_ENDPOINT", text: carrot, want: map[string]string{sso + "spec.oidc.jwksEndpoint": `"https://provider.com/.well-known/jwks.json"`, sso + "spec.oidc.issuer": ""},
			comment: []string{"without it `iss` of ID tokens is not checked"}},
		{name: "--issuer", text: carrot, options: issuer, want: map[string]string{sso + "spec.oidc.issuer": `"https://provider.com"`, sso + "spec.oidc.tokenEndpoint": `"https://provider.com/oauth2/token"`}},
		{name: "--issuer alone", text: "OIDC_AUTHENTICATION=True\nOIDC_RP_CLIENT_ID=x", options: issuer, want: map[string]string{sso + "spec.oidc": `{"clientAuthenticationMethod":"None","clientID":"x","issuer":"https://provider.com"}`}},
		{name: "OIDC_RP_SCOPES", text: carrot + `OIDC_RP_SCOPES="openid email profile groups"`, want: map[string]string{sso + "spec.oidc.scopes": `["openid","email","profile","groups"]`}},
		{name: "OIDC_RP_SIGN_ALGO", text: carrot + "OIDC_RP_SIGN_ALGO=ES256", want: map[string]string{sso + "spec.oidc.signingAlgorithms": `["ES256"]`}},
		{name: "OIDC_RP_SIGN_ALGO=HS256 with a short secret", text: carrot + "OIDC_RP_SIGN_ALGO=HS256", secret: map[string]string{"sso/clientSecret": ""}, comment: []string{"at least 32 bytes"}},
		{name: "OIDC_USERNAME_ATTRIBUTE", text: carrot + "OIDC_USERNAME_ATTRIBUTE=email", want: map[string]string{sso + "spec.oidc.usernameClaim": `"email"`}},
		{name: "OIDC_PROVIDER_NAME", text: carrot + "OIDC_PROVIDER_NAME='My Company SSO'", want: map[string]string{sso + "spec.displayName": `"My Company SSO"`}},
		{name: "the defaults", text: carrot, want: map[string]string{sso + "spec.oidc.scopes": "", sso + "spec.oidc.signingAlgorithms": "", sso + "spec.oidc.usernameClaim": "", sso + "spec.displayName": ""}},
		{name: "--external-url and --name", text: carrot, options: []string{"external-url=https://login.acme.example", "name=old"},
			want:    map[string]string{server + "spec.externalURL": `"https://login.acme.example"`, "IdentityProvider/old-sso spec.oidc.clientSecretRef.name": `"old-sso"`},
			comment: []string{"https://login.acme.example/auth/old-sso/login/callback/"}},
		{name: "--name of one provider", text: carrot + "PASSWORD_BASED_AUTHENTICATION=False", options: []string{"name=old"}, want: map[string]string{"IdentityProvider/old kind": `"IdentityProvider"`}},
		{name: "--name of passwords alone", text: "JWT_ACCESS_TOKEN_LIFETIME=5", options: []string{"name=old"}, want: map[string]string{"IdentityProvider/old spec.type": `"Password"`}},
		{name: "no --external-url", text: carrot, want: map[string]string{server + "spec.externalURL": `"https://auth.example.com"`}, comment: []string{"WRITE YOURS: where browsers reach Gatehouse"}},
		{name: "a provider of everybody's", text: carrot, options: []string{"issuer=https://accounts.google.com"}, want: map[string]string{sso + "spec.claimValidationRules.0.expression": `"false"`, sso + "spec.oidc.usernameClaim": `"email"`},
			comment: []string{"nobody can log in until claimValidationRules say who may", "Google tells no preferred_username"}},
		{name: "Google with another claim", text: carrot + "OIDC_USERNAME_ATTRIBUTE=sub", options: []string{"issuer=https://accounts.google.com"}, want: map[string]string{sso + "spec.oidc.usernameClaim": `"sub"`}},
		{name: "without a trace", text: carrot, comment: []string{"the manifests say the same without one: OIDC_AUTHENTICATION (line 1)"}},
		{name: "http inside", text: strings.Replace(carrot, "https://provider.com/oauth2/token", "http://10.0.0.7/token", 1), comment: []string{"OIDC_OP_TOKEN_ENDPOINT (line 5): it is http"}},
		{name: "unknown variables", text: carrot + "OIDC_OP_LOGOUT_ENDPOINT=https://provider.com/logout\nDB_PASSWORD=hunter22\nMiiEvQ1=x",
			comment: []string{"OIDC_OP_LOGOUT_ENDPOINT (line 7): not carried over", "does not know it: DB_PASSWORD (line 8), a name that is not repeated here (line 9)"}},
		{name: "twice", text: carrot + "OIDC_RP_CLIENT_ID=second", want: map[string]string{sso + "spec.oidc.clientID": `"second"`}, comment: []string{"OIDC_RP_CLIENT_ID (line 7): it is there 2 times"}},
		{name: "a variable", text: carrot + "OIDC_PROVIDER_NAME=${COMPANY} SSO", comment: []string{"OIDC_PROVIDER_NAME (line 7): it names a variable"}},
	})
}

// TestJumperMistakes guards what is refused, with its line.
func TestJumperMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		options          []string
	}{
		{"a lifetime", "JWT_ACCESS_TOKEN_LIFETIME=soon", "jumper.env:1: JWT_ACCESS_TOKEN_LIFETIME: want a whole number", nil},
		{"nothing needed is there", "OIDC_AUTHENTICATION=True", "it needs OIDC_RP_CLIENT_ID, OIDC_OP_AUTHORIZATION_ENDPOINT", nil},
		{"an endpoint is missing", strings.Replace(carrot, "OIDC_OP_TOKEN", "X", 1), "it needs OIDC_OP_TOKEN_ENDPOINT: set it, or name the provider with --issuer", nil},
		{"no algorithm", carrot + "OIDC_RP_SIGN_ALGO=none", "OIDC_RP_SIGN_ALGO: want a signature algorithm", nil},
		{"an HMAC without a secret", strings.Replace(carrot, "your-client-secret", "", 1) + "OIDC_RP_SIGN_ALGO=HS256", "an HMAC needs OIDC_RP_CLIENT_SECRET", nil},
		{"a URL with a password", strings.Replace(carrot, "https://provider.com/oauth2/token", "https://bob:hunter2@provider.com/token", 1), "jumper.env:5: OIDC_OP_TOKEN_ENDPOINT: want a URL without user", nil},
		{"a URL with a secret", carrot + "OIDC_OP_USER_ENDPOINT=https://provider.com/me?client_secret=hunter2", "a parameter of the URL may be a secret", nil},
		{"a URL with a space", strings.Replace(carrot, "/oauth2/authorize", "/oauth2/ authorize", 1), "jumper.env:4: OIDC_OP_AUTHORIZATION_ENDPOINT: the URL has a space at position 29: remove it. Want a URL such as https://idp.example/oauth2/authorize", nil},
		{"no URL of keys", carrot + "OIDC_OP_JWKS_ENDPOINT=x", "want an https URL such as https://idp.example/oauth2/jwks", nil},
		{"another's settings", "ENABLE_TOKEN=true", "it looks like one for `gatehouse import timbr`", nil},
		{"nobody's settings", "A=1", "it has no setting that `gatehouse import jumper` knows", nil},
		{"no URL", strings.Replace(carrot, "https://provider.com/oauth2/token", "provider.com", 1), "want an https URL", nil},
		{"the secret in another place", strings.Replace(carrot, "your-client-id", "your-client-secret", 1), "would be printed as spec.oidc.clientID", nil},
		{"a key for a secret", strings.Replace(carrot, "your-client-secret", `"-----BEGIN PRIVATE KEY-----\nx"`, 1), "it holds PEM", nil},
		{"scopes", carrot + `OIDC_RP_SCOPES='openid \x'`, "want scopes", nil},
		{"an issuer", carrot, "--issuer: want", []string{"issuer=provider.com"}},
		{"http outside", carrot, "--external-url: want", []string{"external-url=http://auth.example.com"}},
	} {
		t.Run(c.name, func(t *testing.T) { mistakes(t, "jumper", c.text, []string{c.want}, c.options...) })
	}
}
