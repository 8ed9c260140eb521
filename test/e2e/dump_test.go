// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

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
		tellEvents(ctx, &out, ns)
	}
	return out.String()
}

func tell(out *strings.Builder, o client.Object) {
	fmt.Fprintf(out, "%T %s generation %d created %s\n", o, o.GetName(), o.GetGeneration(), o.GetCreationTimestamp().Format("15:04:05"))
	for _, c := range conditionsOf(o) {
		fmt.Fprintf(out, "    %s=%s %s at %s of generation %d: %s\n", c.Type, c.Status, c.Reason, c.LastTransitionTime.Format("15:04:05"), c.ObservedGeneration, c.Message)
	}
}

// tellPods lists pods, those on their way out too, with what they serve and what they last logged.
func tellPods(ctx context.Context, out *strings.Builder, ns string) {
	var list corev1.PodList
	if err := api.List(ctx, &list, client.InNamespace(ns)); err != nil {
		fmt.Fprintf(out, "listing pods: %v\n", err)
	}
	for i := range list.Items {
		p := &list.Items[i]
		restarts := int32(0)
		for j := range p.Status.ContainerStatuses {
			restarts += p.Status.ContainerStatuses[j].RestartCount
		}
		fmt.Fprintf(out, "pod %s/%s %s ready=%t restarts=%d created %s deleted %s\n", ns, p.Name, p.Status.Phase, podReady(p), restarts,
			p.CreationTimestamp.Format("15:04:05"), stamp(p.DeletionTimestamp))
		if p.Labels[v1alpha1.LabelServer] != "" {
			fmt.Fprintf(out, "    serves %s\n", configz(ctx, p))
		}
		tellLog(ctx, out, p, false)
		if restarts > 0 {
			fmt.Fprintln(out, "  before the last restart:")
			tellLog(ctx, out, p, true)
		}
	}
}

// configz is what a pod says of its files and upstreams: the status of an object follows it with a delay, or not.
func configz(ctx context.Context, p *corev1.Pod) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Status.PodIP+":9090/configz", http.NoBody)
	if err != nil {
		return err.Error()
	}
	response, err := browserless().Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

func tellLog(ctx context.Context, out *strings.Builder, p *corev1.Pod, previous bool) {
	lines := int64(60)
	text, err := core.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{TailLines: &lines, Previous: previous}).DoRaw(ctx)
	if err != nil {
		fmt.Fprintf(out, "    no log: %v\n", err)
		return
	}
	fmt.Fprintf(out, "    %s\n", strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n    "))
}

// tellEvents lists the last events: why a pod is not there, or not ready, stands nowhere else.
func tellEvents(ctx context.Context, out *strings.Builder, ns string) {
	const last = 60
	var list corev1.EventList
	if err := api.List(ctx, &list, client.InNamespace(ns)); err != nil {
		fmt.Fprintf(out, "listing events: %v\n", err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Event) int { return happened(&a).Compare(happened(&b)) })
	for i := max(0, len(list.Items)-last); i < len(list.Items); i++ {
		e := &list.Items[i]
		fmt.Fprintf(out, "event %s %s %s %s/%s: %s\n", happened(e).Format("15:04:05"), e.Type, e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
	}
}

// happened is when an event was last seen. Which of its times is set depends on who wrote it.
func happened(e *corev1.Event) time.Time {
	times := []time.Time{e.CreationTimestamp.Time, e.EventTime.Time, e.LastTimestamp.Time}
	if e.Series != nil {
		times = append(times, e.Series.LastObservedTime.Time)
	}
	return slices.MaxFunc(times, time.Time.Compare)
}

func stamp(t *metav1.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format("15:04:05")
}
