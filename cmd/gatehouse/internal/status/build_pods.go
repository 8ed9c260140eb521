// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// addPods gives each server its pods: all with Options.Pods, else those of servers that have something to explain.
func (b *builder) addPods() {
	for i := range b.objects.Pods {
		p := &b.objects.Pods[i]
		s := b.servers[types.NamespacedName{Namespace: p.Namespace, Name: p.Labels[v1alpha1.LabelServer]}]
		if s == nil || (b.objects.Answers == nil && len(s.Problems) == 0) {
			continue
		}
		out := describePod(p)
		if answer, ok := b.objects.Answers[types.NamespacedName{Namespace: p.Namespace, Name: p.Name}]; ok {
			out.judge(&answer)
		}
		s.Pods = append(s.Pods, out)
	}
	for _, s := range b.servers {
		slices.SortFunc(s.Pods, func(a, b Pod) int { return cmp.Compare(a.Name, b.Name) })
	}
}

func (p *Pod) judge(a *Answer) {
	p.Files = len(a.Files)
	if a.Problem != "" {
		p.Problem = a.Problem
	}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		f := a.Files[name]
		if f.Mounted != f.Serving {
			p.Behind++
		}
		if f.Error != "" && p.Problem == "" {
			p.Problem = fmt.Sprintf("file %s is not served: %s", name, f.Error)
		}
	}
}

// describePod says how a pod is, and if it is not ready why.
func describePod(p *corev1.Pod) Pod {
	out := Pod{Name: p.Name, Phase: string(p.Status.Phase), Started: p.Status.StartTime, Node: p.Spec.NodeName}
	if p.DeletionTimestamp != nil {
		out.Phase = string(StateTerminating)
	}
	for i := range p.Status.ContainerStatuses {
		c := &p.Status.ContainerStatuses[i]
		out.Restarts += c.RestartCount
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			out.Phase, out.Problem = c.State.Waiting.Reason, c.State.Waiting.Message
		case c.State.Terminated != nil && c.State.Terminated.Reason != "":
			out.Phase, out.Problem = c.State.Terminated.Reason, c.State.Terminated.Message
		}
	}
	for _, c := range p.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady:
			out.Ready = c.Status == corev1.ConditionTrue
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && out.Problem == "":
			out.Problem = c.Message
		}
	}
	return out
}
