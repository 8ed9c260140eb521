// SPDX-License-Identifier: Apache-2.0

package importing

import "strings"

// insecure are the settings that switch a check off.
func (p *proxyProvider) insecure() {
	for _, one := range []struct{ key, text string }{
		{"insecure_oidc_skip_issuer_verification", "never: a token of another issuer with the same keys would pass. Write oidc.issuer as the provider's tokens have it, and oidc.discoveryURL where its metadata are elsewhere"},
		{"insecure_oidc_skip_nonce", "never: the nonce is always sent and checked, as it binds the ID token to the login"},
	} {
		if p.s.Bool(one.key, false) {
			p.note(one.key, "%s", one.text)
		}
	}
	if p.o.s.Bool("ssl_insecure_skip_verify", false) {
		p.object.Notes = append(p.object.Notes, p.o.s.Note("ssl_insecure_skip_verify", "never, as anybody on the way could then say who logs in. Put the provider's CA into a Secret or ConfigMap and name it with caBundleRef"))
	}
	if p.s.Bool("insecure_oidc_allow_unverified_email", false) && len(p.rules) == 0 {
		p.note("insecure_oidc_allow_unverified_email", "not carried over: users keep an address that is not verified, and tokens leave it out")
	}
}

// parts are told one by one: they are about this provider, and have no field.
func (p *proxyProvider) parts() {
	p.s.Bool("skip_oidc_discovery", false) // endpoints that are given win over metadata
	switch method := p.s.Text("code_challenge_method"); method {
	case "", "S256":
	default:
		p.note("code_challenge_method", "S256 in its place, which every provider with PKCE takes (RFC 7636 section 4.2)")
	}
	for _, one := range []struct{ key, text string }{
		{"skip_oidc_discovery", "not needed: endpoints that are given win over the issuer's metadata"},
		{"validate_url", "not carried over: an ID token's signature is checked, and nobody has to be asked"},
		{"profile_url", "not carried over: the endpoint is fixed"},
		{"skip_claims_from_profile_url", "not carried over: the userinfo endpoint is asked after each login, if the metadata name one"},
		{"auth_request_response_mode", "not carried over: the code comes back in the query"},
		{"approval_prompt", "not carried over: OpenID Connect has prompt instead. extraAuthorizationParameters: [{name: prompt, value: consent}] asks anew each time"},
		{"backend_logout_url", "not carried over: oidc.syncLogout: true sends the browser to the provider's end-session endpoint when somebody logs out"},
		{"oidc_audience_claims", "not carried over: aud of an ID token holds the client (OpenID Connect Core section 2)"},
		{"oidc_extra_audiences", "an ID token at login is for this client alone. For bearer tokens they are audiences of the TenantJWTPolicy"},
		{"oidc_public_key_files", "not carried over: keys are fetched from the provider, so that it can change them. Set oidc.jwksEndpoint"},
		{"azure_tenant", "oidc.issuer names the directory"},
		{"azure_graph_group_field", "not carried over: groups are those of the token, by ID. Add the groups claim to the application"},
		{"entra_id_federated_token_auth", "not carried over: the client logs in with a secret or a key"},
		{"google_admin_email", "not carried over: the Admin SDK is not asked"},
		{"google_service_account_json", "not carried over: the Admin SDK is not asked"},
		{"google_use_application_default_credentials", "not carried over: the Admin SDK is not asked"},
		{"google_target_principal", "not carried over: the Admin SDK is not asked"},
		{"google_use_organization_id", "not carried over: the Admin SDK is not asked"},
		{"google_admin_api_user_scope", "not carried over: the Admin SDK is not asked"},
		{"additional_claims", "not carried over: a user has name, username, email, phone, comment and groups"},
		{"pubjwk_url", "not carried over: the provider reads the public key where you registered it"},
		{"acr_values", "not carried over: this provider is asked with OAuth 2.0 alone"},
		{"prompt", "not carried over: this provider is asked with OAuth 2.0 alone"},
		{"resource", "not carried over: this provider is asked with OAuth 2.0 alone"},
		{"login_url_parameters", "not carried over: this provider is asked with OAuth 2.0 alone"},
		{"client_secret_file", "client_secret counts, which is set too"},
		{"jwt_key_file", "jwt_key counts, which is set too"},
		{"ADFSConfig.skipScope", "not carried over: oidc.scopes says what is asked for"},
	} {
		if p.s.byKey[one.key] == nil || p.s.read[one.key] && !proxyAlways[one.key] {
			continue
		}
		if p.s.Get(one.key) != nil {
			p.note(one.key, "%s", one.text)
		}
	}
	p.strangers()
}

// proxyAlways are told although something reads them.
var proxyAlways = map[string]bool{"skip_oidc_discovery": true, "oidc_extra_audiences": true}

// strangers are settings of another provider, which OAuth2 Proxy does not look at either.
func (p *proxyProvider) strangers() {
	for _, key := range p.s.Keys() {
		for _, prefix := range []string{"azure_", "entra_id_", "bitbucket_", "github_", "gitlab_", "google_", "keycloak_", "jwt_key", "oidc_", "insecure_oidc_", "user_id_claim", "allowed_", "scope",
			"login_url", "redeem_url", "client_secret"} {
			if strings.HasPrefix(key, prefix) && !p.s.read[key] {
				if LooksSecret(key) {
					p.s.Secret(key)
				}
				if p.s.Get(key) != nil {
					p.note(key, "not carried over: it means nothing for this provider")
				}
			}
		}
	}
}
