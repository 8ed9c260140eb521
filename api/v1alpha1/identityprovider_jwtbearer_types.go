// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// DefaultJWTBearerGrant is the grant type of RFC 7523 section 2.1.
const DefaultJWTBearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// JWTBearerProvider is the block of type JWTBearer: a credential for somebody else's API. The server signs a JWT (RFC 7523 section 3) with iss, sub, aud, iat, exp
// and a jti of its own and exchanges it at tokenEndpoint for an access token; without tokenEndpoint the JWT itself is the bearer token.
//
// +kubebuilder:validation:XValidation:rule="!has(self.tokenEndpoint) || (has(self.subject) && has(self.audience))",message="tokenEndpoint needs subject and audience: RFC 7523 section 3 requires sub and aud"
// +kubebuilder:validation:XValidation:rule="has(self.tokenEndpoint) || !(has(self.grantType) || has(self.clientID) || has(self.clientSecretRef) || has(self.clientAuthenticationMethod) || has(self.parameters))",message="grantType, clientID, clientSecretRef, clientAuthenticationMethod and parameters are for tokenEndpoint: set it, or leave them out"
// +kubebuilder:validation:XValidation:rule="!(has(self.clientSecretRef) || has(self.clientAuthenticationMethod)) || has(self.clientID)",message="clientSecretRef and clientAuthenticationMethod need clientID"
// +kubebuilder:validation:XValidation:rule="!has(self.clientAuthenticationMethod) || (self.clientAuthenticationMethod == 'None') != has(self.clientSecretRef)",message="clientSecretRef goes with every clientAuthenticationMethod but None"
type JWTBearerProvider struct {
	// KeySecretRef names the key that signs: a private key as PEM (PKCS#8, PKCS#1 or SEC 1) or JWK, or for HS256, HS384 and HS512 a secret of at least 32, 48 or 64 bytes, as it
	// is or as an oct JWK.
	KeySecretRef SecretKeyReference `json:"keySecretRef"`

	// KeyID is the kid header. Default: that of a JWK, else none.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	KeyID string `json:"keyID,omitempty"`

	// Algorithm that the key signs with, as the other side demands. It must fit the key.
	Algorithm SignatureAlgorithm `json:"algorithm"`

	// Issuer is the iss claim.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Issuer string `json:"issuer"`

	// Subject is the sub claim. Required with tokenEndpoint.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Subject string `json:"subject,omitempty"`

	// Audience is the aud claim, one string: what the other side asks for, often its issuer or the token endpoint's URL. Required with tokenEndpoint.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Audience string `json:"audience,omitempty"`

	// Lifetime of the JWT: exp is iat plus this. 10s to 4400h; token endpoints seldom take more than 1h.
	//
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('10s') && duration(self) <= duration('4400h'))",message="lifetime must be 10s to 4400h"
	// +optional
	Lifetime Duration `json:"lifetime,omitempty"`

	// Headers are further members of the JWT's header, such as typ (default JWT) or x5t. alg may be there only if it equals algorithm, kid only if it equals keyID; crit,
	// b64, zip and enc never. At most 16 members, 8 KiB and 8 levels.
	//
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Headers *apiextensionsv1.JSON `json:"headers,omitempty"`

	// AdditionalClaims are further claims, any JSON, such as scope: at most 64, 8 KiB and 8 levels. None of iss, sub, aud, iat, exp and jti, which have fields of their own or are made.
	// nbf is sent only if it is here, as the fixed time that it is.
	//
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	AdditionalClaims *apiextensionsv1.JSON `json:"additionalClaims,omitempty"`

	// TokenEndpoint is where the JWT is exchanged for an access token. Without it the JWT itself is the bearer token.
	//
	// +optional
	TokenEndpoint EndpointURL `json:"tokenEndpoint,omitempty"`

	// GrantType sent to tokenEndpoint. Default urn:ietf:params:oauth:grant-type:jwt-bearer.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="must be one word of printable ASCII"
	// +optional
	GrantType string `json:"grantType,omitempty"`

	// ClientID that authenticates at tokenEndpoint, where it asks for a client beside the assertion.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	ClientID string `json:"clientID,omitempty"`

	// ClientSecretRef names the client secret; for PrivateKeyJWT the client's private key as PEM (PKCS#8, PKCS#1 or SEC 1) or JWK.
	//
	// +optional
	ClientSecretRef *SecretKeyReference `json:"clientSecretRef,omitempty"`

	// ClientAuthenticationMethod at tokenEndpoint. Default ClientSecretBasic; None without clientSecretRef.
	//
	// +optional
	ClientAuthenticationMethod ClientAuthenticationMethod `json:"clientAuthenticationMethod,omitempty"`

	// Parameters are further parameters of the request to tokenEndpoint, such as scope or resource. At most 16; none that the request itself sets.
	//
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Parameters []TokenParameter `json:"parameters,omitempty"`

	// OutputSecretName names a Secret of this namespace that the operator keeps fresh for workloads: its keys are token, token_type, expires_at (RFC 3339) and
	// authorization, a ready-made header value. It is created only if absent, and goes with this object; a Secret that this object does not control is never touched.
	// It is none that this object reads, and no other provider of the namespace writes it. Whoever may read the namespace's Secrets can read it.
	//
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret, such as api-token"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('gatehouse-')",message="names that begin with gatehouse- are the operator's own: choose another, such as api-token"
	// +optional
	OutputSecretName string `json:"outputSecretName,omitempty"`

	// AllowedCallers is CEL over tenant, username, groups and claims: who may ask GET /credentials/<name> for the token, such as tenant == 'acme' && 'ci' in groups. Without it
	// nobody may.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	AllowedCallers string `json:"allowedCallers,omitempty"`
}

// TokenParameter is one more parameter of a token request.
type TokenParameter struct {
	// Name of the parameter.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!(self in ['grant_type', 'assertion', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type'])",message="is set by the request itself: leave it out"
	Name string `json:"name"`

	// Value of the parameter. It is no secret: everybody who may read this object sees it.
	//
	// +kubebuilder:validation:MaxLength=1024
	Value string `json:"value"`
}
