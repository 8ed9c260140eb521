// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TenantJWTPolicy says which JWTs a tenant's requests may carry: whose keys sign them, which algorithms, issuers and
// audiences count, and which claim is the user's name. Gateways ask an AuthServer's /verify with the tenant's name.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=tjp,categories=gatehouse
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Tenant",type=string,JSONPath=`.spec.tenantID`
// +kubebuilder:printcolumn:name="Default",type=boolean,JSONPath=`.spec.default`,priority=1
// +kubebuilder:printcolumn:name="Server",type=string,JSONPath=`.spec.authServerRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Upstream",type=string,JSONPath=`.status.conditions[?(@.type=="UpstreamReady")].status`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.spec.tenantID`
// +kubebuilder:selectablefield:JSONPath=`.spec.authServerRef.name`
type TenantJWTPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec TenantJWTPolicySpec `json:"spec"`
	// Status starts with observedGeneration -1, so that tools such as kstatus see a new object as in progress.
	//
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status ObjectStatus `json:"status,omitempty"`
}

// SignatureAlgorithm is a JWS algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
//
// +kubebuilder:validation:Enum=HS256;HS384;HS512;RS256;RS384;RS512;PS256;PS384;PS512;ES256;ES384;ES512;EdDSA
type SignatureAlgorithm string

// TokenTypeAbsent stands in tokenTypes for tokens without a "typ" header.
const TokenTypeAbsent = "absent"

// TenantJWTPolicySpec is what the user asks for.
//
// +kubebuilder:validation:XValidation:rule="(has(self.issuers) && size(self.issuers) > 0) || (has(self.acceptIssuedTokens) && self.acceptIssuedTokens) || has(self.azure) || (has(self.profile) && self.profile == 'Azure') || (has(self.decryption) && has(self.decryption.nestedSignature) && self.decryption.nestedSignature == 'Optional')",message="no token can pass: add an entry to spec.issuers, set spec.profile to Azure, or set spec.acceptIssuedTokens to true"
// +kubebuilder:validation:XValidation:rule="has(self.azure) == (has(self.profile) && self.profile == 'Azure')",message="spec.azure goes with profile: Azure: set both or neither"
// +kubebuilder:validation:XValidation:rule="!has(self.issuers) || self.issuers.all(i, has(i.issuer)) || size(self.issuers) == 1",message="with several issuers each entry needs issuer; only a single entry with keys may leave it out"
// +kubebuilder:validation:XValidation:rule="!has(self.issuers) || self.issuers.all(a, !has(a.issuer) || self.issuers.exists_one(b, has(b.issuer) && b.issuer == a.issuer))",message="two entries of spec.issuers have the same issuer: merge their keys into one entry"
type TenantJWTPolicySpec struct {
	// AuthServerRef names the AuthServer that enforces this policy. Defaults to the AuthServer "default" of this namespace, which is
	// created if it does not exist.
	//
	// +kubebuilder:default={name: default}
	// +optional
	AuthServerRef AuthServerReference `json:"authServerRef,omitempty"`

	// TenantID is the name that requests use: /verify/{tenantID} or the header x-jwt-tenant-id. It is unique per AuthServer and cannot be changed.
	// In a namespace other than the AuthServer's it is "<namespace>" or "<namespace>.<more>".
	//
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$')",message="must have only letters, digits and - . _ and begin and end with a letter or digit, such as acme or team-1.eu"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="tenantID cannot be changed: delete the policy and create one with the new tenantID"
	TenantID string `json:"tenantID"`

	// Default makes this policy decide requests that name no tenant. At most one policy of an AuthServer, and only one of its own namespace.
	//
	// +kubebuilder:default=false
	// +optional
	Default bool `json:"default,omitempty"`

	// Profile says what the issuers are: Custom, any issuer, or Azure, Microsoft Entra ID (Azure AD), whose issuers, keys and user names are known.
	//
	// +kubebuilder:default=Custom
	// +optional
	Profile PolicyProfile `json:"profile,omitempty"`

	// Azure says whose directories' tokens count. Required with profile Azure.
	//
	// +optional
	Azure *Azure `json:"azure,omitempty"`

	// Issuers whose tokens count, at most 16. A token passes when its "iss" equals one entry's issuer exactly and one of that entry's keys
	// signed it. With profile Azure they may be left out: then the v1.0 and v2.0 issuers of each of azure.tenantIDs count; in an entry's issuer and
	// URLs {tenantid} stands for each of azure.tenantIDs in turn.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Issuers []Issuer `json:"issuers,omitempty"`

	// Audiences: the token's "aud" must hold at least one of them. Empty: "aud" is not checked. At most 32 of 512 characters.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +optional
	Audiences []string `json:"audiences,omitempty"`

	// AudienceMatchPolicy says how audiences are compared: MatchAny, at least one of them must be in "aud".
	//
	// +kubebuilder:default=MatchAny
	// +optional
	AudienceMatchPolicy AudienceMatchPolicy `json:"audienceMatchPolicy,omitempty"`

	// Algorithms that may sign a token. The policy fixes them, never the token. HS algorithms need symmetric keys of at least 32 (HS256), 48
	// (HS384) or 64 (HS512) bytes; RS and PS need RSA keys of 2048 to 4096 bits.
	//
	// +kubebuilder:default={RS256}
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=13
	// +optional
	Algorithms []SignatureAlgorithm `json:"algorithms,omitempty"`

	// TokenTypes are the values of the "typ" header that pass, compared without case and without "application/". The word "absent" stands for
	// tokens without "typ".
	//
	// +kubebuilder:default={absent,JWT,"at+jwt"}
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9!#$&^_.+/-]+$`
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9!#$&^_.+/-]+$')",message="must be a media type without parameters such as JWT, at+jwt or application/at+jwt, or the word absent"
	// +optional
	TokenTypes []string `json:"tokenTypes,omitempty"`

	// Decryption makes encrypted tokens (JWE, RFC 7516) pass. Without it they are refused.
	//
	// +optional
	Decryption *Decryption `json:"decryption,omitempty"`

	// Leeway for clocks that differ, applied to exp, nbf, iat and maxTokenAge. 0s to 10m.
	//
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self) <= duration('10m')",message="leeway must be at most 10m"
	// +optional
	Leeway Duration `json:"leeway,omitempty"`

	// MaxTokenAge refuses tokens whose "iat" is longer ago, and those without "iat". 1s or more; without it, age is not checked.
	//
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self) >= duration('1s')",message="maxTokenAge must be at least 1s"
	// +optional
	MaxTokenAge Duration `json:"maxTokenAge,omitempty"`

	// RequiredNonce is the value that the token's "nonce" must have.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	RequiredNonce string `json:"requiredNonce,omitempty"`

	// JWKS says how key sets that are fetched by URL are kept.
	//
	// +optional
	JWKS *JWKSOptions `json:"jwks,omitempty"`

	// CABundleRef names the certificates that this policy's jwksURI and discovery servers are checked against, instead of the AuthServer's.
	//
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`

	// ClaimMappings say which claims become the identity that gateways are told.
	//
	// +optional
	ClaimMappings *ClaimMappings `json:"claimMappings,omitempty"`

	// ClaimValidationRules must all hold, else the request is answered with 403. At most 16. They are asked after everything else about the token was found
	// to be in order.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ClaimValidationRules []ClaimValidationRule `json:"claimValidationRules,omitempty"`

	// AcceptIssuedTokens lets access tokens that the AuthServer issued itself pass too, when their organization is this policy's tenantID. Its audiences,
	// claimValidationRules, maxTokenAge, requiredNonce, leeway, claimMappings.headers and prefixWithTenant then apply; keys, algorithms and user name are the
	// AuthServer's.
	//
	// +kubebuilder:default=false
	// +optional
	AcceptIssuedTokens bool `json:"acceptIssuedTokens,omitempty"`

	// UpstreamCredential names a JWTBearer provider of this namespace: with every request that passes, /verify and ext_authz give the gateway that provider's token as
	// Authorization for the application. While there is none, requests are answered with 503.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	UpstreamCredential string `json:"upstreamCredential,omitempty"`

	// TokenExchange takes this tenant's JWTs as authorization grants (RFC 7523 section 2.1): POST /oauth2/token gives the AuthServer's own access token for one.
	//
	// +optional
	TokenExchange *TokenExchange `json:"tokenExchange,omitempty"`

	// Examples are claims and what this policy is expected to make of them. They are evaluated whenever the policy changes; the condition ExamplesPassed tells
	// which one fails. They never change what is served. At most 16.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Examples []PolicyExample `json:"examples,omitempty"`
}

// TokenExchange says that, and for which scopes, assertions are taken.
type TokenExchange struct {
	// Enabled takes assertions. They must be for this server alone (aud is one string: its externalURL or its token endpoint), live at most 1h, and have sub and a jti that
	// was not used before, beside everything that the policy demands of a token but audiences.
	//
	// +kubebuilder:default=false
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// Scopes that access tokens may have; others that are asked for are left out. Empty: access tokens have no scope. At most 32.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Scopes []Scope `json:"scopes,omitempty"`
}

// TenantJWTPolicyList is a list of TenantJWTPolicies.
//
// +kubebuilder:object:root=true
type TenantJWTPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TenantJWTPolicy `json:"items"`
}
