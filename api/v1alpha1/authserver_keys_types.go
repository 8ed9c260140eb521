// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SigningKeyStatus tells of one key that the server signs its own tokens with, without the key. The one in use is the one with the latest activeFrom that has
// passed; those after it are published already, those before it until the last of their tokens has expired.
type SigningKeyStatus struct {
	// KeyID is the kid of tokens and of the JWKS: the key's RFC 7638 thumbprint.
	//
	// +kubebuilder:validation:MaxLength=128
	KeyID string `json:"keyID"`

	// Algorithm that it signs with.
	//
	// +kubebuilder:validation:MaxLength=16
	Algorithm string `json:"algorithm"`

	// ActiveFrom is when it begins, or began, to sign.
	ActiveFrom metav1.Time `json:"activeFrom"`

	// RetireAfter is when the last of its tokens has expired, and it is dropped. Absent while it has no successor.
	//
	// +optional
	RetireAfter *metav1.Time `json:"retireAfter,omitempty"`
}
