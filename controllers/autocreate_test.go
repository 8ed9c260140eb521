// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("The AuthServer that nobody wrote", func() {
	var (
		ns     string
		policy *v1alpha1.TenantJWTPolicy
		server *v1alpha1.AuthServer
	)
	BeforeEach(func(ctx context.Context) {
		ns = newNamespace(ctx)
		policy = urlPolicy(ns, "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		server = authServer(ns, "default")
		Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(server), server) }).Should(Succeed())
		// Its first pass is over.
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
	})
	gone := func(ctx context.Context) func() bool { return func() bool { return notThere(ctx, server) } }
	unreferenced := func(ctx context.Context) {
		GinkgoHelper()
		Expect(admin.Delete(ctx, policy)).To(Succeed())
		Eventually(func() int32 { return fresh(ctx, server)().Status.TenantJWTPolicies }).Should(BeZero())
	}

	It("goes ten minutes after the last reference, not sooner", func(ctx context.Context) {
		unreferenced(ctx)
		clock.advance(9*time.Minute + 30*time.Second)
		Consistently(gone(ctx)).Should(BeFalse())
		clock.advance(time.Minute)
		Eventually(gone(ctx)).Should(BeTrue())
	})

	It("stays when something refers to it again, and the ten minutes begin anew", func(ctx context.Context) {
		unreferenced(ctx)
		clock.advance(9 * time.Minute)
		policy = urlPolicy(ns, "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		Eventually(func() int32 { return fresh(ctx, server)().Status.TenantJWTPolicies }).Should(BeEquivalentTo(1))
		clock.advance(20 * time.Minute)
		Consistently(gone(ctx), "700ms").Should(BeFalse())
		unreferenced(ctx)
		clock.advance(5 * time.Minute)
		Consistently(gone(ctx), "700ms").Should(BeFalse())
	})

	DescribeTable("becomes the user's with the first field that somebody else sets", func(ctx context.Context, set func(context.Context, *v1alpha1.AuthServer) error) {
		Expect(set(ctx, server)).To(Succeed())
		Eventually(func() map[string]string { return fresh(ctx, server)().Annotations }).ShouldNot(HaveKey(v1alpha1.AnnotationAutoCreated))
		Expect(admin.Delete(ctx, policy)).To(Succeed())
		clock.advance(time.Hour)
		Consistently(gone(ctx)).Should(BeFalse())
	},
		Entry("a field of spec", func(ctx context.Context, s *v1alpha1.AuthServer) error {
			return patch(ctx, s, `{"spec":{"externalURL":"https://auth.example.com"}}`)
		}),
		Entry("a field of spec to the value that it has", func(ctx context.Context, _ *v1alpha1.AuthServer) error {
			return apply(ctx, ns, `{"spec":{"replicas":1}}`)
		}),
		Entry("a label", func(ctx context.Context, s *v1alpha1.AuthServer) error {
			return patch(ctx, s, `{"metadata":{"labels":{"team":"a"}}}`)
		}),
		Entry("an annotation", func(ctx context.Context, s *v1alpha1.AuthServer) error {
			return patch(ctx, s, `{"metadata":{"annotations":{"team":"a"}}}`)
		}),
		Entry("the scale", func(ctx context.Context, s *v1alpha1.AuthServer) error {
			return admin.SubResource("scale").Patch(ctx, s, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"replicas":0}}`)))
		}),
	)

	DescribeTable("takes the confirmations of its pods with it when it goes", func(ctx context.Context, replace func(context.Context)) {
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		Expect(admin.Delete(ctx, server)).To(Succeed())
		replace(ctx)
		// What the first one owned is there until the garbage collector, which does not run here, has removed it.
		Eventually(fresh(ctx, policy)).Should(haveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPropagating, ""))
		Expect(policy).To(haveCondition(v1alpha1.ConditionConfigApplied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, ""))
		Expect(conditionOf(policy, v1alpha1.ConditionStalled)).To(BeNil())
	},
		Entry("and is made again by the operator", func(context.Context) {}),
		Entry("and is replaced by a user at once", func(ctx context.Context) {
			_ = admin.Create(ctx, authServer(ns, "default")) // the operator may have been first
		}),
	)

	It("comes back when it is deleted and still named", func(ctx context.Context) {
		uid := server.UID
		Expect(admin.Delete(ctx, server, client.Preconditions{UID: ptr.To(uid)})).To(Succeed())
		Eventually(func() bool {
			return admin.Get(ctx, client.ObjectKeyFromObject(server), server) == nil && server.UID != uid
		}).Should(BeTrue())
	})
})

var _ = Describe("No AuthServer is made", func() {
	It("of another name, or in another namespace", func(ctx context.Context) {
		ns, other := newNamespace(ctx), newNamespace(ctx)
		named := urlPolicy(ns, "named")
		named.Spec.AuthServerRef.Name = "mine"
		foreign := urlPolicy(ns, "foreign")
		foreign.Spec.AuthServerRef.Namespace = other
		for _, p := range []*v1alpha1.TenantJWTPolicy{named, foreign} {
			Expect(admin.Create(ctx, p)).To(Succeed())
			expectRefused(ctx, p, v1alpha1.ConditionAccepted, v1alpha1.ReasonNoMatchingAuthServer, "")
		}
		var list v1alpha1.AuthServerList
		for _, n := range []string{ns, other} {
			Expect(admin.List(ctx, &list, client.InNamespace(n))).To(Succeed())
			Expect(list.Items).To(BeEmpty())
		}
	})

	It("in a namespace that is being deleted, which gets no events either", func(ctx context.Context) {
		ns, other := newNamespace(ctx), newNamespace(ctx)
		server := authServer(other, "default")
		server.Spec.AllowedNamespaces.From = v1alpha1.NamespacesAll
		Expect(admin.Create(ctx, server)).To(Succeed())
		p := urlPolicy(ns, "acme")
		p.Finalizers = []string{"example.com/keep"}
		p.Spec.AuthServerRef.Name = "later"
		Expect(admin.Create(ctx, p)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionAccepted, v1alpha1.ReasonNoMatchingAuthServer, "")
		Expect(admin.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		var events atomic.Int32
		line.refusing(func(req *http.Request) int {
			if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/namespaces/"+ns+"/events") {
				events.Add(1)
			}
			return 0
		})
		DeferCleanup(func() { line.refusing(nil) })
		// Nothing removes the namespace's content here, so it stays terminating.
		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.AuthServerRef.Name = "default" })
		expectRefused(ctx, p, v1alpha1.ConditionAccepted, v1alpha1.ReasonNoMatchingAuthServer, "")
		Consistently(func() bool { return notThere(ctx, authServer(ns, "default")) }, "300ms").Should(BeTrue())
		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.AuthServerRef.Namespace = other })
		expectRefused(ctx, p, v1alpha1.ConditionAccepted, v1alpha1.ReasonNameNotOwned, "")
		Consistently(events.Load, "300ms").Should(BeZero())
	})
})

func patch(ctx context.Context, o client.Object, body string) error {
	return admin.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(body)), client.FieldOwner("somebody"))
}

// apply is kubectl apply --server-side of the default AuthServer.
func apply(ctx context.Context, namespace, body string) error {
	o := authServer(namespace, "default")
	merged := `{"apiVersion":"auth.gatehouse.dev/v1alpha1","kind":"AuthServer","metadata":{"name":"default"},` + body[1:]
	return admin.Patch(ctx, o, client.RawPatch(types.ApplyPatchType, []byte(merged)), client.FieldOwner("somebody"), client.ForceOwnership)
}
