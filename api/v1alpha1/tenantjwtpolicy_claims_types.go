// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// ClaimMappings say which claims become the identity that gateways are told.
type ClaimMappings struct {
	// Username is told as X-Auth-Request-User. A token without it is refused.
	//
	// +optional
	Username UsernameMapping `json:"username,omitempty"`

	// Email is told as X-Auth-Request-Email. Without a mapping that header is empty; with profile Azure it then is the claim email of tokens whose xms_edov (the
	// domain's owner is verified) is true.
	//
	// +optional
	Email *ClaimSource `json:"email,omitempty"`

	// Groups are told as X-Auth-Request-Groups, joined by commas; a comma within one is percent-encoded (%2C). A string or a list of strings. Without a mapping
	// that header is empty.
	//
	// +optional
	Groups *ClaimSource `json:"groups,omitempty"`

	// Headers are further headers of the answer, at most 16; the policies of one AuthServer may name 64 different ones together. All of them are set on every
	// answer of that server, empty where there is no value, so that no client can send its own.
	//
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, b.name.lowerAscii() == a.name.lowerAscii()))",message="two entries have the same name: header names do not differ by case"
	// +optional
	Headers []HeaderMapping `json:"headers,omitempty"`
}

// UsernameMapping is where the user's name comes from: a claim, by default upn, or an expression. With profile Azure the default is upn, else preferred_username, and
// with several azure.tenantIDs <tid>/<oid>.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.claim) && has(self.expression))",message="set at most one of claim and expression"
type UsernameMapping struct {
	// Claim is the exact name of a top-level member of the token's claims: a non-empty string.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Claim string `json:"claim,omitempty"`

	// Expression is CEL over claims whose result is a non-empty string, such as claims.email.split('@')[0].
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Expression string `json:"expression,omitempty"`

	// PrefixWithTenant puts the tenant ID and a slash before the name: tenant-5/bob. A slash from the claim is percent-encoded, so no token can imitate
	// another tenant's prefix.
	//
	// +kubebuilder:default=false
	// +optional
	PrefixWithTenant bool `json:"prefixWithTenant,omitempty"`
}

// ClaimSource is where a value comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.claim) != has(self.expression)",message="set exactly one of claim and expression"
type ClaimSource struct {
	// Claim is the exact name of a top-level member of the token's claims.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Claim string `json:"claim,omitempty"`

	// Expression is CEL over claims, such as claims.realm_access.roles. Its cost is bounded; one that fails for a token gives no value.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Expression string `json:"expression,omitempty"`
}

// HeaderMapping is a header of the answer and where its value comes from: a string, number, boolean, or a list of those, which is joined by commas. A comma within a
// string is percent-encoded (%2C) in a list and by itself, so that no string can pass for a list.
//
// +kubebuilder:validation:XValidation:rule="has(self.claim) != has(self.expression)",message="set exactly one of claim and expression"
type HeaderMapping struct {
	// Name of the header: X- and letters, digits and dashes, not one that Gatehouse or gateways give a meaning.
	//
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[Xx]-[A-Za-z0-9]+(-[A-Za-z0-9]+)*$')",message="must be a header name such as X-Acme-Plan"
	// +kubebuilder:validation:XValidation:rule="!['x-auth-', 'x-forwarded-', 'x-real-', 'x-original-', 'x-jwt-'].exists(p, (self.lowerAscii() + '-').startsWith(p))",message="must not begin with X-Auth-, X-Forwarded-, X-Real-, X-Original- or X-Jwt-, which have a meaning of their own"
	Name string `json:"name"`

	// Claim is the exact name of a top-level member of the token's claims.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Claim string `json:"claim,omitempty"`

	// Expression is CEL over claims. Its cost is bounded; one that fails for a token gives an empty header.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Expression string `json:"expression,omitempty"`
}

// ClaimValidationRule is something that must hold of the claims.
//
// +kubebuilder:validation:XValidation:rule="has(self.claim) != has(self.expression)",message="set exactly one of claim (with requiredValue) and expression"
// +kubebuilder:validation:XValidation:rule="has(self.claim) == has(self.requiredValue)",message="claim and requiredValue go together"
type ClaimValidationRule struct {
	// Claim is the exact name of a top-level member of the token's claims, a string.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Claim string `json:"claim,omitempty"`

	// RequiredValue is what the claim must equal.
	//
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	RequiredValue *string `json:"requiredValue,omitempty"`

	// Expression is CEL over claims whose result is a bool, such as claims.plan in ['gold', 'silver']. Its cost is bounded; one that fails for a token, for
	// instance because a claim is absent, does not hold.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Expression string `json:"expression,omitempty"`

	// Message says what is wrong when the rule does not hold, for logs and gatehouse verify. The client does not see it.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Message string `json:"message,omitempty"`
}

// PolicyExample is a set of claims and what the policy is expected to make of it.
type PolicyExample struct {
	// Claims of a token that is signed as the policy demands: a JSON object of at most 64 members, 8 KiB and 8 levels.
	//
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:pruning:PreserveUnknownFields
	Claims apiextensionsv1.JSON `json:"claims"`

	// Now is the time at which the token comes, such as 2026-01-02T15:04:05Z. Without it, exp, nbf, iat and maxTokenAge are not judged.
	//
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?Z$')",message="must be a time in UTC such as 2026-01-02T15:04:05Z"
	// +optional
	Now string `json:"now,omitempty"`

	// Expect is what should come out.
	Expect ExampleOutcome `json:"expect"`
}

// ExampleOutcome is what an example is expected to lead to.
//
// +kubebuilder:validation:XValidation:rule="has(self.username) != (has(self.rejected) && self.rejected)",message="set exactly one of username and rejected: true"
type ExampleOutcome struct {
	// Username is the value of X-Auth-Request-User, as gateways are told it.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Username string `json:"username,omitempty"`

	// Rejected is true if the token should be refused, by 401 or 403.
	//
	// +optional
	Rejected bool `json:"rejected,omitempty"`
}
