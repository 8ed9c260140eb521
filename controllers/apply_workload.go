// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// namedAt applies only if the object still has this resourceVersion.
func namedAt(name, version string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, ResourceVersion: version}
}

// serviceAccount has no token: the auth server never talks to the API server.
func serviceAccount(server *v1alpha1.AuthServer) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: named(workloadName(server.Name)), AutomountServiceAccountToken: ptr.To(false)}
}

// deployment rolls without a gap: a new pod is ready before an old one goes. With the store on a volume the old pod goes first: two processes must not
// share SQLite's file, and most volumes are attached to one node only.
func deployment(s static) (*appsv1.Deployment, error) {
	template, err := s.podTemplate()
	if err != nil {
		return nil, err
	}
	return &appsv1.Deployment{
		ObjectMeta: named(workloadName(s.server.Name)),
		Spec: appsv1.DeploymentSpec{
			Replicas:             ptr.To(ptr.Deref(s.server.Spec.Replicas, 1)),
			Selector:             &metav1.LabelSelector{MatchLabels: selectorLabels(s.server.Name)},
			Template:             template,
			Strategy:             s.strategy(),
			RevisionHistoryLimit: ptr.To[int32](3),
		},
	}, nil
}

func (s static) strategy() appsv1.DeploymentStrategy {
	if s.claim() != "" {
		return appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	}
	return appsv1.DeploymentStrategy{
		Type: appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{
			MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
		},
	}
}

// podDisruptionBudget is nil when the user wants none.
func podDisruptionBudget(server *v1alpha1.AuthServer) *policyv1.PodDisruptionBudget {
	spec := &server.Spec.PodDisruptionBudget
	if !ptr.Deref(spec.Enabled, true) {
		return nil
	}
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: named(workloadName(server.Name)),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: ptr.To(intstr.FromInt32(ptr.Deref(spec.MaxUnavailable, 1))),
			Selector:       &metav1.LabelSelector{MatchLabels: selectorLabels(server.Name)},
		},
	}
}
