// SPDX-License-Identifier: Apache-2.0

package status

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// now is when the tests look.
var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

const day = 24 * time.Hour

// condition is one of generation 1 that has been so for a day.
func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: 1, LastTransitionTime: ago(day)}
}

// good are the conditions of an object that every replica serves.
func good(more ...metav1.Condition) []metav1.Condition {
	return append([]metav1.Condition{
		condition("Accepted", "True", "Accepted", "the spec is valid"),
		condition("ResolvedRefs", "True", "ResolvedRefs", "every Secret and ConfigMap that the spec names is there and usable"),
		condition("ConfigApplied", "True", "Applied", "every ready pod has confirmed it"),
		condition("Ready", "True", "Ready", "every ready replica serves it"),
	}, more...)
}

// undelivered are those of an object that is valid and has not come to the pods.
func undelivered(reason, message string) []metav1.Condition {
	return []metav1.Condition{
		condition("Accepted", "True", "Accepted", "the spec is valid"),
		condition("ResolvedRefs", "True", "ResolvedRefs", "every Secret and ConfigMap that the spec names is there and usable"),
		condition("ConfigApplied", "False", reason, message),
		condition("Ready", "False", reason, message),
	}
}

// refused are those of an object whose spec or references are refused: by the condition kind.
func refused(kind, reason, message string) []metav1.Condition {
	c := []metav1.Condition{condition("Ready", "False", reason, message), condition("Stalled", "True", reason, message)}
	if kind == v1alpha1.ConditionResolvedRefs {
		c = append(c, condition("Accepted", "True", "Accepted", "the spec is valid"))
	}
	return append(c, condition(kind, "False", reason, message))
}

func about(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 1, CreationTimestamp: ago(2 * day)}
}

// server is an AuthServer that two replicas serve.
func server(name string, change ...func(*v1alpha1.AuthServer)) *v1alpha1.AuthServer {
	two := int32(2)
	s := &v1alpha1.AuthServer{ObjectMeta: about("default", name)}
	s.Spec.Replicas, s.Spec.Store.Type = &two, v1alpha1.StorePostgreSQL
	retire := ago(-20 * time.Minute)
	s.Status = v1alpha1.AuthServerStatus{
		ObservedGeneration: 1, Conditions: good(condition("StorePersistent", "True", "Persistent", "users and logins are in PostgreSQL")),
		URL: "https://auth.example.com", ConfigHash: "3f9a2c1b00000000", Replicas: 2, AppliedReplicas: 2, Applied: "2/2",
		IdentityProviders: 2, TenantJWTPolicies: 2,
		SigningKeys: []v1alpha1.SigningKeyStatus{
			{KeyID: "oldoldoldold", Algorithm: "ES256", ActiveFrom: ago(31 * day), RetireAfter: &retire},
			{KeyID: "RAQXaWbhnewer", Algorithm: "ES256", ActiveFrom: ago(5 * time.Minute)},
		},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func provider(namespace, name string, kind v1alpha1.ProviderType, conditions []metav1.Condition) *v1alpha1.IdentityProvider {
	p := &v1alpha1.IdentityProvider{ObjectMeta: about(namespace, name)}
	p.Spec.Type = kind
	p.Spec.AuthServerRef = v1alpha1.AuthServerReference{Name: "default", Namespace: "default"}
	p.Status = v1alpha1.ObjectStatus{ObservedGeneration: 1, Conditions: conditions}
	return p
}

func policy(namespace, name string, conditions []metav1.Condition) *v1alpha1.TenantJWTPolicy {
	p := &v1alpha1.TenantJWTPolicy{ObjectMeta: about(namespace, name)}
	p.Spec.TenantID = name
	p.Spec.AuthServerRef = v1alpha1.AuthServerReference{Name: "default", Namespace: "default"}
	p.Status = v1alpha1.ObjectStatus{ObservedGeneration: 1, Conditions: conditions}
	return p
}

// golden compares a text with testdata/NAME.golden; with UPDATE_GOLDEN it writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with UPDATE_GOLDEN=1", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); after looking at it, write it with UPDATE_GOLDEN=1:\n%s", path, diff)
	}
}
