// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// EndpointURL is the URL of an endpoint.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && size(url(self).getHostname()) > 0",message="must be an https URL such as https://idp.example/oauth2/token"
// +kubebuilder:validation:XValidation:rule="!self.contains('#') && !self.contains('@')",message="must not hold a fragment, user or password"
type EndpointURL string

// Scope is one scope (RFC 6749 section 3.3).
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule="self.matches('^[]!#-[^-~]+$')",message="must be one scope, without spaces, quotes and backslashes: write each as an item of the list"
type Scope string

// ClientAuthenticationMethod is how the client authenticates at the token endpoint (OpenID Connect Core 1.0 section 9).
//
// +kubebuilder:validation:Enum=ClientSecretBasic;ClientSecretPost;PrivateKeyJWT;None
type ClientAuthenticationMethod string

// How the client authenticates at the token endpoint.
const (
	// ClientSecretBasic sends client ID and secret in the Authorization header.
	ClientSecretBasic ClientAuthenticationMethod = "ClientSecretBasic"
	// ClientSecretPost sends client ID and secret in the body.
	ClientSecretPost ClientAuthenticationMethod = "ClientSecretPost"
	// PrivateKeyJWT sends a JWT signed with the client's private key (RFC 7523 section 2.2).
	PrivateKeyJWT ClientAuthenticationMethod = "PrivateKeyJWT"
	// ClientAuthenticationNone sends the client ID alone: a public client.
	ClientAuthenticationNone ClientAuthenticationMethod = "None"
)

// PKCE says whether Proof Key for Code Exchange (RFC 7636, S256) is used.
//
// +kubebuilder:validation:Enum=Required;Off
type PKCE string

// Whether PKCE is used.
const (
	PKCERequired PKCE = "Required"
	PKCEOff      PKCE = "Off"
)

// OIDCProvider is the block of type OIDC. The redirect URI to register at the provider is <externalURL>/auth/<name>/login/callback/, the
// post-logout redirect URI <externalURL>/login, and the back-channel logout URI <externalURL>/auth/<name>/backchannel-logout.
//
// +kubebuilder:validation:XValidation:rule="has(self.issuer) || (has(self.authorizationEndpoint) && has(self.tokenEndpoint) && has(self.jwksEndpoint))",message="set issuer, or authorizationEndpoint, tokenEndpoint and jwksEndpoint"
// +kubebuilder:validation:XValidation:rule="has(self.issuer) || !has(self.discoveryURL)",message="discoveryURL needs issuer: metadata must name the issuer they are of"
// +kubebuilder:validation:XValidation:rule="!has(self.clientAuthenticationMethod) || (self.clientAuthenticationMethod == 'None') != has(self.clientSecretRef)",message="clientSecretRef goes with every clientAuthenticationMethod but None"
type OIDCProvider struct {
	// Issuer is the provider's issuer identifier, compared exactly with the token's iss; its metadata are at <issuer>/.well-known/openid-configuration. Entra ID
	// is named by one directory's issuer, https://login.microsoftonline.com/<directory ID>/v2.0. It may be absent when authorizationEndpoint, tokenEndpoint and
	// jwksEndpoint are given: then iss is not checked, which the condition Accepted warns of.
	//
	// +optional
	Issuer EndpointURL `json:"issuer,omitempty"`

	// DiscoveryURL is the whole URL of the metadata where they are not reached at <issuer>/.well-known/openid-configuration. They must name the issuer all the same.
	//
	// +optional
	DiscoveryURL EndpointURL `json:"discoveryURL,omitempty"`

	// ClientID that the provider gave to this server.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	ClientID string `json:"clientID"`

	// ClientSecretRef names the client secret; for PrivateKeyJWT the client's private key as PEM (PKCS#8, PKCS#1 or SEC 1) or JWK.
	//
	// +optional
	ClientSecretRef *SecretKeyReference `json:"clientSecretRef,omitempty"`

	// ClientAuthenticationMethod at the token endpoint. Default ClientSecretBasic; None without clientSecretRef.
	//
	// +optional
	ClientAuthenticationMethod ClientAuthenticationMethod `json:"clientAuthenticationMethod,omitempty"`

	// Scopes to ask for. openid is always asked for. At most 32.
	//
	// +listType=set
	// +kubebuilder:default={openid, email, profile}
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Scopes []Scope `json:"scopes,omitempty"`

	// SigningAlgorithms that ID tokens may be signed with. HS256, HS384 and HS512 use the client secret. At most 13.
	//
	// +listType=set
	// +kubebuilder:default={RS256}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=13
	// +optional
	SigningAlgorithms []SignatureAlgorithm `json:"signingAlgorithms,omitempty"`

	// UsernameClaim is short for claimMappings.username.claim. Default preferred_username. With email, a login whose email_verified is there and not the
	// boolean true is refused; one without email_verified is not.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	UsernameClaim string `json:"usernameClaim,omitempty"`

	// AuthorizationEndpoint wins over the metadata's authorization_endpoint.
	//
	// +optional
	AuthorizationEndpoint EndpointURL `json:"authorizationEndpoint,omitempty"`

	// TokenEndpoint wins over the metadata's token_endpoint.
	//
	// +optional
	TokenEndpoint EndpointURL `json:"tokenEndpoint,omitempty"`

	// UserInfoEndpoint wins over the metadata's userinfo_endpoint. It is asked after each login when there is one; its sub must be the ID token's. Left out beside a
	// given authorizationEndpoint and tokenEndpoint, it is not asked while the metadata are away.
	//
	// +optional
	UserInfoEndpoint EndpointURL `json:"userInfoEndpoint,omitempty"`

	// JWKSEndpoint wins over the metadata's jwks_uri.
	//
	// +optional
	JWKSEndpoint EndpointURL `json:"jwksEndpoint,omitempty"`

	// EndSessionEndpoint wins over the metadata's end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0).
	//
	// +optional
	EndSessionEndpoint EndpointURL `json:"endSessionEndpoint,omitempty"`

	// SyncLogout also logs out at the provider: the browser is sent to the end-session endpoint when somebody logs out here.
	//
	// +kubebuilder:default=false
	// +optional
	SyncLogout *bool `json:"syncLogout,omitempty"`

	// ExtraAuthorizationParameters are added to the authorization request, such as prompt, acr_values or domain_hint. At most 16; none that the flow itself sets.
	//
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ExtraAuthorizationParameters []AuthorizationParameter `json:"extraAuthorizationParameters,omitempty"`

	// PKCE is Required (S256 is always used) or "Off", for providers that refuse it; in quotes, as YAML reads Off as false. Default Required.
	//
	// +optional
	PKCE PKCE `json:"pkce,omitempty"`
}

// AuthorizationParameter is one more parameter of the authorization request.
type AuthorizationParameter struct {
	// Name of the parameter.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!(self in ['client_id', 'client_secret', 'response_type', 'response_mode', 'redirect_uri', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method', 'request', 'request_uri'])",message="is set by the login itself: leave it out"
	Name string `json:"name"`

	// Value of the parameter.
	//
	// +kubebuilder:validation:MaxLength=1024
	Value string `json:"value"`
}

// OAuth2Provider is the block of type OAuth2. The redirect URI to register is <externalURL>/auth/<name>/login/callback/.
//
// +kubebuilder:validation:XValidation:rule="!has(self.clientAuthenticationMethod) || (self.clientAuthenticationMethod == 'None') != has(self.clientSecretRef)",message="clientSecretRef goes with every clientAuthenticationMethod but None"
// +kubebuilder:validation:XValidation:rule="!(has(self.syncLogout) && self.syncLogout) || has(self.logoutEndpoint)",message="syncLogout needs logoutEndpoint"
type OAuth2Provider struct {
	// ClientID that the provider gave to this server.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	ClientID string `json:"clientID"`

	// ClientSecretRef names the client secret; for PrivateKeyJWT the client's private key as PEM (PKCS#8, PKCS#1 or SEC 1) or JWK.
	//
	// +optional
	ClientSecretRef *SecretKeyReference `json:"clientSecretRef,omitempty"`

	// ClientAuthenticationMethod at the token endpoint. Default ClientSecretBasic; None without clientSecretRef.
	//
	// +optional
	ClientAuthenticationMethod ClientAuthenticationMethod `json:"clientAuthenticationMethod,omitempty"`

	// Scopes to ask for. At most 32.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Scopes []Scope `json:"scopes,omitempty"`

	// AuthorizationEndpoint is where browsers are sent to log in.
	AuthorizationEndpoint EndpointURL `json:"authorizationEndpoint"`

	// TokenEndpoint is where the code is exchanged for an access token.
	TokenEndpoint EndpointURL `json:"tokenEndpoint"`

	// UserInfoEndpoint is asked with the access token who somebody is: a JSON object.
	UserInfoEndpoint EndpointURL `json:"userInfoEndpoint"`

	// EmailsEndpoint is asked when the mapped e-mail address is empty: a list of objects with email, primary and verified, as GitHub's. Only the primary,
	// verified address counts.
	//
	// +optional
	EmailsEndpoint EndpointURL `json:"emailsEndpoint,omitempty"`

	// GroupsEndpoint is asked for the user's groups, such as GitHub's organizations or teams. It wins over claimMappings.groups.
	//
	// +optional
	GroupsEndpoint *GroupsEndpoint `json:"groupsEndpoint,omitempty"`

	// SubjectAttribute is the member of the userinfo answer that identifies a user for ever, such as id: a non-empty string or an integer, which keeps every digit. A user
	// without it is refused.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	SubjectAttribute string `json:"subjectAttribute"`

	// LogoutEndpoint is where the browser is sent on logout with syncLogout.
	//
	// +optional
	LogoutEndpoint EndpointURL `json:"logoutEndpoint,omitempty"`

	// SyncLogout also logs out at the provider: the browser is sent to logoutEndpoint when somebody logs out here.
	//
	// +kubebuilder:default=false
	// +optional
	SyncLogout *bool `json:"syncLogout,omitempty"`

	// PKCE is Required (S256 is always used) or "Off", for providers that refuse it; in quotes, as YAML reads Off as false. Default Required.
	//
	// +optional
	PKCE PKCE `json:"pkce,omitempty"`
}

// GroupsEndpoint is where a user's groups are.
type GroupsEndpoint struct {
	// URL is asked with the access token. Up to 10 pages are read (the header Link with rel="next", on the same origin).
	URL EndpointURL `json:"url"`

	// Expression is CEL over groups, the answer (of several pages: their lists joined), whose result is a list of strings, such as groups.map(t, t.organization.login
	// + '/' + t.slug).
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Expression string `json:"expression"`
}
