// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// UserSync says when a known user's attributes are taken from the provider.
//
// +kubebuilder:validation:Enum=Always;FirstLogin
type UserSync string

// When a known user's attributes are taken from the provider.
const (
	UserSyncAlways     UserSync = "Always"
	UserSyncFirstLogin UserSync = "FirstLogin"
)

// Linking says whether users of several providers are taken for one.
//
// +kubebuilder:validation:Enum=None;VerifiedEmail
type Linking string

// Whether users of several providers are taken for one.
const (
	LinkingNone          Linking = "None"
	LinkingVerifiedEmail Linking = "VerifiedEmail"
)

// ProviderClaimMappings say where a user's attributes come from.
type ProviderClaimMappings struct {
	// Username is what applications are told. Required of every login: a non-empty string or an integer. Default: the claim preferred_username.
	// Where it is the user's e-mail address, a login whose email_verified is there and not the boolean true is refused; one without email_verified is not,
	// since many company directories send none. An expression that takes a part of the address has to ask claims.email_verified itself.
	//
	// +optional
	Username *ProviderClaimSource `json:"username,omitempty"`

	// Email address. Default: the claim email. Where email_verified is there and not true, users have it, and tokens leave it out.
	//
	// +optional
	Email *ProviderClaimSource `json:"email,omitempty"`

	// Name is the full name. Default: the claim name.
	//
	// +optional
	Name *ProviderClaimSource `json:"name,omitempty"`

	// Phone number. Default: the claim phone_number.
	//
	// +optional
	Phone *ProviderClaimSource `json:"phone,omitempty"`

	// Comment is free text, kept with the user. Default: none.
	//
	// +optional
	Comment *ProviderClaimSource `json:"comment,omitempty"`

	// Groups is a list of strings, or a string. Default: the claim groups.
	//
	// +optional
	Groups *ProviderClaimSource `json:"groups,omitempty"`
}

// ProviderClaimSource is where a value comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.claim) != has(self.expression)",message="set exactly one of claim and expression"
type ProviderClaimSource struct {
	// Claim is the exact name of a top-level member; integers keep every digit.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Claim string `json:"claim,omitempty"`

	// Expression is CEL over claims (of the ID token; for OAuth2 those of the userinfo endpoint) and userinfo, such as userinfo.profile.login. Its cost is
	// bounded; one that fails for a user gives no value.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Expression string `json:"expression,omitempty"`
}

// ProviderValidationRule is something that must hold of whoever logs in.
type ProviderValidationRule struct {
	// Expression is CEL over claims, userinfo and groups whose result is a bool, such as claims.hd == 'example.com', 'engineering' in groups or
	// groups.exists(g, g.startsWith('acme/')). groups is a list of strings: those of oauth2.groupsEndpoint where there is one, else of claimMappings.groups. Its cost
	// is bounded; one that fails for a user, for instance because a claim is absent or groups cannot be read, does not hold.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Expression string `json:"expression"`

	// Message says what is wrong when the rule does not hold. It is shown to the person who logs in.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Message string `json:"message,omitempty"`
}

// Image is a picture: an https URL that browsers fetch, or a key of a ConfigMap that the server serves itself.
//
// +kubebuilder:validation:XValidation:rule="has(self.url) != has(self.configMapRef)",message="set exactly one of url and configMapRef"
type Image struct {
	// URL of the image. Browsers fetch it themselves, so its host sees who opens the login page.
	//
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https://[-A-Za-z0-9.:]+(/[-A-Za-z0-9._~:/?@!$&()*+=%]*)?$')",message="must be an https URL such as https://example.com/icon.png, without user, fragment, quotes, commas, semicolons or spaces"
	// +optional
	URL string `json:"url,omitempty"`

	// ConfigMapRef names a key of a ConfigMap of this namespace whose value is a PNG, JPEG or WebP of at most 64 KiB (binaryData, as kubectl create configmap
	// --from-file makes it).
	//
	// +optional
	ConfigMapRef *ConfigMapKeyReference `json:"configMapRef,omitempty"`
}

// ConfigMapKeyReference names one key of a ConfigMap in the object's own namespace.
type ConfigMapKeyReference struct {
	// Name of the ConfigMap.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// Key in the ConfigMap's data or binaryData.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}
