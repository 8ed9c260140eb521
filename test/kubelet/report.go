// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// report probes the container and writes the pod's status when readiness changed.
func (k *Kubelet) report(ctx context.Context, pod *corev1.Pod, r *running) error {
	ready := r.process.running() && k.probe(ctx, &pod.Spec.Containers[0])
	if ready == r.ready && pod.Status.PodIP == k.PodIP {
		return nil
	}
	if !r.process.running() {
		k.Log.Warn("container ended", "pod", pod.Name, "error", r.process.err)
	}
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	now := metav1.Now()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP, pod.Status.PodIPs = k.PodIP, []corev1.PodIP{{IP: k.PodIP}}
	pod.Status.StartTime = &now
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodReady, Status: status, LastTransitionTime: now},
		{Type: corev1.ContainersReady, Status: status, LastTransitionTime: now},
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: now},
	}
	if err := k.Client.Status().Update(ctx, pod); err != nil {
		return fmt.Errorf("writing the pod's status: %w", err)
	}
	r.ready = ready
	return nil
}

// probe asks the container's readiness endpoint.
func (k *Kubelet) probe(ctx context.Context, c *corev1.Container) bool {
	if c.ReadinessProbe == nil || c.ReadinessProbe.HTTPGet == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	get := c.ReadinessProbe.HTTPGet
	url := fmt.Sprintf("http://%s:%d%s", k.PodIP, portNumber(c, get.Port), get.Path)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK
}

func portNumber(c *corev1.Container, port intstr.IntOrString) int32 {
	if port.Type == intstr.Int {
		return port.IntVal
	}
	for _, p := range c.Ports {
		if p.Name == port.StrVal {
			return p.ContainerPort
		}
	}
	return 0
}
