// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// publicService is what gateways and people reach.
func publicService(server *v1alpha1.AuthServer) *corev1.Service {
	extAuthz := servicePort(portExtAuthz, extAuthzPort)
	extAuthz.AppProtocol = ptr.To("kubernetes.io/h2c") // gRPC without TLS; gateways that look at it (Gateway API, GEP-1911) then speak HTTP/2
	return service(server, workloadName(server.Name), servicePort(portHTTP, httpPort), extAuthz)
}

// opsService reaches the operations port, which is never part of the public one.
func opsService(server *v1alpha1.AuthServer) *corev1.Service {
	return service(server, opsName(server.Name), servicePort(portOps, opsPort))
}

func servicePort(name string, number int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: number, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString(name)}
}

func service(server *v1alpha1.AuthServer, name string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: named(name),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: selectorLabels(server.Name),
			Ports:    ports,
		},
	}
}

// networkPolicy opens the public ports to all and the operations port to the operator and whom the user names. It is nil
// when the user wants none.
func networkPolicy(server *v1alpha1.AuthServer, operatorNamespace string) *networkingv1.NetworkPolicy {
	spec := &server.Spec.NetworkPolicy
	if !ptr.Deref(spec.Enabled, true) {
		return nil
	}
	rules := []networkingv1.NetworkPolicyIngressRule{{Ports: policyPorts(portHTTP, portExtAuthz)}}
	var peers []networkingv1.NetworkPolicyPeer
	if operatorNamespace != "" {
		peers = append(peers, networkingv1.NetworkPolicyPeer{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: operatorNamespace}},
		})
	}
	peers = append(peers, spec.OperationsFrom...)
	if len(peers) > 0 { // a rule without peers would let everybody in
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{Ports: policyPorts(portOps), From: peers})
	}
	return &networkingv1.NetworkPolicy{
		ObjectMeta: named(workloadName(server.Name)),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selectorLabels(server.Name)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     rules,
		},
	}
}

func policyPorts(names ...string) []networkingv1.NetworkPolicyPort {
	var out []networkingv1.NetworkPolicyPort
	for _, name := range names {
		out = append(out, networkingv1.NetworkPolicyPort{Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(intstr.FromString(name))})
	}
	return out
}
