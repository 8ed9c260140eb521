// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var listAll = metav1.ListOptions{}

// deployment of a server.
func deployment(ctx context.Context, server string) *appsv1.Deployment {
	GinkgoHelper()
	d := &appsv1.Deployment{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "gatehouse-" + server}, d)).To(Succeed())
	return d
}

// rolledOut waits until every pod of the Deployment is of its present template.
func rolledOut(ctx context.Context, server string, replicas int) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		d := deployment(ctx, server)
		g.Expect(d.Status.ObservedGeneration).To(Equal(d.Generation))
		g.Expect(d.Status.UpdatedReplicas).To(BeEquivalentTo(replicas))
		g.Expect(d.Status.Replicas).To(BeEquivalentTo(replicas))
		g.Expect(d.Status.AvailableReplicas).To(BeEquivalentTo(replicas))
		var list corev1.PodList
		g.Expect(api.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelServer: server})).To(Succeed())
		g.Expect(list.Items).To(HaveLen(replicas), "old pods are still ending")
		g.Expect(pods(ctx, server)).To(HaveLen(replicas), "a pod that was deleted a moment ago is counted until the Deployment's controller has seen it")
	}).Should(Succeed())
}

var _ = Describe("the server edge under load", Ordered, func() {
	var (
		edge      *v1alpha1.AuthServer
		acme      *v1alpha1.TenantJWTPolicy
		keys      *issuer
		base      string
		good, bad string
	)

	BeforeAll(func(ctx SpecContext) {
		edge, keys = edgeServer(), newIssuer("acme")
		acme = policy("acme", edge.Name, keys, "api")
		create(ctx, edge, acme)
		waitReady(ctx, edge, acme)
		rolledOut(ctx, edge.Name, 3)
		base = service(ctx, edge.Name)
		good, bad = keys.token("bob", "api"), newIssuer("acme").token("bob", "api")
	}, NodeTimeout(patience))

	AfterAll(func(ctx SpecContext) {
		removeServer(ctx, edge, acme)
	}, NodeTimeout(patience))

	// under runs a change while requests are in flight, and for a while after, and counts what went wrong.
	under := func(ctx context.Context, what string, change func()) {
		GinkgoHelper()
		l := startLoad(ctx, base, "acme", good, bad)
		change()
		after := l.soFar() + 200
		Eventually(l.soFar).Should(BeNumerically(">=", after))
		sent, problems := l.stop()
		AddReportEntry(what, ReportEntryVisibilityAlways, map[string]any{"requests": sent, "dropped or wrongly decided": len(problems)})
		Expect(problems).To(BeEmpty())
	}

	It("serves added, changed and deleted policies without a dropped or wrongly decided request", func(ctx SpecContext) {
		before := identity(pods(ctx, edge.Name))
		under(ctx, "policy added, changed and deleted, 5 times", func() {
			for range 5 {
				i := newIssuer("initech")
				p := policy("initech", edge.Name, i, "a")
				create(ctx, p)
				all := pods(ctx, edge.Name)
				enforced(ctx, all, "initech", i.token("ann", "a"), http.StatusOK)
				patch(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"b"} })
				enforced(ctx, all, "initech", i.token("ann", "a"), http.StatusUnauthorized)
				enforced(ctx, all, "initech", i.token("ann", "b"), http.StatusOK)
				Expect(api.Delete(ctx, p)).To(Succeed())
				enforced(ctx, all, "initech", i.token("ann", "b"), http.StatusUnauthorized)
			}
		})
		Expect(identity(pods(ctx, edge.Name))).To(Equal(before), "a pod was replaced or restarted")
	}, SpecTimeout(patience))

	It("rolls out static settings without a dropped or wrongly decided request", func(ctx SpecContext) {
		before := identity(pods(ctx, edge.Name))
		under(ctx, "rollout of 3 replicas", func() {
			patch(ctx, edge, func(a *v1alpha1.AuthServer) {
				a.Spec.PodTemplate = &v1alpha1.PodTemplate{Annotations: map[string]v1alpha1.AnnotationValue{"example.com/rolled": "yes"}}
			})
			Eventually(func() string {
				return deployment(ctx, edge.Name).Spec.Template.Annotations["example.com/rolled"]
			}).Should(Equal("yes"))
			rolledOut(ctx, edge.Name, 3)
		})
		for uid := range identity(pods(ctx, edge.Name)) {
			Expect(before).NotTo(HaveKey(uid), "a pod was not replaced")
		}
		waitReady(ctx, edge)
	}, SpecTimeout(2*patience))

	It("scales down without a dropped or wrongly decided request, and keeps policies' conditions", func(ctx SpecContext) {
		_ = conditions(ctx, acme)
		version := acme.ResourceVersion
		under(ctx, "scale-down from 3 to 1", func() {
			patch(ctx, edge, func(a *v1alpha1.AuthServer) { *a.Spec.Replicas = 1 })
			rolledOut(ctx, edge.Name, 1)
		})
		Eventually(func() string { _ = conditions(ctx, edge); return edge.Status.Applied }).Should(Equal("1/1"))
		_ = conditions(ctx, acme)
		Expect(acme.ResourceVersion).To(Equal(version), "a change of replicas rewrote the policy")
		patch(ctx, edge, func(a *v1alpha1.AuthServer) { *a.Spec.Replicas = 3 })
		rolledOut(ctx, edge.Name, 3)
	}, SpecTimeout(2*patience))

	It("replaces a killed pod, which serves what the others serve", func(ctx SpecContext) {
		victim := pods(ctx, edge.Name)[0]
		Expect(api.Delete(ctx, &victim, client.GracePeriodSeconds(0))).To(Succeed())
		rolledOut(ctx, edge.Name, 3)
		enforced(ctx, pods(ctx, edge.Name), "acme", good, http.StatusOK)
		Eventually(func() string { _ = conditions(ctx, edge); return edge.Status.Applied }).Should(Equal("3/3"))
	}, SpecTimeout(patience))

	It("goes on while the operator is stopped, and follows when it is back", func(ctx SpecContext) {
		var restored *v1alpha1.TenantJWTPolicy
		under(ctx, "operator stopped and started", func() {
			scaleOperator(ctx, 0)
			restored = policy("hooli", edge.Name, keys, "api")
			create(ctx, restored)
			for _, p := range pods(ctx, edge.Name) {
				status, _, err := verify(ctx, browserless(), podURL(&p), "hooli", good)
				Expect(err).NotTo(HaveOccurred())
				Expect(status).To(Equal(http.StatusUnauthorized), "served without an operator")
			}
			scaleOperator(ctx, 1)
			waitReady(ctx, restored)
		})
		enforced(ctx, pods(ctx, edge.Name), "hooli", good, http.StatusOK)
		Expect(api.Delete(ctx, restored)).To(Succeed())
		enforced(ctx, pods(ctx, edge.Name), "hooli", good, http.StatusUnauthorized)
	}, SpecTimeout(2*patience))

	It("puts drift right", func(ctx SpecContext) {
		d := deployment(ctx, edge.Name)
		patch(ctx, d, func(d *appsv1.Deployment) { d.Spec.Template.Spec.ServiceAccountName = "default" })
		Eventually(func() string { return deployment(ctx, edge.Name).Spec.Template.Spec.ServiceAccountName }).Should(Equal("gatehouse-edge"))
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "gatehouse-edge", Namespace: namespace}}
		Expect(api.Delete(ctx, s)).To(Succeed())
		Eventually(func() error { return api.Get(ctx, client.ObjectKeyFromObject(s), s) }).Should(Succeed())
		rolledOut(ctx, edge.Name, 3)
	}, SpecTimeout(2*patience))

	It("is fenced: the operator's account can annotate its pods and nothing else", func(ctx SpecContext) {
		operator := operatorClient(ctx)
		p := pods(ctx, edge.Name)[0]
		change := func(f func(*corev1.Pod)) error {
			changed := p.DeepCopy()
			f(changed)
			return operator.Patch(ctx, changed, client.MergeFrom(&p))
		}
		Expect(change(func(p *corev1.Pod) { p.Annotations[v1alpha1.AnnotationConfigHash] = "anything" })).To(Succeed())
		p = pods(ctx, edge.Name)[0]
		for what, f := range map[string]func(*corev1.Pod){
			"image":      func(p *corev1.Pod) { p.Spec.Containers[0].Image = "localhost/other:dev" },
			"label":      func(p *corev1.Pod) { p.Labels["x"] = "y" },
			"annotation": func(p *corev1.Pod) { p.Annotations["x"] = "y" },
		} {
			Expect(change(f)).To(MatchError(ContainSubstring("ValidatingAdmissionPolicy")), what)
		}
	})
})
