// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestRuns guards whose word counts for a server: that of its Deployment's pods, not of any pod with the label.
func TestRuns(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   bool
	}{
		"a pod of the Deployment":     {func(*corev1.Pod) {}, true},
		"also with other owners":      {func(p *corev1.Pod) { p.OwnerReferences = append(p.OwnerReferences, metav1.OwnerReference{Kind: "X"}) }, true},
		"made by hand":                {func(p *corev1.Pod) { p.OwnerReferences = nil }, false},
		"an owner that is no control": {func(p *corev1.Pod) { p.OwnerReferences[0].Controller = nil }, false},
		"of a Deployment alone": {func(p *corev1.Pod) {
			p.OwnerReferences[0].Kind, p.OwnerReferences[0].Name = "Deployment", "gatehouse-a"
		}, false},
		"of another group's ReplicaSet": {func(p *corev1.Pod) { p.OwnerReferences[0].APIVersion = "example.com/v1" }, false},
		"of another ReplicaSet":         {func(p *corev1.Pod) { p.OwnerReferences[0].Name = "shop-5d8f7c9b4" }, false},
		"of server a-b's":               {func(p *corev1.Pod) { p.OwnerReferences[0].Name = "gatehouse-a-b-5d8f7c9b4" }, false},
		"of another template":           {func(p *corev1.Pod) { p.Labels["pod-template-hash"] = "x" }, false},
		"without a template":            {func(p *corev1.Pod) { delete(p.Labels, "pod-template-hash"); p.OwnerReferences[0].Name = "gatehouse-a-" }, false},
		"with another account":          {func(p *corev1.Pod) { p.Spec.ServiceAccountName = "default" }, false},
	} {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Labels:          map[string]string{"pod-template-hash": "5d8f7c9b4"},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "gatehouse-a-5d8f7c9b4", Controller: ptr.To(true)}},
			},
			Spec: corev1.PodSpec{ServiceAccountName: "gatehouse-a"},
		}
		test.change(p)
		if got := runs(p, "a"); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
