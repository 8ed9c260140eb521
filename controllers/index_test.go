// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// TestEveryReferenceIsWatched guards a rotated Secret from going unnoticed: whatever field of a spec can name a Secret or ConfigMap, its events lead
// to the object.
func TestEveryReferenceIsWatched(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "n"}
	server, provider, policy := &v1alpha1.AuthServer{ObjectMeta: meta}, &v1alpha1.IdentityProvider{ObjectMeta: meta}, &v1alpha1.TenantJWTPolicy{ObjectMeta: meta}
	for _, c := range []struct {
		object client.Object
		spec   any
		least  int
	}{{server, &server.Spec, 3}, {provider, &provider.Spec, 7}, {policy, &policy.Spec, 3}} {
		names := nameReferences(reflect.ValueOf(c.spec).Elem(), nil)
		if len(names) < c.least {
			t.Errorf("%T: %d references were found, there are at least %d", c.object, len(names), c.least)
		}
		var watched []string
		for _, ref := range referencesOf(c.object) {
			watched = append(watched, ref.Name)
		}
		for _, name := range names {
			if !slices.Contains(watched, name) {
				t.Errorf("%T: the reference %s is not watched", c.object, name)
			}
		}
	}
}

// nameReferences fills every pointer and list of a spec with one element, gives each reference in it a name of its own and returns the names.
func nameReferences(v reflect.Value, names []string) []string {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return nameReferences(v.Elem(), names)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return names
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return nameReferences(v.Index(0), names)
	case reflect.Struct:
	default:
		return names
	}
	name := fmt.Sprint("ref-", len(names))
	switch ref := v.Addr().Interface().(type) {
	case *v1alpha1.SecretKeyReference:
		ref.Name = name
		return append(names, name)
	case *v1alpha1.CABundleReference:
		ref.Kind, ref.Name = v1alpha1.BundleSecret, name
		return append(names, name)
	case *v1alpha1.ConfigMapKeyReference:
		ref.Name = name
		return append(names, name)
	}
	if v.Type().PkgPath() != reflect.TypeFor[v1alpha1.Issuer]().PkgPath() {
		return names // types of Kubernetes, which name nothing of ours and may hold themselves
	}
	for i := range v.NumField() {
		if v.Field(i).CanSet() {
			names = nameReferences(v.Field(i), names)
		}
	}
	return names
}
