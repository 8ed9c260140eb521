// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Issuer is one party whose tokens count, and where its keys come from.
//
// +kubebuilder:validation:XValidation:rule="(has(self.jwksURI) ? 1 : 0) + (has(self.discoveryURL) ? 1 : 0) + (has(self.keys) ? 1 : 0) <= 1",message="set at most one of jwksURI, discoveryURL and keys; with none, keys come from <issuer>/.well-known/openid-configuration"
// +kubebuilder:validation:XValidation:rule="has(self.issuer) || has(self.keys)",message="issuer is required; only an entry with keys may leave it out"
// +kubebuilder:validation:XValidation:rule="has(self.keys) || has(self.jwksURI) || has(self.discoveryURL) || !has(self.issuer) || self.issuer.startsWith('https://') || self.issuer.startsWith('http://')",message="set jwksURI, discoveryURL or keys: this issuer is no https URL at which its keys could be discovered"
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
	// +kubebuilder:validation:XValidation:rule="isURL(self.replace('{tenantid}', 'x')) && url(self.replace('{tenantid}', 'x')).getScheme() in ['https', 'http'] && url(self.replace('{tenantid}', 'x')).getHostname() != ''",message="jwksURI must be an https URL such as https://idp.example/keys"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#') && !self.contains('@')",message="jwksURI must not hold a fragment, user or password"
	// +optional
	JWKSURI string `json:"jwksURI,omitempty"`

	// DiscoveryURL is the whole URL of the issuer's metadata (OpenID Connect Discovery 1.0 section 4), where that is not reached at
	// <issuer>/.well-known/openid-configuration. The metadata must name this issuer all the same, and its jwks_uri is fetched as it stands there. The bounds are those of jwksURI.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self.replace('{tenantid}', 'x')) && url(self.replace('{tenantid}', 'x')).getScheme() in ['https', 'http'] && url(self.replace('{tenantid}', 'x')).getHostname() != ''",message="discoveryURL must be an https URL such as https://idp.internal.example/.well-known/openid-configuration"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#') && !self.contains('@')",message="discoveryURL must not hold a fragment, user or password"
	// +optional
	DiscoveryURL string `json:"discoveryURL,omitempty"`

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

// JWKSOptions say how key sets that are fetched by URL are kept.
type JWKSOptions struct {
	// RefreshInterval is how often a key set in use is fetched again, 1m to 24h. Where policies share a URL, the shortest of theirs.
	//
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('1m') && duration(self) <= duration('24h'))",message="refreshInterval must be 1m to 24h"
	// +optional
	RefreshInterval Duration `json:"refreshInterval,omitempty"`

	// StaleIfError is how long keys serve after they were fetched while fetching again fails, 0s to 168h.
	//
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self) <= duration('168h')",message="staleIfError must be at most 168h"
	// +optional
	StaleIfError Duration `json:"staleIfError,omitempty"`
}

// PolicyProfile is the kind of issuer.
//
// +kubebuilder:validation:Enum=Custom;Azure
type PolicyProfile string

// The profiles.
const (
	// ProfileCustom takes tokens of any issuer.
	ProfileCustom PolicyProfile = "Custom"
	// ProfileAzure takes tokens of Microsoft Entra ID (Azure AD), v1.0 and v2.0.
	ProfileAzure PolicyProfile = "Azure"
)

// AudienceMatchPolicy says how audiences are compared.
//
// +kubebuilder:validation:Enum=MatchAny
type AudienceMatchPolicy string

// AudienceMatchAny demands at least one of the audiences.
const AudienceMatchAny AudienceMatchPolicy = "MatchAny"

// Azure says whose Entra ID tokens count.
type Azure struct {
	// TenantIDs are the IDs of the Entra ID directories ("tid"), as GUIDs. At least one: a token of any other directory is refused, also where a key set is
	// common to all.
	//
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=36
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')",message="must be the directory's ID, a GUID such as aaaabbbb-0000-cccc-1111-dddd2222eeee: not a domain name, common, organizations or consumers"
	TenantIDs []string `json:"tenantIDs"`

	// AuthorityHost is where the directories are: a host name, with a port if need be, or an https URL of those alone. National clouds have others:
	// login.microsoftonline.us, login.partner.microsoftonline.cn.
	//
	// +kubebuilder:default="login.microsoftonline.com"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https?://)?[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?(:[0-9]{1,5})?$')",message="must be a host name such as login.microsoftonline.com, or an https URL without a path"
	// +optional
	AuthorityHost string `json:"authorityHost,omitempty"`
}
