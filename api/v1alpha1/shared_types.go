// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Duration is a length of time such as 30s, 15m or 720h: one to four numbers with the unit
// h, m, s or ms (GEP-2257).
//
// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
// +kubebuilder:validation:MaxLength=28
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",message="must be a length of time such as 30s, 15m or 1h30m, with the units h, m, s and ms; a day is 24h"
type Duration string

// Value is the duration, or 0 when the string is empty or breaks the pattern, which the schema
// does not let through.
func (d Duration) Value() time.Duration {
	v, err := time.ParseDuration(string(d))
	if err != nil {
		return 0
	}
	return v
}

// AuthServerReference names the AuthServer that an object attaches to.
type AuthServerReference struct {
	// Name of the AuthServer. The name "default" in the object's own namespace is created by the operator if it does not exist.
	//
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +optional
	Name string `json:"name,omitempty"`

	// Namespace of the AuthServer; the object's own when absent. An AuthServer of another namespace must
	// allow this one with spec.allowedNamespaces.
	//
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`
}

// SecretKeyReference names one key of a Secret in the object's own namespace. Secrets that Gatehouse
// made itself are refused, and every type but Opaque, kubernetes.io/tls, kubernetes.io/basic-auth and auth.gatehouse.dev/*.
type SecretKeyReference struct {
	// Name of the Secret.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// Key in the Secret's data.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// BundleKind is the kind of object that holds a CA bundle.
//
// +kubebuilder:validation:Enum=ConfigMap;Secret
type BundleKind string

// The kinds that can hold a CA bundle.
const (
	BundleConfigMap BundleKind = "ConfigMap"
	BundleSecret    BundleKind = "Secret"
)

// CABundleReference names PEM certificates in a ConfigMap or Secret of the object's own namespace. They
// are trusted instead of the system's roots.
type CABundleReference struct {
	// Kind of the object: ConfigMap or Secret.
	Kind BundleKind `json:"kind"`

	// Name of the ConfigMap or Secret.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// Key that holds the PEM certificates.
	//
	// +kubebuilder:default=ca.crt
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Key string `json:"key,omitempty"`
}

// ResolvedReference is a Secret or ConfigMap as it was when the configuration in force was rendered.
type ResolvedReference struct {
	// Kind is Secret or ConfigMap.
	//
	// +kubebuilder:validation:MaxLength=32
	Kind string `json:"kind"`

	// Name of the object.
	//
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// ResourceVersion of the object that the servers serve.
	//
	// +kubebuilder:validation:MaxLength=64
	ResourceVersion string `json:"resourceVersion"`
}

// ObjectStatus is the status of an IdentityProvider or TenantJWTPolicy.
type ObjectStatus struct {
	// ObservedGeneration is the generation that the conditions speak of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Accepted, ResolvedRefs, ConfigApplied, UpstreamReady (where the object names upstreams), ExamplesPassed (where it has examples),
	// CredentialReady (where it has outputSecretName), Ready, and Stalled while it is true.
	//
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// References are the Secrets and ConfigMaps that the spec names, with the resourceVersion that the servers serve. A policy can name 16
	// for each of 16 issuers, 16 for decryption, and a CA bundle.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=273
	// +optional
	References []ResolvedReference `json:"references,omitempty"`
}
