// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Kinds of managed objects.
const (
	kindSecret         = "Secret"
	kindServiceAccount = "ServiceAccount"
	kindService        = "Service"
	kindDeployment     = "Deployment"
	kindPDB            = "PodDisruptionBudget"
	kindNetworkPolicy  = "NetworkPolicy"
)

// managedKinds is the list of kinds that the operator makes, and the type that the cache holds each as. Of Secrets it
// holds metadata only.
var managedKinds = map[string]func() client.Object{
	kindSecret:         func() client.Object { return metadataOf(kindSecret) },
	kindServiceAccount: func() client.Object { return &corev1.ServiceAccount{} },
	kindService:        func() client.Object { return &corev1.Service{} },
	kindDeployment:     func() client.Object { return &appsv1.Deployment{} },
	kindPDB:            func() client.Object { return &policyv1.PodDisruptionBudget{} },
	kindNetworkPolicy:  func() client.Object { return &networkingv1.NetworkPolicy{} },
}

func managedObject(kind string) client.Object { return managedKinds[kind]() }

// Names of managed objects. The AuthServer's own name cannot end in a way that makes two of them meet.
func workloadName(server string) string { return "gatehouse-" + server }
func opsName(server string) string      { return workloadName(server) + "-ops" }
func configName(server string) string   { return workloadName(server) + "-config" }
func keysName(server string) string     { return workloadName(server) + "-keys" }
func tenantsName(server string, count, n int) string {
	return fmt.Sprintf("%s-tenants-%d-%d", workloadName(server), count, n)
}

// selectorLabels find a server's pods. They can never change: a Deployment's selector is immutable.
func selectorLabels(server string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": "gatehouse", v1alpha1.LabelServer: server}
}

// serverLabels are on every managed object.
func serverLabels(server string) map[string]string {
	l := map[string]string{"app.kubernetes.io/managed-by": "gatehouse", "app.kubernetes.io/instance": server, "app.kubernetes.io/component": "auth-server"}
	maps.Copy(l, selectorLabels(server))
	return l
}
