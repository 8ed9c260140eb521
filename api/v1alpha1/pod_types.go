// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// PodTemplate adds to the pods what clusters differ in. Gatehouse's own labels, annotations and security settings win.
type PodTemplate struct {
	// Labels added to the pods. At most 32; none under auth.gatehouse.dev/ or app.kubernetes.io/.
	//
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && size(self[k]) <= 63 && !k.startsWith('auth.gatehouse.dev/') && !k.startsWith('app.kubernetes.io/'))",message="labels under auth.gatehouse.dev/ and app.kubernetes.io/ belong to the operator; values have at most 63 characters"
	// +optional
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// Annotations added to the pods. At most 32; none under auth.gatehouse.dev/.
	//
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !k.startsWith('auth.gatehouse.dev/'))",message="annotations under auth.gatehouse.dev/ belong to the operator"
	// +optional
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// Env adds environment variables to the container. At most 32.
	//
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Env []EnvVar `json:"env,omitempty"`

	// NodeSelector of the pods. At most 16.
	//
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// Tolerations of the pods. At most 16.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Affinity of the pods.
	//
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// TopologySpreadConstraints of the pods. At most 8.
	//
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +optional
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
}

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
// +kubebuilder:validation:XValidation:rule="self.matches('^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$')",message="must have only letters, digits and - _ . and begin and end with a letter or digit"
type LabelValue string

// AnnotationValue is the value of an annotation.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// EnvVar is an environment variable with a plain value.
type EnvVar struct {
	// Name of the variable.
	//
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",message="must have only letters, digits and _ and not begin with a digit, such as HTTPS_PROXY"
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name"`

	// Value of the variable.
	//
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Value string `json:"value,omitempty"`
}

// Quantity is an amount such as 2, 100m or 256Mi.
//
// +kubebuilder:validation:XIntOrString
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:Pattern=`^[0-9]{1,9}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$`
// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^[0-9]{1,9}([.][0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$') : (self >= 0 && self <= 999999999999)",message="must be an amount such as 2, 500m or 256Mi"
type Quantity string

// UnmarshalJSON accepts a string or a number and keeps it as written, so that no stored value can make the
// decoder fail.
func (q *Quantity) UnmarshalJSON(data []byte) error {
	*q = Quantity(strings.Trim(string(data), `"`))
	return nil
}

// ResourceList holds amounts of CPU, memory and ephemeral storage.
type ResourceList struct {
	// CPU, such as 2 or 500m.
	//
	// +optional
	CPU Quantity `json:"cpu,omitempty"`

	// Memory, such as 256Mi.
	//
	// +optional
	Memory Quantity `json:"memory,omitempty"`

	// EphemeralStorage, such as 1Gi.
	//
	// +optional
	EphemeralStorage Quantity `json:"ephemeral-storage,omitempty"`
}

// Resources of the container.
type Resources struct {
	// Requests are what the scheduler reserves.
	//
	// +optional
	Requests ResourceList `json:"requests,omitempty"`

	// Limits are what the kubelet enforces.
	//
	// +optional
	Limits ResourceList `json:"limits,omitempty"`
}
