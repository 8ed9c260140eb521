// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// every is how often each pod is asked.
const every = 20 * time.Millisecond

// enforced asks every pod until each gives the wanted verdict, and returns when the last one did for the first time.
func enforced(ctx context.Context, pods []corev1.Pod, tenant, token string, want int) time.Time {
	GinkgoHelper()
	times := make([]time.Time, len(pods))
	var group sync.WaitGroup
	for i := range pods {
		group.Go(func() {
			c := &http.Client{Timeout: 5 * time.Second}
			defer c.CloseIdleConnections()
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				if status, _, err := verify(ctx, c, podURL(&pods[i]), tenant, token); err == nil && status == want {
					times[i] = time.Now()
					return
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	group.Wait()
	for i := range times {
		Expect(times[i].IsZero()).To(BeFalse(), "pod %s never changed its verdict", pods[i].Name)
	}
	return slices.MaxFunc(times, time.Time.Compare)
}

// watchPolicy must be called before the change that readyCheck waits for.
func watchPolicy(ctx context.Context, name string) watch.Interface {
	GinkgoHelper()
	w, err := api.Watch(ctx, &v1alpha1.TenantJWTPolicyList{}, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})
	Expect(err).NotTo(HaveOccurred())
	return w
}

// readyCheck asks every pod the moment the policy turns Ready for a generation after the given one, and returns
// how many pods did not yet give the wanted verdict.
func readyCheck(ctx context.Context, w watch.Interface, p *v1alpha1.TenantJWTPolicy, after int64, pods []corev1.Pod, token string, want int) int {
	GinkgoHelper()
	defer w.Stop()
	for event := range w.ResultChan() {
		seen, ok := event.Object.(*v1alpha1.TenantJWTPolicy)
		if !ok || seen.Generation <= after || !ready(seen) {
			continue
		}
		early := 0
		for i := range pods {
			status, _, err := verify(ctx, browserless(), podURL(&pods[i]), p.Spec.TenantID, token)
			if err != nil || status != want {
				early++
			}
		}
		return early
	}
	Fail("the watch ended before " + p.Name + " was Ready")
	return 0
}

// quantile of sorted durations by the nearest rank: the smallest that at least the share q of them, 0 to 1, does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

var _ = Describe("propagation", Ordered, func() {
	const changes = 40
	var (
		edge  *v1alpha1.AuthServer
		acme  *v1alpha1.TenantJWTPolicy
		keys  *issuer
		alive []corev1.Pod
	)

	BeforeAll(func(ctx SpecContext) {
		edge, keys = edgeServer(), newIssuer("acme")
		acme = policy("acme", edge.Name, keys, "a")
		create(ctx, edge, acme)
		waitReady(ctx, edge, acme)
		rolledOut(ctx, edge.Name, 3) // Ready means every ready pod, and the first may be alone for a moment
		alive = pods(ctx, edge.Name)
	}, NodeTimeout(patience))

	AfterAll(func(ctx SpecContext) {
		removeServer(ctx, edge, acme)
	}, NodeTimeout(patience))

	It("enforces a change on every replica within 2 s at p95, never Ready before it, with no restart", func(ctx SpecContext) {
		before := identity(alive)
		var took []time.Duration
		early := 0
		for n := range changes {
			// Each change takes one audience away and gives another: the token for the new one was refused before.
			audience := []string{"b", "a"}[n%2]
			token := keys.token("bob", audience)
			checked, w, generation := make(chan int, 1), watchPolicy(ctx, acme.Name), acme.Generation
			go func() {
				defer GinkgoRecover()
				defer close(checked)
				checked <- readyCheck(ctx, w, acme, generation, alive, token, http.StatusOK)
			}()
			patched := acme.DeepCopy()
			patched.Spec.Audiences = []string{audience}
			Expect(api.Patch(ctx, patched, client.MergeFrom(acme))).To(Succeed())
			applied := time.Now()
			took = append(took, enforced(ctx, alive, "acme", token, http.StatusOK).Sub(applied))
			early += <-checked
			acme = patched
		}
		slices.Sort(took)
		GinkgoWriter.Printf("propagation over %d changes, 3 replicas: p50 %v, p95 %v, max %v; Ready too early: %d\n",
			changes, quantile(took, 0.5), quantile(took, 0.95), took[len(took)-1], early)
		AddReportEntry("propagation", ReportEntryVisibilityAlways, map[string]any{
			"changes": changes, "p50": quantile(took, 0.5).String(), "p95": quantile(took, 0.95).String(), "max": took[len(took)-1].String(), "readyTooEarly": early,
		})
		Expect(early).To(BeZero(), "pods that served the old policy when the object was Ready")
		Expect(quantile(took, 0.95)).To(BeNumerically("<=", 2*time.Second))
		Expect(identity(pods(ctx, edge.Name))).To(Equal(before), "a pod was replaced or restarted")
	}, SpecTimeout(8*time.Minute))
})
