// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// KeyAlgorithm is a JWE key management algorithm (RFC 7518 section 4). RSA1_5 and PBES2 are none.
//
// +kubebuilder:validation:Enum=RSA-OAEP;RSA-OAEP-256;A128KW;A192KW;A256KW;ECDH-ES;ECDH-ES+A128KW;ECDH-ES+A192KW;ECDH-ES+A256KW;dir
type KeyAlgorithm string

// ContentAlgorithm is a JWE content encryption algorithm (RFC 7518 section 5).
//
// +kubebuilder:validation:Enum=A128GCM;A192GCM;A256GCM;A128CBC-HS256;A256CBC-HS512
type ContentAlgorithm string

// NestedSignature says whether a signed token must be inside an encrypted one.
//
// +kubebuilder:validation:Enum=Required;Optional
type NestedSignature string

// The values of NestedSignature.
const (
	// NestedSignatureRequired refuses claims directly inside the encryption: whoever has a public key can encrypt.
	NestedSignatureRequired NestedSignature = "Required"
	// NestedSignatureOptional also takes claims directly inside, where a shared secret vouches for them.
	NestedSignatureOptional NestedSignature = "Optional"
)

// Decryption says how encrypted tokens (JWE compact serialization, RFC 7516) are opened. Encryption is not authentication: the token inside is verified like
// any other. "zip" is never accepted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nestedSignature) || self.nestedSignature != 'Optional' || self.keyAlgorithms.all(a, a in ['A128KW', 'A192KW', 'A256KW', 'dir'])",message="nestedSignature: Optional is for symmetric keys only: with RSA or ECDH anybody can encrypt, so set keyAlgorithms to A128KW, A192KW, A256KW or dir, or nestedSignature to Required"
type Decryption struct {
	// KeyAlgorithms are the accepted "alg" values of the encryption. RSA-OAEP costs a server some 36 times what verifying a signature does.
	//
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	KeyAlgorithms []KeyAlgorithm `json:"keyAlgorithms"`

	// ContentAlgorithms are the accepted "enc" values.
	//
	// +kubebuilder:default={A256GCM}
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	// +optional
	ContentAlgorithms []ContentAlgorithm `json:"contentAlgorithms,omitempty"`

	// Required refuses tokens that are signed only.
	//
	// +kubebuilder:default=false
	// +optional
	Required bool `json:"required,omitempty"`

	// NestedSignature Required wants a signed token inside, which spec.issuers and spec.algorithms decide on. Optional, for symmetric keys only, also takes claims
	// directly inside: then "iss", where spec.issuers has entries, must be one of them.
	//
	// +kubebuilder:default=Required
	// +optional
	NestedSignature NestedSignature `json:"nestedSignature,omitempty"`

	// Keys that decrypt, at most 16: private keys or shared secrets, always in Secrets.
	//
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Keys []DecryptionKeySource `json:"keys"`
}

// DecryptionKeySource is a Secret that holds keys for decryption.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.keyID) || has(self.algorithm)) || self.format != 'JWKS'",message="a JWKS names its own kid and alg: leave keyID and algorithm out"
type DecryptionKeySource struct {
	// SecretRef names a Secret of this namespace that holds the keys in the given format.
	SecretRef SecretKeyReference `json:"secretRef"`

	// Format of the Secret's value: JWKS (a JSON Web Key Set with private or symmetric keys, "use" absent or "enc"), PEM (one or more private keys, PKCS#8, PKCS#1 or
	// SEC 1, unencrypted), or Symmetric (the raw bytes are the key: 16, 24 or 32 for A128KW, A192KW and A256KW; for dir what the content algorithm takes: 16, 24, 32 or 64).
	Format KeyFormat `json:"format"`

	// KeyID is compared with the encrypted token's "kid". Without it the key fits any kid.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	KeyID string `json:"keyID,omitempty"`

	// Algorithm that this key is for. Without it the key serves every one of keyAlgorithms that its type fits.
	//
	// +optional
	Algorithm KeyAlgorithm `json:"algorithm,omitempty"`
}
