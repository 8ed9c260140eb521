// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

func eventsOf(ctx context.Context, o client.Object) []eventsv1.Event {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(admin.List(ctx, &list, client.InNamespace(o.GetNamespace()))).To(Succeed())
	var out []eventsv1.Event
	for _, e := range list.Items {
		if e.Regarding.Name == o.GetName() {
			out = append(out, e)
		}
	}
	return out
}

var _ = Describe("The Secret of a JWTBearer provider", func() {
	var (
		ns       string
		endpoint *tokenServer
		api      *v1alpha1.IdentityProvider
	)
	BeforeEach(func(ctx context.Context) {
		ns, endpoint = newNamespace(ctx), startTokens(time.Hour)
		removeProviders(ns)
		Expect(admin.Create(ctx, localServer(ns))).To(Succeed())
		Expect(admin.Create(ctx, secret(ns, "api", "secret", hmacKey))).To(Succeed())
		api = bearerProvider(ns, "api", endpoint.URL)
	})

	It("holds what workloads need, is owned by the provider and says what it was made of", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		token := issued(ctx, api)
		Expect(endpoint.tokens()).To(Equal([]string{token}))
		s := output(ctx, api)
		Expect(s.Type).To(Equal(corev1.SecretTypeOpaque))
		until, err := time.Parse(time.RFC3339, string(s.Data["expires_at"]))
		Expect(err).NotTo(HaveOccurred())
		Expect(until.Sub(clock.Now())).To(BeNumerically("~", time.Hour, 10*time.Minute))
		Expect(s.Data).To(Equal(map[string][]byte{
			"token": []byte(token), "token_type": []byte("Bearer"), "authorization": []byte("Bearer " + token), "expires_at": []byte(until.UTC().Format(time.RFC3339)),
		}))
		Expect(s.OwnerReferences).To(ConsistOf(metav1.OwnerReference{
			APIVersion: "auth.gatehouse.dev/v1alpha1", Kind: "IdentityProvider", Name: "api", UID: api.UID, Controller: ptr.To(true),
		}))
		Expect(s.Labels).To(Equal(map[string]string{"app.kubernetes.io/managed-by": "gatehouse", "app.kubernetes.io/component": "credential"}))
		Expect(s.Annotations).To(And(HaveLen(4), HaveKeyWithValue(v1alpha1.AnnotationExpiresAt, string(s.Data["expires_at"]))))
		renew, err := time.Parse(time.RFC3339, s.Annotations[v1alpha1.AnnotationRenewAt])
		Expect(err).NotTo(HaveOccurred())
		Expect(until.Sub(renew)).To(And(BeNumerically(">=", 6*time.Minute-time.Second), BeNumerically("<=", 12*time.Minute+time.Second)), "between 80 and 90 % of its life")
		Expect(conditionOf(api, v1alpha1.ConditionCredentialReady).Message).To(ContainSubstring("until " + until.UTC().Format(time.RFC3339)))

		Eventually(func() []eventsv1.Event { return eventsOf(ctx, api) }).Should(ContainElement(And(HaveField("Reason", "Issued"), HaveField("Type", "Normal"))))
		Expect(leaks(ctx, endpoint, api)).To(BeEmpty())

		By("refusing it to whoever names it as a key of their own")
		taker := bearerProvider(ns, "taker", endpoint.URL)
		taker.Spec.JWTBearer.KeySecretRef = v1alpha1.SecretKeyReference{Name: "api-token", Key: "token"}
		Expect(admin.Create(ctx, taker)).To(Succeed())
		Eventually(fresh(ctx, taker)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRefNotPermitted, "belongs to Gatehouse itself"))
	})

	It("comes with the first objects of a namespace, whose AuthServer is still to be made", func(ctx context.Context) {
		ns := newNamespace(ctx)
		removeProviders(ns)
		bare := bearerProvider(ns, "bare", "")
		bare.Spec.JWTBearer.Subject, bare.Spec.JWTBearer.Lifetime = "", "2h"
		Expect(admin.Create(ctx, secret(ns, "bare", "secret", hmacKey))).To(Succeed())
		Expect(admin.Create(ctx, bare)).To(Succeed())
		Expect(issued(ctx, bare)).To(HavePrefix("eyJ"), "the JWT itself is the token")
		Expect(eventsOf(ctx, bare)).NotTo(ContainElement(HaveField("Type", "Warning")))
	})

	It("is settled: neither of the two that write the status writes again", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		issued(ctx, api)
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
		settled(ctx, ns)
		version := fresh(ctx, api)().ResourceVersion
		Consistently(func() string { return fresh(ctx, api)().ResourceVersion }).Should(Equal(version))
		Expect(endpoint.count()).To(Equal(1))

		By("keeping each other's conditions, whoever is first")
		pod := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, api)).Should(beReady())
		for range 5 {
			update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.Subject += "s" })
			Eventually(fresh(ctx, api)).Should(And(beReady(), haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionTrue, v1alpha1.ReasonIssued, "")))
			Expect(api).To(haveCondition(v1alpha1.ConditionConfigApplied, metav1.ConditionTrue, v1alpha1.ReasonApplied, ""))
		}
		pod.remove(ctx)
	})

	It("is renewed ahead, and at once when the key or the provider changes", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		before := issued(ctx, api)
		annotation := func(name string) time.Time {
			GinkgoHelper()
			at, err := time.Parse(time.RFC3339, output(ctx, api).Annotations[name])
			Expect(err).NotTo(HaveOccurred())
			return at
		}
		renew, ends := annotation(v1alpha1.AnnotationRenewAt), annotation(v1alpha1.AnnotationExpiresAt)
		ahead(renew.Sub(clock.Now()) - 2*time.Minute)
		Consistently(endpoint.count, "500ms").Should(Equal(1), "it is not due yet")
		ahead(2*time.Minute + time.Second)
		Eventually(tokenIn(ctx, api)).ShouldNot(Equal(before))
		Expect(annotation(v1alpha1.AnnotationIssuedAt)).To(BeTemporally("<", ends), "asked for before the one of before had ended")
		Expect(annotation(v1alpha1.AnnotationExpiresAt)).To(BeTemporally(">", ends))

		before = issued(ctx, api)
		key := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "api"}}
		update(ctx, key, func(s *corev1.Secret) { s.Data["secret"] = []byte("another" + hmacKey) })
		Eventually(tokenIn(ctx, api)).ShouldNot(Equal(before))
		before = issued(ctx, api)
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.Subject = "somebody else" })
		Eventually(tokenIn(ctx, api)).ShouldNot(Equal(before))
		before = issued(ctx, api)
		asked := endpoint.count()
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.AllowedCallers = "tenant == 'acme'" })
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionTrue, v1alpha1.ReasonIssued, ""))
		Expect(tokenIn(ctx, api)()).To(Equal(before), "who may ask the server for it does not shape the token")
		Expect(endpoint.count()).To(Equal(asked))
	})

	It("is not made of tokens that would be written all along, and says so", func(ctx context.Context) {
		endpoint.set(func() { endpoint.lives = time.Second })
		Expect(admin.Create(ctx, api)).To(Succeed())
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonBadContent, "its tokens live 1s, too short for a Secret"))
		Consistently(endpoint.count, "2s").Should(BeNumerically("<=", 4), "with pauses, as after other failures")
		Expect(output(ctx, api)).To(BeNil())
		Expect(leaks(ctx, endpoint, api)).To(BeEmpty())

		By("keeping the token that lives longer")
		endpoint.set(func() { endpoint.lives = time.Hour })
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.Subject = "another" })
		token := issued(ctx, api)
		endpoint.set(func() { endpoint.lives = time.Second })
		ahead(55 * time.Minute)
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionTrue, v1alpha1.ReasonBadContent, "there is no newer one"))
		Expect(tokenIn(ctx, api)()).To(Equal(token))
	})

	It("survives a restart of the operator, which asks for nothing before it is due", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		token := issued(ctx, api)
		stop()
		DeferCleanup(func() { stop(); start(quick) })
		start(quick)
		// What was changed while no operator looked is seen when one does.
		Expect(admin.Create(ctx, secret(ns, "later", "secret", hmacKey))).To(Succeed())
		later := bearerProvider(ns, "later", endpoint.URL)
		Expect(admin.Create(ctx, later)).To(Succeed())
		issued(ctx, later)
		Expect(tokenIn(ctx, api)()).To(Equal(token))
		Expect(endpoint.count()).To(Equal(2))
	})

	It("keeps its token while the endpoint fails, until that ends, and says so", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		token := issued(ctx, api)
		endpoint.set(func() { endpoint.refuses = "invalid_grant" })
		ahead(55 * time.Minute)
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionTrue, v1alpha1.ReasonRequestRefused, "valid until"))
		Expect(conditionOf(api, v1alpha1.ConditionCredentialReady).Message).To(And(ContainSubstring("there is no newer one"), ContainSubstring("invalid_grant")))
		Expect(tokenIn(ctx, api)()).To(Equal(token))
		ahead(5 * time.Minute)
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRequestRefused, "ended at"))
		Expect(tokenIn(ctx, api)()).To(Equal(token), "what was handed out is not taken back: its end is beside it")
		asked := endpoint.count()
		Expect(asked).To(BeNumerically("<=", 5))
		Eventually(func() []eventsv1.Event { return eventsOf(ctx, api) }).Should(ContainElement(And(HaveField("Reason", "RequestRefused"), HaveField("Type", "Warning"))))

		endpoint.set(func() { endpoint.refuses = "" })
		ahead(time.Minute)
		Eventually(tokenIn(ctx, api)).ShouldNot(Equal(token))
		issued(ctx, api)
		Expect(leaks(ctx, endpoint, api)).To(BeEmpty())
	})

	It("is told apart from somebody else's Secret of that name, which stays as it is", func(ctx context.Context) {
		theirs := secret(ns, "api-token", "mine", "yes")
		Expect(admin.Create(ctx, theirs)).To(Succeed())
		Expect(admin.Create(ctx, api)).To(Succeed())
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotControlled, "api-token exists"))
		Expect(endpoint.count()).To(BeZero(), "no token that nobody could keep")
		version := theirs.ResourceVersion
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(theirs), theirs)).To(Succeed())
		Expect(theirs.ResourceVersion).To(Equal(version))

		By("another provider that wants the same name")
		Expect(admin.Delete(ctx, theirs)).To(Succeed())
		token := issued(ctx, api)
		twin := bearerProvider(ns, "twin", endpoint.URL)
		twin.Spec.JWTBearer.KeySecretRef.Name, twin.Spec.JWTBearer.OutputSecretName = "api", "api-token"
		Expect(admin.Create(ctx, twin)).To(Succeed())
		Eventually(fresh(ctx, twin)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotControlled, ""))
		Expect(tokenIn(ctx, api)()).To(Equal(token))
		asked := endpoint.count()
		Expect(admin.Delete(ctx, output(ctx, api))).To(Succeed())
		Eventually(tokenIn(ctx, api)).ShouldNot(Or(BeEmpty(), Equal(token)), "the first who claimed it makes it anew")
		token = issued(ctx, api)
		Expect(endpoint.count()).To(Equal(asked + 1))
		Expect(metav1.IsControlledBy(output(ctx, api), api)).To(BeTrue())

		By("an owner reference of the same name but of an earlier object, or one that does not control")
		s := output(ctx, api)
		s.OwnerReferences[0].UID = "earlier"
		Expect(admin.Update(ctx, s)).To(Succeed())
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotControlled, "deleted IdentityProvider"))
		s = output(ctx, api)
		s.OwnerReferences[0].UID, s.OwnerReferences[0].Controller = api.UID, nil
		Expect(admin.Update(ctx, s)).To(Succeed())
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotControlled, "left alone"))
		Expect(tokenIn(ctx, api)()).To(Equal(token))
	})

	It("is put right when somebody deletes or edits it, and keeps what others add", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		before := issued(ctx, api)
		s := output(ctx, api)
		s.Data["theirs"], s.Labels["kept"] = []byte("yes"), "yes"
		Expect(admin.Update(ctx, s)).To(Succeed())
		Consistently(tokenIn(ctx, api), "500ms").Should(Equal(before))
		Expect(output(ctx, api).Data).To(HaveKey("theirs"))

		for name, edit := range map[string]func(*corev1.Secret){
			"the token":      func(s *corev1.Secret) { s.Data["token"] = []byte("forged") },
			"a missing key":  func(s *corev1.Secret) { delete(s.Data, "authorization") },
			"the schedule":   func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationRenewAt] = "2999-01-01T00:00:00Z" },
			"a label":        func(s *corev1.Secret) { delete(s.Labels, "app.kubernetes.io/managed-by") },
			"that it may be": func(s *corev1.Secret) { s.Data["token"] = []byte("forged"); s.Immutable = ptr.To(true) },
		} {
			ahead(15 * time.Minute) // a quarter of its life: a quiet time, in which nothing is renewed
			endpoint.set(func() { endpoint.lives = 10 * time.Hour })
			s := output(ctx, api)
			edit(s)
			Expect(admin.Update(ctx, s)).To(Succeed(), name)
			Eventually(tokenIn(ctx, api)).ShouldNot(Or(Equal(before), Equal("forged"), BeEmpty()), name)
			before = issued(ctx, api)
			s = output(ctx, api)
			Expect(s.Data["authorization"]).To(BeEquivalentTo("Bearer "+before), name)
			Expect(s.Labels).To(HaveKeyWithValue("app.kubernetes.io/managed-by", "gatehouse"), name)
			Expect(s.Annotations[v1alpha1.AnnotationRenewAt]).NotTo(HavePrefix("2999"), name)
		}

		uid := output(ctx, api).UID
		ahead(15 * time.Minute)
		Expect(admin.Delete(ctx, output(ctx, api))).To(Succeed())
		Eventually(func() types.UID {
			if s := output(ctx, api); s != nil {
				return s.UID
			}
			return uid
		}).ShouldNot(Equal(uid))

		By("somebody who does that again and again, for whom no endpoint is made to work all the time")
		asked, began := endpoint.count(), time.Now()
		Eventually(func(g Gomega) {
			if s := output(ctx, api); s != nil {
				_ = admin.Delete(ctx, s)
			}
			g.Expect(time.Since(began)).To(BeNumerically(">", 4*time.Second))
			g.Expect(endpoint.count()).To(BeNumerically(">", asked), "it is made again all the same")
		}).WithPolling(50 * time.Millisecond).Should(Succeed())
		// The pauses are 1 s, 2 s, 4 s and longer, whatever went before.
		took := time.Since(began)
		Expect(endpoint.count()-asked).To(BeNumerically("<=", 4+int(took/(4*time.Second))), "in %s", took)
	})

	It("goes with the name it had, with the provider's switch and with its type", func(ctx context.Context) {
		Expect(admin.Create(ctx, api)).To(Succeed())
		issued(ctx, api)
		old := output(ctx, api)
		gone := func(o client.Object) func() bool { return func() bool { return notThere(ctx, o) } }

		By("another name: the old one goes when the new one is there")
		endpoint.set(func() { endpoint.refuses = "temporarily_unavailable" })
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.OutputSecretName = "renamed" })
		Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonRequestRefused, "no token for Secret renamed"))
		Expect(gone(old)()).To(BeFalse())
		endpoint.set(func() { endpoint.refuses = "" })
		issued(ctx, api)
		Eventually(gone(old)).Should(BeTrue())

		By("enabled: false")
		renamed := output(ctx, api)
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.Enabled = ptr.To(false) })
		Eventually(gone(renamed)).Should(BeTrue())
		Eventually(func() any { return conditionOf(fresh(ctx, api)(), v1alpha1.ConditionCredentialReady) }).Should(BeNil())
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.Enabled = nil })
		issued(ctx, api)

		By("no name, and another type, also while no operator looks")
		renamed = output(ctx, api)
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.OutputSecretName = "" })
		Eventually(gone(renamed)).Should(BeTrue())
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.OutputSecretName = "again" })
		issued(ctx, api)
		again := output(ctx, api)
		stop()
		DeferCleanup(func() { stop(); start(quick) })
		update(ctx, api, func(p *v1alpha1.IdentityProvider) {
			p.Spec = v1alpha1.IdentityProviderSpec{Type: v1alpha1.ProviderPassword, Password: &v1alpha1.PasswordProvider{}}
		})
		start(quick)
		Eventually(gone(again)).Should(BeTrue())
		Eventually(func() any { return conditionOf(fresh(ctx, api)(), v1alpha1.ConditionCredentialReady) }).Should(BeNil())
	})

	It("says what is wrong with the key, the address or the AuthServer, and comes when that is mended", func(ctx context.Context) {
		key := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "api"}}
		Expect(admin.Delete(ctx, key)).To(Succeed())
		Expect(admin.Create(ctx, api)).To(Succeed())
		ready := func(status metav1.ConditionStatus, reason, message string) {
			GinkgoHelper()
			Eventually(fresh(ctx, api)).Should(haveCondition(v1alpha1.ConditionCredentialReady, status, reason, message))
		}
		ready(metav1.ConditionFalse, v1alpha1.ReasonRefNotFound, "Secret "+ns+"/api does not exist")
		Expect(admin.Create(ctx, secret(ns, "api", "secret", "short"))).To(Succeed())
		ready(metav1.ConditionFalse, v1alpha1.ReasonRefInvalid, "spec.jwtBearer.keySecretRef")
		Expect(conditionOf(api, v1alpha1.ConditionCredentialReady).Message).NotTo(ContainSubstring("short\""))
		server := localServer(ns)
		update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.Outbound = nil })
		update(ctx, key, func(s *corev1.Secret) { s.Data["secret"] = []byte(hmacKey) })
		ready(metav1.ConditionFalse, v1alpha1.ReasonAddressNotAllowed, "outbound.allowedCIDRs")
		Expect(endpoint.count()).To(BeZero())
		update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.Outbound = localServer(ns).Spec.Outbound })
		token := issued(ctx, api)

		By("a spec that is refused later: the token stays while it is valid")
		update(ctx, key, func(s *corev1.Secret) { s.Data["secret"] = []byte("short") })
		ready(metav1.ConditionTrue, v1alpha1.ReasonRefInvalid, "there is no newer one")
		Expect(tokenIn(ctx, api)()).To(Equal(token))
		update(ctx, key, func(s *corev1.Secret) { s.Data["secret"] = []byte(hmacKey) })
		issued(ctx, api)

		By("an AuthServer that is not usable itself goes on by its last good settings")
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, server)).Should(beReady())
		update(ctx, server, func(s *v1alpha1.AuthServer) {
			s.Spec.Outbound.CABundleRef = &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "absent", Key: "ca.crt"}
		})
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonRefNotFound, ""))
		before := tokenIn(ctx, api)()
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.Subject = "another" })
		Eventually(tokenIn(ctx, api)).ShouldNot(Equal(before))

		By("an AuthServer that takes the provider no more")
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.AuthServerRef.Name = "absent" })
		ready(metav1.ConditionTrue, v1alpha1.ReasonIssued, "")
		update(ctx, api, func(p *v1alpha1.IdentityProvider) { p.Spec.JWTBearer.Subject = "a third" })
		ready(metav1.ConditionTrue, v1alpha1.ReasonNoMatchingAuthServer, "there is no newer one")
	})
})
