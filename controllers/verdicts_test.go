// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// What render decides is tested there, case by case; here, that each verdict reaches the object that a user looks at.
var _ = Describe("Verdicts", func() {
	const (
		accepted = v1alpha1.ConditionAccepted
		resolved = v1alpha1.ConditionResolvedRefs
	)
	var ns string
	BeforeEach(func(ctx context.Context) {
		ns = newNamespace(ctx)
		Expect(admin.Create(ctx, secret(ns, "good", "secret", hmacKey))).To(Succeed())
	})

	// refused creates an object and waits for its condition, for Ready and Stalled that follow, and for silence about pods.
	refused := func(ctx context.Context, o client.Object, kind, reason, message string) {
		GinkgoHelper()
		Expect(admin.Create(ctx, o)).To(Succeed())
		expectRefused(ctx, o, kind, reason, message)
	}

	It("tells what is wrong with Secrets, and recovers when that is mended", func(ctx context.Context) {
		policy := hmacPolicy(ns, "late", "late")
		refused(ctx, policy, resolved, v1alpha1.ReasonRefNotFound, "does not exist: create it, or correct the name")

		By("a Secret of a type that may not be used")
		token := secret(ns, "late", "secret", hmacKey)
		token.Type = "example.com/registry-login"
		Expect(admin.Create(ctx, token)).To(Succeed())
		expectRefused(ctx, policy, resolved, v1alpha1.ReasonRefNotPermitted, "is of type example.com/registry-login, which may not be used")
		Expect(admin.Delete(ctx, token)).To(Succeed())

		By("a Secret without the key")
		s := secret(ns, "late", "other", "x")
		Expect(admin.Create(ctx, s)).To(Succeed())
		expectRefused(ctx, policy, resolved, v1alpha1.ReasonRefNotFound, `has no key "secret": it has other`)

		By("a value that is no key of this type")
		update(ctx, s, func(s *corev1.Secret) { s.StringData = map[string]string{"secret": "short"} })
		expectRefused(ctx, policy, resolved, v1alpha1.ReasonRefInvalid, "spec.issuers[0].keys[0]")

		By("what was asked for")
		update(ctx, s, func(s *corev1.Secret) { s.StringData = map[string]string{"secret": hmacKey} })
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		Expect(policy.Status.References).To(ConsistOf(v1alpha1.ResolvedReference{Kind: "Secret", Name: "late", ResourceVersion: fresh(ctx, s)().ResourceVersion}))
		Expect(conditionOf(policy, v1alpha1.ConditionStalled)).To(BeNil())

		By("and again when it goes")
		Expect(admin.Delete(ctx, s)).To(Succeed())
		expectRefused(ctx, policy, resolved, v1alpha1.ReasonRefNotFound, "does not exist")
	})

	It("does not read the operator's own Secrets for users", func(ctx context.Context) {
		Expect(admin.Create(ctx, hmacPolicy(ns, "first", "good"))).To(Succeed())
		keys := managed(defaultServer(ns))[2]
		Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(keys), keys) }).Should(Succeed())
		thief := hmacPolicy(ns, "thief", "gatehouse-default-keys")
		thief.Spec.Issuers[0].Keys[0].SecretRef.Key = "keys.json"
		refused(ctx, thief, resolved, v1alpha1.ReasonRefNotPermitted, "belongs to Gatehouse itself")
	})

	It("keeps one tenant to one policy", func(ctx context.Context) {
		first := hmacPolicy(ns, "acme", "good")
		Expect(admin.Create(ctx, first)).To(Succeed())
		Eventually(fresh(ctx, first)).Should(haveCondition(accepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
		second := hmacPolicy(ns, "second", "good")
		second.Spec.TenantID = "acme"
		refused(ctx, second, accepted, v1alpha1.ReasonTenantConflict, "already belongs to")
		Expect(fresh(ctx, first)()).To(haveCondition(accepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
		Expect(admin.Delete(ctx, first)).To(Succeed())
		Eventually(fresh(ctx, second)).Should(haveCondition(accepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
	})

	It("keeps one Password provider to one server, and none where nobody can log in", func(ctx context.Context) {
		Expect(admin.Create(ctx, secret(ns, "users", "users.yaml", "[]"))).To(Succeed())
		first := passwordProvider(ns, "staff", "users")
		Expect(admin.Create(ctx, first)).To(Succeed())
		Eventually(fresh(ctx, first)).Should(haveCondition(accepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
		second := passwordProvider(ns, "students", "users")
		refused(ctx, second, accepted, v1alpha1.ReasonPasswordProviderConflict, "")

		verifier := authServer(ns, "verifier")
		verifier.Spec.Store.Type = v1alpha1.StoreNone
		Expect(admin.Create(ctx, verifier)).To(Succeed())
		third := passwordProvider(ns, "third", "users")
		third.Spec.AuthServerRef.Name = "verifier"
		refused(ctx, third, accepted, v1alpha1.ReasonStoreRequired, "")
	})

	It("keeps the server's own issuer to the server", func(ctx context.Context) {
		server := authServer(ns, "default")
		server.Spec.ExternalURL = "https://auth.example.com"
		Expect(admin.Create(ctx, server)).To(Succeed())
		p := hmacPolicy(ns, "acme", "good")
		p.Spec.Issuers[0].Issuer = "https://auth.example.com"
		refused(ctx, p, accepted, v1alpha1.ReasonIssuerReserved, "")
	})

	It("serves a disabled provider not at all, and says so", func(ctx context.Context) {
		Expect(admin.Create(ctx, secret(ns, "users", "users.yaml", "[]"))).To(Succeed())
		p := passwordProvider(ns, "staff", "users")
		Expect(admin.Create(ctx, p)).To(Succeed())
		pod := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, p)).Should(beReady())
		pod.hold(true)
		update(ctx, p, func(p *v1alpha1.IdentityProvider) { p.Spec.Enabled = ptr.To(false) })
		Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPropagating, "have not confirmed"))
		pod.hold(false)
		Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDisabled, ""))
		Expect(p).To(haveCondition(accepted, metav1.ConditionTrue, v1alpha1.ReasonDisabled, ""))
	})

	It("lets other namespaces attach only where they may, with their own names, and tells nobody what exists", func(ctx context.Context) {
		other := newNamespace(ctx, "tier", "gold")
		Expect(admin.Create(ctx, secret(other, "good", "secret", hmacKey))).To(Succeed())
		server := authServer(ns, "shared")
		Expect(admin.Create(ctx, server)).To(Succeed())
		attach := func(name, tenant, to string) *v1alpha1.TenantJWTPolicy {
			p := hmacPolicy(other, name, "good")
			p.Spec.TenantID = tenant
			p.Spec.AuthServerRef = v1alpha1.AuthServerReference{Name: to, Namespace: ns}
			return p
		}
		mine := attach("mine", other+".shop", "shared")
		refused(ctx, mine, accepted, v1alpha1.ReasonNoMatchingAuthServer, "there is no AuthServer "+ns+"/shared that allows namespace "+other)
		nowhere := attach("nowhere", other+".nowhere", "absent")
		refused(ctx, nowhere, accepted, v1alpha1.ReasonNoMatchingAuthServer, "there is no AuthServer "+ns+"/absent that allows namespace "+other)

		update(ctx, server, func(s *v1alpha1.AuthServer) {
			s.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{
				From: v1alpha1.NamespacesSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}},
			}
		})
		Eventually(fresh(ctx, mine)).Should(haveCondition(accepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
		refused(ctx, attach("greedy", "acme", "shared"), accepted, v1alpha1.ReasonNameNotOwned, "")

		By("a label that goes")
		space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: other}}
		update(ctx, space, func(n *corev1.Namespace) { delete(n.Labels, "tier") })
		expectRefused(ctx, mine, accepted, v1alpha1.ReasonNoMatchingAuthServer, "")
	})

	It("follows an object that moves from one server to another", func(ctx context.Context) {
		for _, name := range []string{"one", "two"} {
			Expect(admin.Create(ctx, authServer(ns, name))).To(Succeed())
		}
		p := hmacPolicy(ns, "acme", "good")
		p.Spec.AuthServerRef.Name = "one"
		Expect(admin.Create(ctx, p)).To(Succeed())
		count := func(name string) func() int32 {
			return func() int32 { return fresh(ctx, authServer(ns, name))().Status.TenantJWTPolicies }
		}
		Eventually(count("one")).Should(BeEquivalentTo(1))
		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.AuthServerRef.Name = "two" })
		Eventually(count("one")).Should(BeEquivalentTo(0))
		Eventually(count("two")).Should(BeEquivalentTo(1))
	})

	It("stops serving what was deleted, also while a finalizer keeps it", func(ctx context.Context) {
		Expect(admin.Create(ctx, hmacPolicy(ns, "stays", "good"))).To(Succeed())
		p := hmacPolicy(ns, "acme", "good")
		p.Finalizers = []string{"example.com/keep"}
		Expect(admin.Create(ctx, p)).To(Succeed())
		served := func() int32 { return fresh(ctx, authServer(ns, "default"))().Status.TenantJWTPolicies }
		Eventually(served).Should(BeEquivalentTo(2))
		Expect(admin.Delete(ctx, p)).To(Succeed())
		Eventually(served).Should(BeEquivalentTo(1))
		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Finalizers = nil })
	})

	It("keeps the last good settings of an AuthServer that turns invalid, and goes on with its objects", func(ctx context.Context) {
		server := authServer(ns, "default")
		Expect(admin.Create(ctx, server)).To(Succeed())
		p := hmacPolicy(ns, "acme", "good")
		Expect(admin.Create(ctx, p)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, p)).Should(beReady())
		update(ctx, server, func(s *v1alpha1.AuthServer) {
			s.Spec.Outbound = &v1alpha1.Outbound{CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "absent"}}
		})
		Eventually(fresh(ctx, server)).Should(haveCondition(resolved, metav1.ConditionFalse, v1alpha1.ReasonRefNotFound, "spec.outbound.caBundleRef"))
		expectRefused(ctx, server, resolved, v1alpha1.ReasonRefNotFound, "spec.outbound.caBundleRef")
		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"new"} })
		Eventually(fresh(ctx, p)).Should(beReady())
		settled(ctx, ns)
		Consistently(func() []string { return line.in(ns) }, "700ms").Should(BeEmpty(), "a look at the pods writes")
		Expect(admin.Delete(ctx, p)).To(Succeed())
		Eventually(func() int32 { return fresh(ctx, server)().Status.TenantJWTPolicies }).Should(BeEquivalentTo(0))
	})
})

// expectRefused waits for a False condition of an object, and for what follows from it.
func expectRefused(ctx context.Context, o client.Object, kind, reason, message string) {
	GinkgoHelper()
	Eventually(fresh(ctx, o)).Should(haveCondition(kind, metav1.ConditionFalse, reason, message))
	Expect(o).To(haveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message))
	Expect(o).To(haveCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message))
	Expect(conditionOf(o, v1alpha1.ConditionConfigApplied)).To(BeNil())
}
