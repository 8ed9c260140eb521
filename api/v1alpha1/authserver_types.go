// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AuthServer is an authentication service: a Deployment of auth servers that serves the IdentityProviders and TenantJWTPolicies that
// refer to it. It is optional: an object that names none gets the AuthServer "default" of its namespace, which the operator creates and
// removes again when nothing has referred to it for 10 minutes.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=as,categories=gatehouse
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Applied",type=string,JSONPath=`.status.applied`
// +kubebuilder:printcolumn:name="Providers",type=integer,JSONPath=`.status.identityProviders`
// +kubebuilder:printcolumn:name="Tenants",type=integer,JSONPath=`.status.tenantJWTPolicies`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.store.type`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$')",message="an AuthServer's name is at most 40 lower-case letters, digits and dashes, and begins and ends with a letter or digit"
// +kubebuilder:validation:XValidation:rule="!self.metadata.name.endsWith('-ops') && !self.metadata.name.endsWith('-config') && !self.metadata.name.endsWith('-keys') && !self.metadata.name.contains('-tenants-')",message="an AuthServer's name must not end in -ops, -config or -keys nor contain -tenants-: those name its own Secrets and Services"
type AuthServer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:default={}
	// +optional
	Spec AuthServerSpec `json:"spec,omitempty"`
	// Status starts with observedGeneration -1, so that tools such as kstatus see a new object as in progress.
	//
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status AuthServerStatus `json:"status,omitempty"`
}

// AuthServerSpec is what the user asks for.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || self.replicas <= 1 || (has(self.store) && has(self.store.type) && self.store.type != 'Embedded')",message="several replicas cannot share the Embedded store: set spec.store.type to PostgreSQL, to None (verification only), or spec.replicas to 1"
type AuthServerSpec struct {
	// ExternalURL is the URL under which people and programs reach the server: the issuer of the tokens it signs. An https URL, or http
	// for tests, with no path, query or fragment. Defaults to the in-cluster Service, http://gatehouse-NAME.NAMESPACE.svc:8080.
	//
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$') || self.matches('^https?://\\\\[[0-9a-fA-F:]+\\\\](:[0-9]{1,5})?$')",message="externalURL must be scheme and host only, such as https://auth.example.com: no path, no trailing slash, no query"
	// +optional
	ExternalURL string `json:"externalURL,omitempty"`

	// Replicas is how many pods run. 0 to 100. More than one needs store.type PostgreSQL or None.
	//
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`

	// Resources of the container. Defaults to requests of 50m CPU and 64Mi memory and a memory limit of 256Mi. The number of passwords hashed at once
	// follows from the memory limit: (limit - 96Mi) / 19Mi.
	//
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// Image of the auth server. Defaults to the operator's own image, which holds both.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`

	// ImagePullSecrets are names of Secrets of this namespace, used to pull the image.
	//
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	// +optional
	ImagePullSecrets []LocalReference `json:"imagePullSecrets,omitempty"`

	// PodTemplate adds to the pods what clusters differ in.
	//
	// +optional
	PodTemplate *PodTemplate `json:"podTemplate,omitempty"`

	// AllowedNamespaces says whose IdentityProviders and TenantJWTPolicies may attach.
	//
	// +kubebuilder:default={from: Same}
	// +optional
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces,omitempty"`

	// Tokens that the server issues.
	//
	// +kubebuilder:default={}
	// +optional
	Tokens Tokens `json:"tokens,omitempty"`

	// Store holds users, sessions, refresh tokens and lockouts.
	//
	// +kubebuilder:default={}
	// +optional
	Store Store `json:"store,omitempty"`

	// Login is how people log in with a browser, and what slows down guessing.
	//
	// +kubebuilder:default={}
	// +optional
	Login Login `json:"login,omitempty"`

	// Outbound bounds what the server may dial. Only an AuthServer can allow addresses; tenants cannot.
	//
	// +optional
	Outbound *Outbound `json:"outbound,omitempty"`

	// NetworkPolicy bounds who may reach the pods.
	//
	// +kubebuilder:default={}
	// +optional
	NetworkPolicy NetworkPolicy `json:"networkPolicy,omitempty"`

	// Monitoring bounds what the server tells about itself.
	//
	// +kubebuilder:default={}
	// +optional
	Monitoring Monitoring `json:"monitoring,omitempty"`

	// PodDisruptionBudget keeps voluntary disruptions, such as a drain, from taking every pod at once.
	//
	// +kubebuilder:default={}
	// +optional
	PodDisruptionBudget PodDisruptionBudget `json:"podDisruptionBudget,omitempty"`
}

// LocalReference names an object of the same namespace.
type LocalReference struct {
	// Name of the object.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// NamespacesFrom says which namespaces may attach.
//
// +kubebuilder:validation:Enum=Same;All;Selector
type NamespacesFrom string

// Which namespaces may attach.
const (
	// NamespacesSame allows the AuthServer's own namespace.
	NamespacesSame NamespacesFrom = "Same"
	// NamespacesAll allows every namespace that the operator watches.
	NamespacesAll NamespacesFrom = "All"
	// NamespacesSelector allows namespaces by label; it needs the cluster-wide install.
	NamespacesSelector NamespacesFrom = "Selector"
)

// AllowedNamespaces says whose objects may attach. Objects of other namespaces may use only tenant IDs and organizations that begin with their namespace's name.
//
// +kubebuilder:validation:XValidation:rule="(self.from == 'Selector') == has(self.selector)",message="selector goes with from: Selector; set both or neither"
type AllowedNamespaces struct {
	// From is Same (this namespace), All, or Selector (namespaces whose labels match; needs the cluster-wide install).
	//
	// +kubebuilder:default=Same
	// +optional
	From NamespacesFrom `json:"from,omitempty"`

	// Selector of namespaces by label, with from: Selector.
	//
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// IssuedAlgorithm is an algorithm that the server can sign with.
//
// +kubebuilder:validation:Enum=ES256;ES384;RS256;PS256;EdDSA
type IssuedAlgorithm string

// Tokens that the server issues: access tokens are JWTs of RFC 9068, refresh tokens are opaque and used once.
//
// +kubebuilder:validation:XValidation:rule="!has(self.accessTokenLifetime) || !has(self.refreshTokenLifetime) || !self.accessTokenLifetime.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || !self.refreshTokenLifetime.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self.accessTokenLifetime) <= duration(self.refreshTokenLifetime)",message="accessTokenLifetime must not exceed refreshTokenLifetime"
type Tokens struct {
	// AccessTokenLifetime is how long an access token is valid. 1m to 24h.
	//
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('1m') && duration(self) <= duration('24h'))",message="accessTokenLifetime must be between 1m and 24h"
	// +optional
	AccessTokenLifetime Duration `json:"accessTokenLifetime,omitempty"`

	// RefreshTokenLifetime is how long a refresh token can be used. Each use gives a new one with the full lifetime, so a login ends
	// when nobody has used it for this long. 5m to 8760h.
	//
	// +kubebuilder:default="720h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('5m') && duration(self) <= duration('8760h'))",message="refreshTokenLifetime must be between 5m and 8760h"
	// +optional
	RefreshTokenLifetime Duration `json:"refreshTokenLifetime,omitempty"`

	// SigningAlgorithm of access tokens. A change publishes a key of the new algorithm before it is used, and keeps the old one
	// until the last token it signed has expired.
	//
	// +kubebuilder:default=ES256
	// +optional
	SigningAlgorithm IssuedAlgorithm `json:"signingAlgorithm,omitempty"`

	// KeyRotationInterval is how long a signing key is used. 1h to 26280h.
	//
	// +kubebuilder:default="720h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('1h') && duration(self) <= duration('26280h'))",message="keyRotationInterval must be between 1h and 26280h"
	// +optional
	KeyRotationInterval Duration `json:"keyRotationInterval,omitempty"`

	// Audience of access tokens. Defaults to the external URL. At most 8.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +optional
	Audience []string `json:"audience,omitempty"`
}

// CIDR is an address range such as 10.96.0.0/12 or fd00::/8.
//
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="must be an address range such as 10.96.0.0/12 or fd00::/8"
type CIDR string

// Outbound bounds what the server may dial when it fetches keys. The check is on the address that is really dialled, after DNS and after redirects.
type Outbound struct {
	// AllowedCIDRs may be dialled although they are private, loopback, link-local, unique local or carrier-grade NAT, and with http.
	// Metadata addresses of clouds are never dialled. At most 64.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +optional
	AllowedCIDRs []CIDR `json:"allowedCIDRs,omitempty"`

	// CABundleRef names the certificates that servers are checked against instead of the system's roots, where an
	// object has no bundle of its own.
	//
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`
}

// NetworkPolicy bounds who may reach the pods. Port http is open to all; the operations port to the operator's
// namespace and the peers listed here.
type NetworkPolicy struct {
	// Enabled makes a NetworkPolicy.
	//
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// OperationsFrom are further peers that may reach the operations port 9090, such as Prometheus. At most 16.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	OperationsFrom []networkingv1.NetworkPolicyPeer `json:"operationsFrom,omitempty"`
}

// PodDisruptionBudget keeps voluntary disruptions from taking every pod at once.
type PodDisruptionBudget struct {
	// Enabled makes a PodDisruptionBudget.
	//
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// MaxUnavailable is how many pods a voluntary disruption may take. 1 to 100.
	//
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxUnavailable *int32 `json:"maxUnavailable,omitempty"`
}

// AuthServerStatus is what the operator has seen.
type AuthServerStatus struct {
	// ObservedGeneration is the generation that the conditions speak of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Accepted, ResolvedRefs, ConfigApplied, Ready, StorePersistent unless store.type is None, and Stalled while it
	// is true.
	//
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// URL is the external URL in force: the issuer of the tokens that the server signs.
	//
	// +kubebuilder:validation:MaxLength=512
	// +optional
	URL string `json:"url,omitempty"`

	// ConfigHash identifies the rendered configuration.
	//
	// +kubebuilder:validation:MaxLength=64
	// +optional
	ConfigHash string `json:"configHash,omitempty"`

	// Replicas is how many pods of the server there are, ready or not. Those that ended or are being deleted do not count.
	//
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// AppliedReplicas is how many of the ready pods serve ConfigHash.
	//
	// +optional
	AppliedReplicas int32 `json:"appliedReplicas,omitempty"`

	// Applied is appliedReplicas and the number of ready pods, such as 2/2, for people.
	//
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Applied string `json:"applied,omitempty"`

	// Selector of the pods, for the scale subresource.
	//
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Selector string `json:"selector,omitempty"`

	// IdentityProviders is how many providers the server serves.
	//
	// +optional
	IdentityProviders int32 `json:"identityProviders,omitempty"`

	// TenantJWTPolicies is how many policies the server serves.
	//
	// +optional
	TenantJWTPolicies int32 `json:"tenantJWTPolicies,omitempty"`

	// SigningKeys are the keys that the server signs its own tokens with, oldest first. None with store.type None.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +optional
	SigningKeys []SigningKeyStatus `json:"signingKeys,omitempty"`

	// References are the Secrets and ConfigMaps that the spec names, with the resourceVersion that the servers serve.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	References []ResolvedReference `json:"references,omitempty"`
}

// AuthServerList is a list of AuthServers.
//
// +kubebuilder:object:root=true
type AuthServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AuthServer `json:"items"`
}
