// SPDX-License-Identifier: Apache-2.0

package entratest

// shared are the names that stand for more than one directory.
var shared = map[string]bool{"common": true, "organizations": true, "consumers": true}

// issuedFor is what an issuer holds in the metadata of a directory's name.
func issuedFor(directory string) string {
	switch directory {
	case "common", "organizations":
		return template
	case "consumers":
		return Consumers
	}
	return directory
}

// metadataV2 is /<directory>/v2.0/.well-known/openid-configuration.
func (c *Cloud) metadataV2(directory string) map[string]any {
	base := c.authority + "/" + directory
	m := commonMetadata(base)
	m["issuer"] = c.authority + "/" + issuedFor(directory) + "/v2.0"
	m["jwks_uri"] = base + "/discovery/v2.0/keys"
	m["token_endpoint"] = base + "/oauth2/v2.0/token"
	m["authorization_endpoint"] = base + "/oauth2/v2.0/authorize"
	m["end_session_endpoint"] = base + "/oauth2/v2.0/logout"
	m["userinfo_endpoint"] = "https://graph.microsoft.com/oidc/userinfo"
	m["scopes_supported"] = []string{"openid", "profile", "email", "offline_access"}
	m["request_uri_parameter_supported"] = false
	return m
}

// metadataV1 is /<directory>/.well-known/openid-configuration. Its issuer is at another host than the metadata, and its keys
// are those common to all directories.
func (c *Cloud) metadataV1(directory string) map[string]any {
	base := c.authority + "/" + directory
	m := commonMetadata(base)
	m["issuer"] = c.options.TokenService + issuedFor(directory) + "/"
	m["jwks_uri"] = c.authority + "/common/discovery/keys"
	m["token_endpoint"] = base + "/oauth2/token"
	m["authorization_endpoint"] = base + "/oauth2/authorize"
	m["end_session_endpoint"] = base + "/oauth2/logout"
	m["userinfo_endpoint"] = base + "/openid/userinfo"
	m["check_session_iframe"] = base + "/oauth2/checksession"
	m["scopes_supported"] = []string{"openid"}
	m["microsoft_multi_refresh_token"] = true
	return m
}

func commonMetadata(base string) map[string]any {
	return map[string]any{
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "email"},
		"kerberos_endpoint":                     base + "/kerberos",
		"http_logout_supported":                 true,
		"frontchannel_logout_supported":         true,
		"tenant_region_scope":                   nil,
		"cloud_instance_name":                   "microsoftonline.com",
		"cloud_graph_host_name":                 "graph.windows.net",
		"msgraph_host":                          "graph.microsoft.com",
		"rbac_url":                              "https://pas.windows.net",
	}
}
