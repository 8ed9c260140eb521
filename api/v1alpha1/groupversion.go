// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is auth.gatehouse.dev/v1alpha1.
	GroupVersion = schema.GroupVersion{Group: "auth.gatehouse.dev", Version: "v1alpha1"}

	// SchemeBuilder collects this package's registration functions.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the three kinds to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Kinds as they appear in manifests, events and /configz.
const (
	KindAuthServer       = "AuthServer"
	KindIdentityProvider = "IdentityProvider"
	KindTenantJWTPolicy  = "TenantJWTPolicy"
)

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&AuthServer{}, &AuthServerList{},
		&IdentityProvider{}, &IdentityProviderList{},
		&TenantJWTPolicy{}, &TenantJWTPolicyList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
