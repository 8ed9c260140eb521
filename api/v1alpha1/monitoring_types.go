// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Monitoring bounds what an auth server tells about itself.
type Monitoring struct {
	// TenantSeries is how many tenants have time series of their own in the metrics, 0 to 1000: the first ones that requests came for. All others are summed under the tenant
	// "_other", which no tenant can be called.
	//
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	TenantSeries *int32 `json:"tenantSeries,omitempty"`
}
