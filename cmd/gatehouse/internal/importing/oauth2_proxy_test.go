// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"strings"
	"testing"
)

// proxied are the settings that OAuth2 Proxy does not start without, for an OpenID provider.
const proxied = "provider = \"oidc\"\nclient_id = \"intranet\"\nclient_secret = \"client-secret-1\"\noidc_issuer_url = \"https://sso.acme.example\"\nemail_domains = [\"*\"]\n"

// proxiedAt is proxied for another provider, without an issuer.
func proxiedAt(provider string) string {
	return strings.Replace(strings.Replace(proxied, `"oidc"`, `"`+provider+`"`, 1), "oidc_issuer_url = \"https://sso.acme.example\"\n", "", 1)
}

// without e-mail domains.
func noDomains(text string) string { return strings.Replace(text, "email_domains = [\"*\"]\n", "", 1) }

const (
	ssoIs, serverIs = "IdentityProvider/sso ", "AuthServer/default "
	nobody          = `"false"`
	firstRule       = "spec.claimValidationRules.0.expression"
)

// TestOAuth2ProxyFields guards that each setting becomes what docs/migrating/oauth2-proxy.md says.
func TestOAuth2ProxyFields(t *testing.T) {
	cfg := []string{"file=oauth2-proxy.cfg"}
	type wants = map[string]string
	cases := []fieldCase{
		{name: "provider oidc", text: proxied, want: wants{ssoIs + "spec.type": `"OIDC"`, ssoIs + "spec.oidc.issuer": `"https://sso.acme.example"`, ssoIs + "spec.oidc.clientID": `"intranet"`,
			ssoIs + "spec.oidc.scopes": `["openid","email","profile"]`, ssoIs + firstRule: "", ssoIs + "spec.allowAnyone": "", ssoIs + "spec.claimMappings": `{"username":{"claim":"sub"}}`},
			secret: wants{"sso/clientSecret": "client-secret-1"}, comment: []string{"https://auth.example.com/auth/sso/login/callback/", "X-Auth-Request-User held the claim sub"}},
		{name: "google", text: proxiedAt("google"), want: wants{"IdentityProvider/google spec.claimMappings": `{"username":{"claim":"sub"}}`}, comment: []string{"Google tells no preferred_username"}},
		{name: "no client_secret", text: strings.Replace(proxied, "client_secret = \"client-secret-1\"\n", "", 1), want: wants{ssoIs + "spec.oidc.clientAuthenticationMethod": `"None"`}},
		{name: "client_secret_file", text: strings.Replace(proxied, "client_secret = \"client-secret-1\"", "client_secret_file = \"/run/secrets/one\"", 1), options: []string{"beside=one=from-a-file\n"},
			secret: wants{"sso/clientSecret": "from-a-file"}},
		{name: "client_secret_file elsewhere", text: strings.Replace(proxied, "client_secret = \"client-secret-1\"", "client_secret_file = \"/run/secrets/one\"", 1),
			secret: wants{"sso/clientSecret": ""}, comment: []string{"--from-file=clientSecret=clientSecret", "the content of the file that client_secret_file names"}},
		{name: "keycloak-oidc", text: strings.Replace(proxied, "oidc\"", "keycloak-oidc\"", 1) + "allowed_roles = [\"admin\", \"wiki:editor\"]\nallowed_groups = [\"/staff\"]\n",
			want: wants{"IdentityProvider/keycloak " + firstRule: `"'/staff' in groups || claims.realm_access.roles.exists(r, r in ['admin']) || 'editor' in claims.resource_access['wiki'].roles"`}, comment: []string{"Add to ID token"}},
		{name: "google", text: proxiedAt("google"), want: wants{"IdentityProvider/google spec.oidc.issuer": `"https://accounts.google.com"`, "IdentityProvider/google spec.allowAnyone": "true"}, comment: []string{"WARNING: it admits everybody"}},
		{name: "google is the default", text: noDomains(strings.Replace(proxiedAt("x"), "provider = \"x\"\n", "", 1)) + `email_domains = ["acme.example"]`,
			want: wants{"IdentityProvider/google " + firstRule: `"claims.email_verified == true \u0026\u0026 has(claims.hd) \u0026\u0026 (claims.email.lowerAscii().endsWith('@acme.example'))"`, "IdentityProvider/google spec.allowAnyone": ""}},
		{name: "google with gmail.com", text: noDomains(proxiedAt("google")) + `email_domains = ["gmail.com"]`,
			want: wants{"IdentityProvider/google " + firstRule: `"claims.email_verified == true \u0026\u0026 claims.email.lowerAscii().endsWith('@gmail.com')"`}},
		{name: "google_groups", text: proxiedAt("google") + `google_groups = ["a@acme.example"]` + "\ngoogle_admin_email = \"x\"\n", want: wants{"IdentityProvider/google " + firstRule: nobody, "IdentityProvider/google spec.allowAnyone": ""}, comment: []string{"google_admin_email (line 6)"}},
		{name: "google_group", text: proxiedAt("google") + `google_group = "a@acme.example"`, want: wants{"IdentityProvider/google " + firstRule: nobody}},
		{name: "azure", text: proxiedAt("azure") + `azure_tenant = "8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10"`, want: wants{"IdentityProvider/azure spec.oidc.issuer": `"https://login.microsoftonline.com/8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10/v2.0"`}},
		{name: "azure, common", text: proxiedAt("azure"), want: wants{"IdentityProvider/azure spec.oidc.issuer": `"https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0"`}, comment: []string{"WRITE YOURS: az account show"}},
		{name: "entra-id", text: proxiedAt("entra-id") + `oidc_issuer_url = "https://login.microsoftonline.com/8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10/v2.0"`,
			want: wants{"IdentityProvider/entra-id spec.oidc.issuer": `"https://login.microsoftonline.com/8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10/v2.0"`}},
		{name: "entra_id_allowed_tenants", text: proxiedAt("entra-id") + "oidc_issuer_url = \"https://login.microsoftonline.com/common/v2.0\"\nentra_id_allowed_tenants = [\"8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10\", \"aaaabbbb-0000-cccc-1111-dddd2222eeee\"]",
			want: wants{"IdentityProvider/entra-id spec.oidc.issuer": `"https://login.microsoftonline.com/8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10/v2.0"`, "IdentityProvider/entra-id-2 spec.oidc.issuer": `"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0"`}},
		{name: "entra_id_federated_token_auth", text: strings.Replace(proxiedAt("entra-id"), "client_secret = \"client-secret-1\"", "entra_id_federated_token_auth = true", 1) + `azure_tenant = "8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10"`,
			want: wants{"IdentityProvider/entra-id spec.oidc.clientSecretRef.name": `"entra-id"`}, comment: []string{"entra_id_federated_token_auth (line 3): not carried over"}},
		{name: "github", text: proxiedAt("github"), want: wants{"IdentityProvider/github spec.type": `"OAuth2"`, "IdentityProvider/github spec.allowAnyone": "true", "IdentityProvider/github spec.oauth2.subjectAttribute": `"id"`}},
		{name: "github_org", text: proxiedAt("github") + `github_org = "acme"`, want: wants{"IdentityProvider/github " + firstRule: `"'acme' in groups"`, "IdentityProvider/github spec.oauth2.groupsEndpoint.url": `"https://api.github.com/user/orgs?per_page=100"`}},
		{name: "github_team", text: proxiedAt("github") + "github_org = \"acme\"\ngithub_team = \"core,other:sre\"", want: wants{"IdentityProvider/github " + firstRule: `"groups.exists(g, g in ['acme:core', 'other:sre'])"`,
			"IdentityProvider/github spec.oauth2.groupsEndpoint.url": `"https://api.github.com/user/teams?per_page=100"`}},
		{name: "github_users", text: proxiedAt("github") + `github_users = ["ada"]`, want: wants{"IdentityProvider/github " + firstRule: `"userinfo.login in ['ada']"`}, comment: []string{"login names change hands"}},
		{name: "github_repo", text: proxiedAt("github") + "github_repo = \"acme/x\"\ngithub_token = \"ghp_0123456789\"", want: wants{"IdentityProvider/github " + firstRule: nobody}, comment: []string{"github_token (line 6)"}},
		{name: "github with email_domains", text: noDomains(proxiedAt("github")) + `email_domains = ["acme.example"]`, want: wants{"IdentityProvider/github " + firstRule: nobody}},
		{name: "github of one's own", text: proxiedAt("github") + "login_url = \"https://git.acme.example/login/oauth/authorize\"\nredeem_url = \"https://git.acme.example/login/oauth/access_token\"\nvalidate_url = \"https://git.acme.example/api/v3\"",
			want: wants{"IdentityProvider/github spec.oauth2.userInfoEndpoint": `"https://git.acme.example/api/v3/user"`, "IdentityProvider/github spec.oauth2.tokenEndpoint": `"https://git.acme.example/login/oauth/access_token"`, "IdentityProvider/github spec.allowAnyone": ""}},
		{name: "gitlab_groups", text: proxiedAt("gitlab") + `gitlab_groups = ["acme", "acme/core"]`, want: wants{"IdentityProvider/gitlab spec.oidc.issuer": `"https://gitlab.com"`, "IdentityProvider/gitlab " + firstRule: `"groups.exists(g, g in ['acme', 'acme/core'])"`}},
		{name: "gitlab_projects", text: proxiedAt("gitlab") + `gitlab_projects = ["acme/web"]`, want: wants{"IdentityProvider/gitlab " + firstRule: nobody}},
		{name: "keycloak", text: proxiedAt("keycloak") + "login_url = \"https://k.example/auth\"\nredeem_url = \"https://k.example/token\"\nvalidate_url = \"https://k.example/userinfo\"\nkeycloak_groups = [\"/a\"]\n",
			want: wants{"IdentityProvider/keycloak spec.oauth2.userInfoEndpoint": `"https://k.example/userinfo"`, "IdentityProvider/keycloak " + firstRule: `"'/a' in groups"`}},
		{name: "facebook", text: noDomains(proxiedAt("facebook")) + `email_domains = ["acme.example"]`, want: wants{"IdentityProvider/facebook spec.oauth2.subjectAttribute": `"id"`, "IdentityProvider/facebook " + firstRule: `"claims.email.lowerAscii().endsWith('@acme.example')"`}},
		{name: "bitbucket_team", text: proxiedAt("bitbucket") + `bitbucket_team = "acme"`, want: wants{"IdentityProvider/bitbucket " + firstRule: nobody}},
		{name: "linkedin", text: proxiedAt("linkedin"), want: wants{"IdentityProvider/linkedin spec.oidc.issuer": `"https://www.linkedin.com/oauth"`, "IdentityProvider/linkedin " + firstRule: nobody}},
		{name: "login.gov", text: strings.Replace(proxiedAt("login.gov"), "client_secret = \"client-secret-1\"", "jwt_key_file = \"key.pem\"\nacr_values = \"http://idmanagement.gov/ns/assurance/loa/1\"\npubjwk_url = \"https://a.example/keys\"", 1),
			want:   wants{"IdentityProvider/login-gov spec.oidc.clientAuthenticationMethod": `"PrivateKeyJWT"`, "IdentityProvider/login-gov spec.oidc.extraAuthorizationParameters.0.name": `"acr_values"`, "IdentityProvider/login-gov spec.oidc.clientSecretRef.key": `"privateKey"`},
			secret: wants{"login-gov/privateKey": ""}, comment: []string{"pubjwk_url (line 5)"}},
		{name: "nextcloud", text: proxiedAt("nextcloud"), want: wants{"IdentityProvider/nextcloud spec": ""}, comment: []string{"no IdentityProvider is made"}},
		{name: "email_domains", text: noDomains(proxied) + `email_domains = ["acme.example", ".acme.example"]`, want: wants{ssoIs + firstRule: `"claims.?email_verified.orValue(true) == true \u0026\u0026 ['@acme.example', '.acme.example'].exists(d, claims.email.lowerAscii().endsWith(d))"`}},
		{name: "insecure_oidc_allow_unverified_email", text: noDomains(proxied) + "email_domains = [\"acme.example\"]\ninsecure_oidc_allow_unverified_email = true", want: wants{ssoIs + firstRule: `"claims.email.lowerAscii().endsWith('@acme.example')"`}, comment: []string{"the rule does not ask email_verified"}},
		{name: "authenticated_emails_file", text: noDomains(proxied) + `authenticated_emails_file = "/etc/emails"`, options: []string{"beside=emails=# us\nAda@acme.example\n\ngrace@acme.example, x\n"},
			want: wants{ssoIs + firstRule: `"claims.?email_verified.orValue(true) == true \u0026\u0026 claims.email.lowerAscii() in ['ada@acme.example', 'grace@acme.example']"`}},
		{name: "authenticated_emails_file elsewhere", text: noDomains(proxied) + `authenticated_emails_file = "/etc/emails"`, want: wants{ssoIs + firstRule: nobody}, comment: []string{"the file of addresses is not beside"}},
		{name: "too many addresses", text: noDomains(proxied) + `authenticated_emails_file = "/etc/emails"`, options: []string{"beside=emails=" + strings.Repeat("somebody-else@acme.example\n", 60)}, want: wants{ssoIs + firstRule: nobody}},
		{name: "neither", text: noDomains(proxied), want: wants{ssoIs + firstRule: nobody}},
		{name: "allowed_groups", text: proxied + `allowed_groups = ["it's"]`, want: wants{ssoIs + firstRule: `"'it\\'s' in groups"`}},
		{name: "oidc_groups_claim", text: proxied + `oidc_groups_claim = "roles"`, want: wants{ssoIs + "spec.claimMappings.groups.claim": `"roles"`}},
		{name: "oidc_email_claim", text: noDomains(proxied) + "oidc_email_claim = \"upn\"\nemail_domains = \"acme.example\"", want: wants{ssoIs + "spec.claimMappings.email.claim": `"upn"`, ssoIs + firstRule: `"claims['upn'].lowerAscii().endsWith('@acme.example')"`}},
		{name: "user_id_claim", text: proxied + `user_id_claim = "upn"`, want: wants{ssoIs + "spec.claimMappings.email.claim": `"upn"`}},
		{name: "prefer_email_to_user", text: proxied + `prefer_email_to_user = true`, want: wants{ssoIs + "spec.claimMappings.username.claim": `"email"`}},
		{name: "scope", text: proxied + `scope = "profile groups"`, want: wants{ssoIs + "spec.oidc.scopes": `["openid","profile","groups"]`}},
		{name: "endpoints", text: proxied + "login_url = \"https://a.example/l\"\nredeem_url = \"https://a.example/t\"\nprofile_url = \"https://a.example/u\"\noidc_jwks_url = \"https://a.example/k\"\nskip_oidc_discovery = true\nvalidate_url = \"https://a.example/v\"",
			want:    wants{ssoIs + "spec.oidc.authorizationEndpoint": `"https://a.example/l"`, ssoIs + "spec.oidc.tokenEndpoint": `"https://a.example/t"`, ssoIs + "spec.oidc.userInfoEndpoint": `"https://a.example/u"`, ssoIs + "spec.oidc.jwksEndpoint": `"https://a.example/k"`},
			comment: []string{"skip_oidc_discovery (line 10): not needed", "validate_url (line 11)"}},
		{name: "code_challenge_method plain", text: proxied + `code_challenge_method = "plain"`, comment: []string{"S256 in its place"}, want: wants{ssoIs + "spec.oidc.pkce": ""}},
		{name: "oidc_enabled_signing_algs", text: proxied + `oidc_enabled_signing_algs = ["ES256"]`, want: wants{ssoIs + "spec.oidc.signingAlgorithms": `["ES256"]`}},
		{name: "prompt, acr_values, resource", text: proxied + "prompt = \"login\"\nacr_values = \"a b\"\nresource = \"r\"\napproval_prompt = \"force\"",
			want: wants{ssoIs + "spec.oidc.extraAuthorizationParameters": `[{"name":"prompt","value":"login"},{"name":"acr_values","value":"a b"},{"name":"resource","value":"r"}]`}, comment: []string{"approval_prompt (line 9)"}},
		{name: "never", text: proxied + "ssl_insecure_skip_verify = true\ninsecure_oidc_skip_issuer_verification = true\ninsecure_oidc_skip_nonce = true",
			comment: []string{"ssl_insecure_skip_verify (line 6): never", "insecure_oidc_skip_issuer_verification (line 7): never", "insecure_oidc_skip_nonce (line 8): never"}},
		{name: "provider_ca_files", text: proxied + `provider_ca_files = ["/etc/a.pem", "b.pem"]`, options: []string{"beside=a.pem=" + certificate, "beside=b.pem=" + strings.TrimSpace(certificate)},
			want: wants{ssoIs + "spec.caBundleRef": `{"key":"ca.crt","kind":"Secret","name":"sso-ca"}`}, secret: wants{"sso-ca/ca.crt": certificate + strings.TrimSpace(certificate)}},
		{name: "provider_ca_files that are none", text: proxied + `provider_ca_files = ["/etc/a.pem"]`, options: []string{"beside=a.pem=no certificate"}, want: wants{ssoIs + "spec.caBundleRef.name": `"sso-ca"`}, secret: wants{"sso-ca/ca.crt": ""}},
		{name: "provider_display_name", text: proxied + `provider_display_name = "Acme"`, want: wants{ssoIs + "spec.displayName": `"Acme"`}},
		{name: "redirect_url", text: proxied + `redirect_url = "https://app.acme.example/oauth2/callback"`, want: wants{serverIs + "spec.externalURL": `"https://app.acme.example"`}, comment: []string{"/oauth2/callback is no more"}},
		{name: "--external-url", text: proxied + `redirect_url = "https://app.acme.example/oauth2/callback"`, options: []string{"external-url=https://auth.acme.example"}, want: wants{serverIs + "spec.externalURL": `"https://auth.acme.example"`}},
		{name: "cookie_expire and cookie_refresh", text: proxied + "cookie_expire = \"12h30m\"\ncookie_refresh = \"10m\"", want: wants{serverIs + "spec.tokens": `{"accessTokenLifetime":"10m","refreshTokenLifetime":"750m"}`}},
		{name: "cookie_refresh above cookie_expire", text: proxied + "cookie_expire = \"10m\"\ncookie_refresh = \"1h\"", want: wants{serverIs + "spec.tokens": `{"accessTokenLifetime":"10m","refreshTokenLifetime":"10m"}`}},
		{name: "a short cookie_expire", text: proxied + `cookie_expire = "6m"`, want: wants{serverIs + "spec.tokens": `{"accessTokenLifetime":"6m","refreshTokenLifetime":"6m"}`}},
		{name: "cookie_expire 0", text: proxied + `cookie_expire = "0"`, want: wants{serverIs + "spec.tokens": ""}, comment: []string{"cookie_expire (line 6): not carried over"}},
		{name: "cookie_domains", text: proxied + `cookie_domains = [".example.com", "app.other.example"]`, want: wants{serverIs + "spec.login.cookieDomain": `"example.com"`}, comment: []string{"there is one, and externalURL lies in it"}},
		{name: "cookie_domains of everybody", text: proxied + `cookie_domains = ["com"]`, want: wants{serverIs + "spec.login": ""}, comment: []string{"there is one, and externalURL lies in it"}},
		{name: "whitelist_domains", text: proxied + `whitelist_domains = ["App.acme.example:8443", "*.acme.example", "x:*"]`, want: wants{serverIs + "spec.login.allowedRedirectHosts": `["app.acme.example:8443"]`}, comment: []string{"all hosts below a domain", "one is not carried over"}},
		{name: "trusted_proxy_ips", text: proxied + "reverse_proxy = true\ntrusted_proxy_ips = [\"10.0.0.7\", \"fd00::1/8\"]", want: wants{serverIs + "spec.login.trustedProxies": `["10.0.0.7/32","fd00::/8"]`}},
		{name: "reverse_proxy", text: proxied + "reverse_proxy = true", comment: []string{"set login.trustedProxies"}},
		{name: "trusted_ips", text: proxied + `trusted_ips = ["10.0.0.0/8"]`, comment: []string{"Gatehouse lets nobody in by address"}},
		{name: "redis", text: proxied + "session_store_type = \"redis\"\nredis_connection_url = \"redis://:hunter-2-hunter@r\"", comment: []string{"Redis is not carried over, redis_connection_url"}},
		{name: "headers", text: proxied + "set_xauthrequest = true\npass_basic_auth = true\nbasic_auth_password = \"hunter-2-hunter\"\nset_authorization_header = true", comment: []string{"set_xauthrequest (line 6), pass_basic_auth (line 7), basic_auth_password (line 8), set_authorization_header (line 9)"}},
		{name: "upstreams", text: proxied + "upstreams = [\"http://web:8080\"]\nskip_auth_routes = [\"^/health\"]", comment: []string{"upstreams (line 6), skip_auth_routes (line 7): Gatehouse is no proxy"}},
		{name: "unknown", text: proxied + "carrot = 1\n[table]\nsecret = \"hunter-2-hunter\"", comment: []string{"the importer does not know it: carrot (line 6), table (line 7)"}},
		{name: "skip_jwt_bearer_tokens", text: proxied + "skip_jwt_bearer_tokens = true\nallowed_groups = [\"a\"]\noidc_extra_audiences = [\"b\"]", want: wants{"TenantJWTPolicy/bearer spec.default": "true", "TenantJWTPolicy/bearer spec.issuers": `[{"issuer":"https://sso.acme.example"}]`,
			"TenantJWTPolicy/bearer spec.audiences": `["intranet","b"]`, "TenantJWTPolicy/bearer spec.claimValidationRules.0.expression": `"claims['groups'].exists(g, g in ['a'])"`}},
		{name: "extra_jwt_issuers", text: noDomains(proxied) + "skip_jwt_bearer_tokens = true\nemail_domains = [\"acme.example\"]\nextra_jwt_issuers = [\"https://ci.example=x\"]", want: wants{"TenantJWTPolicy/bearer spec.issuers.1.issuer": `"https://ci.example"`, "TenantJWTPolicy/bearer spec.audiences": `["intranet","x"]`,
			"TenantJWTPolicy/bearer " + firstRule:                           `"claims.iss == 'https://sso.acme.example' \u0026\u0026 (claims.aud in ['intranet'] || claims.aud.exists(a, a in ['intranet'])) || claims.iss == 'https://ci.example' \u0026\u0026 (claims.aud in ['x'] || claims.aud.exists(a, a in ['x']))"`,
			"TenantJWTPolicy/bearer spec.claimValidationRules.1.expression": `"!('email' in claims) || claims['email'].lowerAscii().endsWith('@acme.example')"`}},
		{name: "extra_jwt_issuers alone", text: proxied + `extra_jwt_issuers = "https://ci.example=x"`, want: wants{"TenantJWTPolicy/bearer spec": ""}, comment: []string{"it counts with skip_jwt_bearer_tokens alone"}},
		{name: "htpasswd_file", text: proxied + "htpasswd_file = \"/etc/htpasswd\"\nhtpasswd_user_groups = [\"g\"]", options: []string{"beside=htpasswd=bob:" + bcrypt10 + "\nBob:" + bcrypt10 + "\neve:$2y$05$aaaa\n"},
			want: wants{"IdentityProvider/staff spec.type": `"Password"`}, secret: wants{"staff-users/users.yaml": "- email: bob\n  groups: [g]\n  hash: " + bcrypt10}, comment: []string{"users carried over: 1", "users not carried over: 1", "lines not carried over: 1"}},
		{name: "--name", text: proxied, options: []string{"name=work"}, want: wants{"IdentityProvider/work spec.oidc.clientSecretRef.name": `"work"`}},
		{name: "variables", text: "export OAUTH2_PROXY_PROVIDER=oidc\nOAUTH2_PROXY_CLIENT_ID=x\nOAUTH2_PROXY_OIDC_ISSUER_URL=https://a.example\nOAUTH2_PROXY_EMAIL_DOMAIN=*\nOAUTH2_PROXY_ALLOWED_GROUPS=a,b\n", options: []string{"file=one.env"},
			want: wants{ssoIs + "spec.oidc.clientID": `"x"`, ssoIs + firstRule: `"groups.exists(g, g in ['a', 'b'])"`}},
		{name: "flags", text: "# args\n- --provider=oidc\n- \"--client-id=x\"\n  --oidc-issuer-url https://a.example \\\n- --email-domain=*\n- --allowed-group=a\n- --allowed-group=b\n- --reverse-proxy\n", options: []string{"file=args"},
			want: wants{ssoIs + "spec.oidc.clientID": `"x"`, ssoIs + firstRule: `"groups.exists(g, g in ['a', 'b'])"`}, comment: []string{"--reverse-proxy (line 8)"}},
		{name: "--alpha-config", text: "email_domains = [\"acme.example\"]\ncookie_expire = \"1h\"", options: []string{"alpha-config=alpha.yaml", "beside=alpha.yaml=providers:\n- {provider: oidc, clientID: x, clientSecret: of-the-alpha-file, oidcConfig: {issuerURL: https://a.example}}\n"},
			want: wants{ssoIs + "spec.oidc.clientID": `"x"`, serverIs + "spec.tokens.refreshTokenLifetime": `"1h"`, ssoIs + firstRule: `"claims.?email_verified.orValue(true) == true \u0026\u0026 claims.email.lowerAscii().endsWith('@acme.example')"`}, secret: wants{"sso/clientSecret": "of-the-alpha-file"}},
	}
	for i := range cases {
		cases[i].options = append(append([]string{}, cfg...), cases[i].options...)
	}
	runFields(t, "oauth2-proxy", cases)
}

// TestOAuth2ProxyMistakes guards what is refused.
func TestOAuth2ProxyMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		options          []string
	}{
		{"no TOML", "provider = oidc", "x.cfg:1: it is not valid TOML", nil},
		{"another provider", strings.Replace(proxied, `"oidc"`, `"okta"`, 1), "want one of OAuth2 Proxy's providers", nil},
		{"no client", strings.Replace(proxied, "client_id", "client_idd", 1), "client_id is missing", nil},
		{"no issuer", proxiedAt("oidc"), "oidc_issuer_url is missing", nil},
		{"a password in a URL", proxied + `login_url = "https://bob:hunter2@a.example"`, "want a URL without user", nil},
		{"a team without organization", proxiedAt("github") + `github_team = "core"`, "github_team: want organization:team", nil},
		{"a duration", proxied + `cookie_expire = "7 days"`, "cookie_expire: want a duration", nil},
		{"a proxy", proxied + `trusted_proxy_ips = ["web"]`, "trusted_proxy_ips: want addresses", nil},
		{"a domain", noDomains(proxied) + `email_domains = ["a' || true"]`, "email_domains: want domains", nil},
		{"an issuer pair", proxied + "skip_jwt_bearer_tokens = true\nextra_jwt_issuers = \"https://a.example\"", "extra_jwt_issuers: want pairs", nil},
		{"a directory", proxiedAt("entra-id") + `entra_id_allowed_tenants = ["acme"]`, "want IDs of directories", nil},
		{"an algorithm", proxied + `oidc_enabled_signing_algs = ["none"]`, "one without a signature", nil},
		{"no providers", "server: {}\n", "it has no providers", []string{"file=a.yaml"}},
		{"providers", "providers: 1\n", "want a list", []string{"file=a.yaml"}},
		{"no alpha file", proxied, "--alpha-config: there is no folder", []string{"alpha-config=a.yaml"}},
		{"flags and others", "--provider=oidc\nx y z\n", "x.cfg:2: want one flag a line", nil},
		{"a secret twice", proxied + "provider_display_name = \"client-secret-1\"", "its value looks like a secret", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			mistakes(t, "oauth2-proxy", c.text, []string{c.want}, append([]string{"file=x.cfg"}, c.options...)...)
		})
	}
}
