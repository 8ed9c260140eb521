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
// +kubebuilder:validation:XValidation:rule="(has(self.issuers) && size(self.issuers) > 0) || (has(self.acceptIssuedTokens) && self.acceptIssuedTokens)",message="no token can pass: add an entry to spec.issuers, or set spec.acceptIssuedTokens to true"
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

	// Issuers whose tokens count, at most 16. A token passes when its "iss" equals one entry's issuer exactly and one of that entry's keys
	// signed it.
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

	// Leeway for clocks that differ, applied to exp, nbf and iat. 0s to 10m.
	//
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self) <= duration('10m')",message="leeway must be at most 10m"
	// +optional
	Leeway Duration `json:"leeway,omitempty"`

	// CABundleRef names the certificates that this policy's jwksURI servers are checked against, instead of the AuthServer's.
	//
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`

	// ClaimMappings say which claims become the identity that gateways are told.
	//
	// +optional
	ClaimMappings *ClaimMappings `json:"claimMappings,omitempty"`

	// AcceptIssuedTokens lets access tokens that the AuthServer issued itself pass too, when their organization is this policy's tenantID. Its audiences
	// and prefixWithTenant then apply; keys, algorithms and user name are the AuthServer's.
	//
	// +kubebuilder:default=false
	// +optional
	AcceptIssuedTokens bool `json:"acceptIssuedTokens,omitempty"`
}

// Issuer is one party whose tokens count, and where its keys come from.
//
// +kubebuilder:validation:XValidation:rule="has(self.jwksURI) != (has(self.keys) && size(self.keys) > 0)",message="set exactly one of jwksURI and keys"
// +kubebuilder:validation:XValidation:rule="has(self.issuer) || !has(self.jwksURI)",message="issuer is required with jwksURI; only an entry with keys may leave it out"
type Issuer struct {
	// Issuer is compared with the token's "iss" exactly, character by character. A single entry with keys may leave it out: then "iss" is
	// not checked, and x-jwt-issuer, if sent, is required of the token.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Issuer string `json:"issuer,omitempty"`

	// JWKSURI is fetched by the auth server, never by the operator. https, or http for addresses inside the AuthServer's outbound.allowedCIDRs.
	// Private addresses need outbound.allowedCIDRs too. The answer may have at most 512 KiB and 100 keys.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != ''",message="jwksURI must be an https URL such as https://idp.example/keys"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#') && !self.contains('@')",message="jwksURI must not hold a fragment, user or password"
	// +optional
	JWKSURI string `json:"jwksURI,omitempty"`

	// Keys that verify this issuer's tokens; several are a union. At most 16.
	//
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Keys []KeySource `json:"keys,omitempty"`
}

// KeyFormat is how a Secret's value holds keys.
//
// +kubebuilder:validation:Enum=JWKS;PEM;Symmetric
type KeyFormat string

// The formats of a key in a Secret.
const (
	// KeyFormatJWKS is a JSON Web Key Set (RFC 7517 section 5).
	KeyFormatJWKS KeyFormat = "JWKS"
	// KeyFormatPEM is a public key (SPKI or PKCS#1) or certificate.
	KeyFormatPEM KeyFormat = "PEM"
	// KeyFormatSymmetric is the raw bytes of an HMAC secret.
	KeyFormatSymmetric KeyFormat = "Symmetric"
)

// KeySource is one place that keys come from.
//
// +kubebuilder:validation:XValidation:rule="(has(self.jwks) ? 1 : 0) + (has(self.pem) ? 1 : 0) + (has(self.secretRef) ? 1 : 0) == 1",message="set exactly one of jwks, pem and secretRef"
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) == has(self.format)",message="format goes with secretRef: set format to JWKS, PEM or Symmetric beside secretRef, and leave it out otherwise"
// +kubebuilder:validation:XValidation:rule="!(has(self.keyID) || has(self.algorithm)) || !(has(self.jwks) || (has(self.format) && self.format == 'JWKS'))",message="a JWKS names its own kid and alg: leave keyID and algorithm out"
type KeySource struct {
	// JWKS is an inline JSON Web Key Set of public keys.
	//
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	JWKS string `json:"jwks,omitempty"`

	// PEM is an inline public key (SPKI or PKCS#1) or certificate; several blocks are several keys.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	PEM string `json:"pem,omitempty"`

	// SecretRef names a Secret of this namespace that holds the keys in the given format.
	//
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`

	// Format of the Secret's value: JWKS, PEM, or Symmetric (the raw bytes are an HMAC secret).
	//
	// +optional
	Format KeyFormat `json:"format,omitempty"`

	// KeyID is compared with the token's "kid". Without it the key fits any kid.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	KeyID string `json:"keyID,omitempty"`

	// Algorithm that this key is for. Without it the key serves every algorithm of the policy that its type fits.
	//
	// +optional
	Algorithm SignatureAlgorithm `json:"algorithm,omitempty"`
}

// ClaimMappings say which claims become the identity that gateways are told.
type ClaimMappings struct {
	// Username is told as X-Auth-Request-User. A token without it is refused.
	//
	// +kubebuilder:default={claim: upn}
	// +optional
	Username UsernameMapping `json:"username,omitempty"`

	// Email is told as X-Auth-Request-Email. Without a mapping that header is empty.
	//
	// +optional
	Email *ClaimSource `json:"email,omitempty"`

	// Groups are told as X-Auth-Request-Groups, joined by commas. A claim that is a string or a list of strings. Without a mapping that header is empty.
	//
	// +optional
	Groups *ClaimSource `json:"groups,omitempty"`
}

// UsernameMapping is where the user's name comes from.
type UsernameMapping struct {
	// Claim is the exact name of a top-level member of the token's claims: a non-empty string.
	//
	// +kubebuilder:default=upn
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Claim string `json:"claim,omitempty"`

	// PrefixWithTenant puts the tenant ID and a slash before the name: tenant-5/bob. A slash from the claim is percent-encoded, so no token can imitate
	// another tenant's prefix.
	//
	// +kubebuilder:default=false
	// +optional
	PrefixWithTenant bool `json:"prefixWithTenant,omitempty"`
}

// ClaimSource is where a value comes from.
type ClaimSource struct {
	// Claim is the exact name of a top-level member of the token's claims.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Claim string `json:"claim"`
}

// TenantJWTPolicyList is a list of TenantJWTPolicies.
//
// +kubebuilder:object:root=true
type TenantJWTPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TenantJWTPolicy `json:"items"`
}
