// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// IdentityProvider says how people log in at an AuthServer. An accepted provider is served by every replica of the
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

// ProviderType is the way people log in.
//
// +kubebuilder:validation:Enum=Password
type ProviderType string

// ProviderPassword is login with e-mail address and password.
const ProviderPassword ProviderType = "Password"

// IdentityProviderSpec is what the user asks for.
//
// +kubebuilder:validation:XValidation:rule="self.type != 'Password' || has(self.password)",message="type Password needs the block password: set spec.password.usersSecretRef"
type IdentityProviderSpec struct {
	// AuthServerRef names the AuthServer that serves this provider. Defaults to the AuthServer "default" of this namespace,
	// which is created if it does not exist. A Password provider must be in the AuthServer's own namespace.
	//
	// +kubebuilder:default={name: default}
	// +optional
	AuthServerRef AuthServerReference `json:"authServerRef,omitempty"`

	// Type is how people log in; exactly the matching block must be set. Password: e-mail address and password.
	Type ProviderType `json:"type"`

	// Enabled says whether the provider is served. A provider with enabled: false stays Accepted and Ready with reason Disabled, and
	// nobody can log in or refresh a token through it.
	//
	// +kubebuilder:default=true
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// DisplayName is what people read. At most 128 characters.
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

	// Password configures login with e-mail address and password.
	//
	// +optional
	Password *PasswordProvider `json:"password,omitempty"`
}

// PasswordProvider is the block of type Password. An AuthServer serves at most one Password provider.
type PasswordProvider struct {
	// UsersSecretRef names a YAML list of users: each has email and hash (a PHC string of argon2id, bcrypt, scrypt or pbkdf2, as
	// printed by `gatehouse hash-password`), and optionally username (default: email), name and groups. The list and what is rendered from it
	// may take at most 128 KiB.
	UsersSecretRef SecretKeyReference `json:"usersSecretRef"`
}

// IdentityProviderList is a list of IdentityProviders.
//
// +kubebuilder:object:root=true
type IdentityProviderList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []IdentityProvider `json:"items"`
}
