// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// A spec that fails tells what the cluster looked like: the run that shows a rare failure may be the only one.
var _ = JustAfterEach(func(ctx SpecContext) {
	if !CurrentSpecReport().Failed() {
		return
	}
	AddReportEntry("the cluster when it failed", state(ctx), ReportEntryVisibilityFailureOrVerbose)
})

func state(ctx context.Context) string {
	var out strings.Builder
	var servers v1alpha1.AuthServerList
	var providers v1alpha1.IdentityProviderList
	var policies v1alpha1.TenantJWTPolicyList
	for _, list := range []client.ObjectList{&servers, &providers, &policies} {
		if err := api.List(ctx, list, client.InNamespace(namespace)); err != nil {
			fmt.Fprintf(&out, "listing %T: %v\n", list, err)
		}
	}
	for i := range servers.Items {
		tell(&out, &servers.Items[i])
	}
	for i := range providers.Items {
		tell(&out, &providers.Items[i])
	}
	for i := range policies.Items {
		tell(&out, &policies.Items[i])
	}
	for _, ns := range []string{namespace, operatorNamespace} {
		tellPods(ctx, &out, ns)
	}
	return out.String()
}

func tell(out *strings.Builder, o client.Object) {
	fmt.Fprintf(out, "%T %s generation %d created %s\n", o, o.GetName(), o.GetGeneration(), o.GetCreationTimestamp().Format("15:04:05"))
	for _, c := range conditionsOf(o) {
		fmt.Fprintf(out, "    %s=%s %s at %s of generation %d: %s\n", c.Type, c.Status, c.Reason, c.LastTransitionTime.Format("15:04:05"), c.ObservedGeneration, c.Message)
	}
}

// tellPods lists pods, those on their way out too, and what they last logged.
func tellPods(ctx context.Context, out *strings.Builder, ns string) {
	var list corev1.PodList
	if err := api.List(ctx, &list, client.InNamespace(ns)); err != nil {
		fmt.Fprintf(out, "listing pods: %v\n", err)
	}
	lines := int64(40)
	for i := range list.Items {
		p := &list.Items[i]
		restarts := int32(0)
		for j := range p.Status.ContainerStatuses {
			restarts += p.Status.ContainerStatuses[j].RestartCount
		}
		fmt.Fprintf(out, "pod %s/%s %s ready=%t restarts=%d created %s deleted %s\n", ns, p.Name, p.Status.Phase, podReady(p), restarts,
			p.CreationTimestamp.Format("15:04:05"), stamp(p.DeletionTimestamp))
		text, err := core.CoreV1().Pods(ns).GetLogs(p.Name, &corev1.PodLogOptions{TailLines: &lines}).DoRaw(ctx)
		if err != nil {
			fmt.Fprintf(out, "    no log: %v\n", err)
			continue
		}
		fmt.Fprintf(out, "    %s\n", strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n    "))
	}
}

func stamp(t *metav1.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format("15:04:05")
}
