// SPDX-License-Identifier: Apache-2.0

package importing

// proxyPlurals are the .cfg's names of settings that flags and old files have in the singular.
var proxyPlurals = map[string]string{
	"upstream": "upstreams", "cookie_domain": "cookie_domains", "email_domain": "email_domains", "whitelist_domain": "whitelist_domains",
	"skip_auth_route": "skip_auth_routes", "api_route": "api_routes", "trusted_ip": "trusted_ips", "trusted_proxy_ip": "trusted_proxy_ips",
	"extra_jwt_issuer": "extra_jwt_issuers", "allowed_group": "allowed_groups", "allowed_role": "allowed_roles", "keycloak_group": "keycloak_groups",
	"github_user": "github_users", "gitlab_group": "gitlab_groups", "gitlab_project": "gitlab_projects", "google_group": "google_groups",
	"htpasswd_user_group": "htpasswd_user_groups", "provider_ca_file": "provider_ca_files", "tls_cipher_suite": "tls_cipher_suites",
	"entra_id_allowed_tenant": "entra_id_allowed_tenants", "oidc_audience_claim": "oidc_audience_claims", "oidc_extra_audience": "oidc_extra_audiences",
	"oidc_public_key_file": "oidc_public_key_files", "oidc_enabled_signing_alg": "oidc_enabled_signing_algs", "force_code_challenge_method": "code_challenge_method",
	"exclude_logging_path": "exclude_logging_paths",
}

// proxyLists are the settings that may be repeated.
var proxyLists = func() map[string]bool {
	out := map[string]bool{"skip_auth_regex": true}
	for _, plural := range proxyPlurals {
		out[plural] = plural != "code_challenge_method"
	}
	return out
}()

// alphaNames are the .cfg's names of a provider's members in the alpha configuration.
var alphaNames = map[string]string{
	"clientID": "client_id", "clientSecret": "client_secret", "clientSecretFile": "client_secret_file", "id": "id", "provider": "provider", "name": "provider_display_name",
	"caFiles": "provider_ca_files", "useSystemTrustStore": "use_system_trust_store", "loginURL": "login_url", "loginURLParameters": "login_url_parameters",
	"authRequestResponseMode": "auth_request_response_mode", "redeemURL": "redeem_url", "profileURL": "profile_url", "skipClaimsFromProfileURL": "skip_claims_from_profile_url",
	"resource": "resource", "validateURL": "validate_url", "scope": "scope", "allowedGroups": "allowed_groups", "code_challenge_method": "code_challenge_method",
	"additionalClaims": "additional_claims", "backendLogoutURL": "backend_logout_url",
	"keycloakConfig.groups": "keycloak_groups", "keycloakConfig.roles": "allowed_roles",
	"azureConfig.tenant": "azure_tenant", "azureConfig.graphGroupField": "azure_graph_group_field",
	"microsoftEntraIDConfig.allowedTenants": "entra_id_allowed_tenants", "microsoftEntraIDConfig.federatedTokenAuth": "entra_id_federated_token_auth",
	"bitbucketConfig.team": "bitbucket_team", "bitbucketConfig.repository": "bitbucket_repository",
	"githubConfig.org": "github_org", "githubConfig.team": "github_team", "githubConfig.repo": "github_repo", "githubConfig.token": "github_token", "githubConfig.users": "github_users",
	"gitlabConfig.group": "gitlab_groups", "gitlabConfig.projects": "gitlab_projects",
	"googleConfig.group": "google_groups", "googleConfig.adminEmail": "google_admin_email", "googleConfig.serviceAccountJson": "google_service_account_json",
	"googleConfig.useApplicationDefaultCredentials": "google_use_application_default_credentials", "googleConfig.targetPrincipal": "google_target_principal",
	"googleConfig.useOrganizationID": "google_use_organization_id", "googleConfig.adminAPIUserScope": "google_admin_api_user_scope",
	"oidcConfig.issuerURL": "oidc_issuer_url", "oidcConfig.insecureAllowUnverifiedEmail": "insecure_oidc_allow_unverified_email",
	"oidcConfig.insecureSkipIssuerVerification": "insecure_oidc_skip_issuer_verification", "oidcConfig.insecureSkipNonce": "insecure_oidc_skip_nonce",
	"oidcConfig.skipDiscovery": "skip_oidc_discovery", "oidcConfig.jwksURL": "oidc_jwks_url", "oidcConfig.publicKeyFiles": "oidc_public_key_files",
	"oidcConfig.emailClaim": "oidc_email_claim", "oidcConfig.groupsClaim": "oidc_groups_claim", "oidcConfig.userIDClaim": "user_id_claim",
	"oidcConfig.audienceClaims": "oidc_audience_claims", "oidcConfig.extraAudiences": "oidc_extra_audiences", "oidcConfig.enabledSigningAlgs": "oidc_enabled_signing_algs",
	"loginGovConfig.jwtKey": "jwt_key", "loginGovConfig.jwtKeyFile": "jwt_key_file", "loginGovConfig.pubjwkURL": "pubjwk_url",
}

// What is said of many settings at once.
const (
	proxyWork  = "Gatehouse is no proxy. Your gateway reaches applications, chooses which paths need a login, and asks /verify about the others"
	headerWork = "the gateway copies headers from the 200 of /verify to the application. X-Auth-Request-User, -Email, -Groups and -Preferred-Username are always there, under the names that " +
		"set_xauthrequest gives them; X-Forwarded-User and others are yours to fill from them. The provider's tokens never leave Gatehouse, and no password is passed on"
	listenWork = "where the server listens is a flag of gatehouse serve, and the operator's in a cluster; TLS is the gateway's or ingress'; metrics and health are on port 9090"
)

// proxyUntold are the settings that Gatehouse has nothing for, with the reason.
var proxyUntold = []struct {
	reason string
	keys   []string
}{
	{proxyWork, []string{"upstreams", "flush_interval", "pass_host_header", "proxy_websockets", "ssl_upstream_insecure_skip_verify", "upstream_timeout", "disable_keep_alives", "skip_auth_regex",
		"skip_auth_routes", "skip_auth_preflight", "api_routes", "force_https", "signature_key", "allow_query_semicolons"}},
	{"whoever comes from an address would get in without a login. Gatehouse lets nobody in by address: have the gateway not ask for them", []string{"trusted_ips"}},
	{headerWork, []string{"set_xauthrequest", "pass_user_headers", "pass_basic_auth", "set_basic_auth", "basic_auth_password", "pass_access_token", "pass_authorization_header",
		"set_authorization_header", "skip_auth_strip_headers"}},
	{listenWork, []string{"http_address", "https_address", "tls_cert_file", "tls_key_file", "tls_min_version", "tls_cipher_suites", "metrics_address", "metrics_secure_address",
		"metrics_tls_cert_file", "metrics_tls_key_file", "ping_path", "ping_user_agent", "ready_path", "gcp_healthchecks"}},
	{"the session cookie is Gatehouse's own: its name says its guards (__Host- or __Secure-), it is opaque, HttpOnly and Secure wherever externalURL is https, and needs no secret to be made up",
		[]string{"cookie_name", "cookie_secret", "cookie_secret_file", "cookie_path", "cookie_httponly", "cookie_samesite", "cookie_secure", "cookie_csrf_per_request", "cookie_csrf_per_request_limit",
			"cookie_csrf_expire", "cookie_csrf_samesite", "session_cookie_minimal", "encode_state"}},
	{"logs are JSON on standard error, with refusals and events, and never with a token", []string{"auth_logging", "auth_logging_format", "request_logging", "request_logging_format", "standard_logging",
		"standard_logging_format", "errors_to_info_log", "exclude_logging_paths", "logging_local_time", "silence_ping_logging", "request_id_header", "logging_filename", "logging_max_size",
		"logging_max_age", "logging_max_backups", "logging_compress"}},
	{"the pages are Gatehouse's own: login.theme of the AuthServer has a title and a logo", []string{"custom_templates_dir", "custom_sign_in_logo", "banner", "footer", "show_debug_on_error",
		"skip_provider_button", "display_htpasswd_form"}},
	{"paths are Gatehouse's own: /login, /logout, /account, /verify, and a browser without a session gets 302 or 401 as the gateway asks for it", []string{"proxy_prefix", "relative_redirect_url",
		"force_json_errors", "bearer_token_login_fallback"}},
	{"the client's address is the connection's, unless login.trustedProxies says whose X-Forwarded-For counts; no other header does", []string{"real_client_ip_header"}},
}
