// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// IdentityProvider says how people log in at an AuthServer, or how programs get a credential for somebody else's API (type JWTBearer). An accepted provider is served by every replica of the
// server; `kubectl wait --for=condition=Ready idp/NAME` returns when all ready replicas serve it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=idp,categories=gatehouse
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Display Name",type=string,JSONPath=`.spec.displayName`,priority=1
// +kubebuilder:printcolumn:name="Server",type=string,JSONPath=`.spec.authServerRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Credential",type=string,JSONPath=`.status.conditions[?(@.type=="CredentialReady")].status`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.spec.type`
// +kubebuilder:selectablefield:JSONPath=`.spec.authServerRef.name`
type IdentityProvider struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec IdentityProviderSpec `json:"spec"`
	// Status starts with observedGeneration -1, so that tools such as kstatus see a new object as in progress.
	//
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status ObjectStatus `json:"status,omitempty"`
}

// ProviderType is the way people log in, or programs get a credential.
//
// +kubebuilder:validation:Enum=Password;OIDC;OAuth2;JWTBearer
type ProviderType string

// The ways people log in, and programs get credentials.
const (
	// ProviderPassword is login with e-mail address and password.
	ProviderPassword ProviderType = "Password"
	// ProviderOIDC is login at an OpenID provider (OpenID Connect Core 1.0).
	ProviderOIDC ProviderType = "OIDC"
	// ProviderOAuth2 is login at an OAuth 2.0 server that tells who somebody is at a userinfo endpoint, such as GitHub.
	ProviderOAuth2 ProviderType = "OAuth2"
	// ProviderJWTBearer is no login: it is a credential for somebody else's API (RFC 7523 section 2.1).
	ProviderJWTBearer ProviderType = "JWTBearer"
)

// IdentityProviderSpec is what the user asks for.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'Password') == has(self.password)",message="spec.password goes with type Password: set both or neither"
// +kubebuilder:validation:XValidation:rule="(self.type == 'OIDC') == has(self.oidc)",message="spec.oidc goes with type OIDC: set both or neither"
// +kubebuilder:validation:XValidation:rule="(self.type == 'OAuth2') == has(self.oauth2)",message="spec.oauth2 goes with type OAuth2: set both or neither"
// +kubebuilder:validation:XValidation:rule="(self.type == 'JWTBearer') == has(self.jwtBearer)",message="spec.jwtBearer goes with type JWTBearer: set both or neither"
// +kubebuilder:validation:XValidation:rule="self.type != 'JWTBearer' || !(has(self.organization) || has(self.icon) || has(self.claimMappings) || has(self.claimValidationRules) || has(self.allowAnyone) || has(self.userSync) || has(self.linking))",message="nobody logs in at type JWTBearer: leave out organization, icon, claimMappings, claimValidationRules, allowAnyone, userSync and linking"
// +kubebuilder:validation:XValidation:rule="self.type != 'Password' || !(has(self.icon) || has(self.caBundleRef) || has(self.claimMappings) || has(self.claimValidationRules) || has(self.allowAnyone) || has(self.userSync) || has(self.linking))",message="icon, caBundleRef, claimMappings, claimValidationRules, allowAnyone, userSync and linking are for types OIDC and OAuth2: leave them out"
// +kubebuilder:validation:XValidation:rule="!(has(self.oidc) && has(self.oidc.usernameClaim) && has(self.claimMappings) && has(self.claimMappings.username))",message="spec.oidc.usernameClaim is short for spec.claimMappings.username: set one of them"
type IdentityProviderSpec struct {
	// AuthServerRef names the AuthServer that serves this provider. Defaults to the AuthServer "default" of this namespace,
	// which is created if it does not exist. A Password provider must be in the AuthServer's own namespace.
	//
	// +kubebuilder:default={name: default}
	// +optional
	AuthServerRef AuthServerReference `json:"authServerRef,omitempty"`

	// Type is how people log in; exactly the matching block must be set. Password: e-mail address and password. OIDC: at an OpenID provider such as
	// Keycloak, Entra ID, Google or Okta. OAuth2: at an OAuth 2.0 server with a userinfo endpoint, such as GitHub. JWTBearer: nobody logs in; it is a credential
	// that programs use at somebody else's API.
	Type ProviderType `json:"type"`

	// Enabled says whether the provider is served. A provider with enabled: false stays Accepted and Ready with reason Disabled, and
	// nobody can log in or refresh a token through it; sessions that began at it end.
	//
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// DisplayName is what people read on the login page, which sorts by it. At most 128 characters. Without one it is OIDC for type OIDC, else the
	// object's name.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// Organization that users of this provider belong to; it is in their tokens. When absent it is "default" for providers in the
	// AuthServer's namespace, else the provider's namespace. Tenant IDs and organizations are one set of
	// names: a TenantJWTPolicy with this tenantID decides whether these users' tokens pass for it.
	//
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$')",message="must have only letters, digits and - . _ and begin and end with a letter or digit, such as acme or team-1.eu"
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Organization string `json:"organization,omitempty"`

	// Icon of the provider's button on the login page, 64 by 64 pixels.
	//
	// +optional
	Icon *Image `json:"icon,omitempty"`

	// CABundleRef names the certificates that the provider's servers are checked against instead of the AuthServer's.
	//
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`

	// ClaimMappings say where a user's attributes come from. For OIDC a claim is looked up in the ID token, then at the userinfo endpoint; for OAuth2 at the
	// userinfo endpoint.
	//
	// +optional
	ClaimMappings *ProviderClaimMappings `json:"claimMappings,omitempty"`

	// ClaimValidationRules must all hold at every login and whenever the login is renewed at the provider; somebody for whom one does not is refused. They may
	// read claims, userinfo and groups. At most 16.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ClaimValidationRules []ProviderValidationRule `json:"claimValidationRules,omitempty"`

	// AllowAnyone admits everybody who has an account at a provider where anybody can have one, such as accounts.google.com or github.com. Without it,
	// such a provider needs claimValidationRules, else it is not accepted (OpenToEveryone). Default false.
	//
	// +optional
	AllowAnyone *bool `json:"allowAnyone,omitempty"`

	// UserSync says when name, username, email, phone and comment of a known user are taken from the provider: Always (at every login) or FirstLogin. Groups
	// are taken at the first login only. Default Always.
	//
	// +optional
	UserSync UserSync `json:"userSync,omitempty"`

	// Linking says whether somebody who logs in here for the first time is taken for a user who came from another provider: None, or VerifiedEmail, where
	// both providers have linking: VerifiedEmail and the same organization, and both assert the same address with the boolean email_verified true. Users of a Secret
	// and users that an administrator made are never linked. Default None. Only for providers in the AuthServer's namespace.
	//
	// +optional
	Linking Linking `json:"linking,omitempty"`

	// Password configures login with e-mail address and password.
	//
	// +optional
	Password *PasswordProvider `json:"password,omitempty"`

	// OIDC configures login at an OpenID provider.
	//
	// +optional
	OIDC *OIDCProvider `json:"oidc,omitempty"`

	// OAuth2 configures login at an OAuth 2.0 server.
	//
	// +optional
	OAuth2 *OAuth2Provider `json:"oauth2,omitempty"`

	// JWTBearer configures a credential for somebody else's API.
	//
	// +optional
	JWTBearer *JWTBearerProvider `json:"jwtBearer,omitempty"`
}

// PasswordProvider is the block of type Password. An AuthServer serves at most one Password provider. Its users are those of
// usersSecretRef and those that `gatehouse users add` keeps in the AuthServer's store.
type PasswordProvider struct {
	// UsersSecretRef names a YAML list of users: each has email and hash (a PHC string of argon2id, bcrypt, scrypt or pbkdf2, as
	// printed by `gatehouse hash-password`), and optionally username (default: email), name and groups. The list and what is rendered from it
	// may take at most 128 KiB.
	//
	// +optional
	UsersSecretRef *SecretKeyReference `json:"usersSecretRef,omitempty"`

	// MinLength is how many characters a new password must have, 8 to 128. It counts where a password is set (`gatehouse users add` and `passwd`), not at login.
	//
	// +kubebuilder:default=12
	// +kubebuilder:validation:Minimum=8
	// +kubebuilder:validation:Maximum=128
	// +optional
	MinLength *int32 `json:"minLength,omitempty"`
}

// IdentityProviderList is a list of IdentityProviders.
//
// +kubebuilder:object:root=true
type IdentityProviderList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []IdentityProvider `json:"items"`
}
