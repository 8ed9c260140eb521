// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("the server default, from two objects", Ordered, func() {
	var (
		objects = []client.Object{}
		server  = &v1alpha1.AuthServer{}
		globex  *v1alpha1.TenantJWTPolicy
		keys    *issuer
		base    string
	)

	BeforeAll(func(ctx SpecContext) {
		keys = newIssuer("globex")
		globex = policy("globex", "default", keys, "api")
		objects = append(staff("default"), globex)
		create(ctx, objects...)
		waitReady(ctx, objects[1], globex)
		base = service(ctx, "default")
	}, NodeTimeout(patience))

	AfterAll(func(ctx SpecContext) {
		server.Name, server.Namespace = "default", namespace
		removeServer(ctx, server, objects...)
	}, NodeTimeout(patience))

	It("was created by the operator and tells its replicas", func(ctx SpecContext) {
		server.Name, server.Namespace = "default", namespace
		waitReady(ctx, server)
		Expect(server.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationAutoCreated, "true"))
		Eventually(func() string { _ = conditions(ctx, server); return server.Status.Applied }).Should(Equal("1/1"))
	})

	It("logs in, refreshes and verifies through the Service", func(ctx SpecContext) {
		status, first := login(ctx, base, phrase)
		Expect(status).To(Equal(http.StatusOK))
		Expect(first.TokenType).To(Equal("Bearer"))
		Expect(first.ExpiresIn).To(Equal(900))
		code, headers, err := verify(ctx, browserless(), base, "default", first.AccessToken)
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
		Expect(headers.Get("X-Auth-Request-User")).To(Equal("ada"))
		Expect(headers.Get("X-Auth-Request-Email")).To(Equal(email))
		Expect(headers.Get("X-Auth-Request-Groups")).To(Equal("engineering"))
		Expect(headers.Get("X-Auth-Tenant")).To(Equal("default"))

		status, second := refresh(ctx, base, first.RefreshToken)
		Expect(status).To(Equal(http.StatusOK))
		Expect(second.RefreshToken).NotTo(Equal(first.RefreshToken))
		code, _, err = verify(ctx, browserless(), base, "default", second.AccessToken)
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
	})

	It("refuses a wrong password, a wrong tenant and a refresh token in place of an access token", func(ctx SpecContext) {
		status, answer := login(ctx, base, "wrong")
		Expect(status).To(Equal(http.StatusUnauthorized))
		Expect(answer.Error).To(Equal("invalid_credentials"))
		_, good := login(ctx, base, phrase)
		for tenant, token := range map[string]string{"globex": good.AccessToken, "default": good.RefreshToken, "nobody": good.AccessToken} {
			code, headers, err := verify(ctx, browserless(), base, tenant, token)
			Expect(err).NotTo(HaveOccurred())
			Expect(code).To(Equal(http.StatusUnauthorized), tenant)
			Expect(headers).NotTo(HaveKey("X-Auth-Request-User"))
		}
	})

	It("verifies a tenant's token with the tenant's prefix", func(ctx SpecContext) {
		code, headers, err := verify(ctx, browserless(), base, "globex", keys.token("bob", "api"))
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
		Expect(headers.Get("X-Auth-Request-User")).To(Equal("globex/bob"))
	})

	It("tells of bad input and goes on serving", func(ctx SpecContext) {
		missing := policy("missing", "default", keys)
		missing.Spec.Issuers[0].Keys = []v1alpha1.KeySource{{SecretRef: &v1alpha1.SecretKeyReference{Name: "nowhere", Key: "key"}, Format: v1alpha1.KeyFormatPEM}}
		twin := policy("twin", "default", keys)
		twin.Spec.TenantID = "globex"
		wrong := policy("wrong", "default", keys)
		wrong.Spec.Algorithms = []v1alpha1.SignatureAlgorithm{"RS256"}
		create(ctx, missing, twin, wrong)
		reason, message := refused(ctx, missing, v1alpha1.ConditionResolvedRefs)
		Expect(reason).To(Equal(v1alpha1.ReasonRefNotFound))
		Expect(message).To(ContainSubstring("nowhere"))
		reason, message = refused(ctx, twin, v1alpha1.ConditionAccepted)
		Expect(reason).To(Equal(v1alpha1.ReasonTenantConflict))
		Expect(message).To(ContainSubstring("globex"))
		reason, message = refused(ctx, wrong, v1alpha1.ConditionAccepted)
		Expect(reason).To(Equal(v1alpha1.ReasonInvalid))
		Expect(message).To(And(ContainSubstring("spec.issuers[0].keys[0]"), ContainSubstring("ES256")))
		Expect(meta.IsStatusConditionTrue(conditions(ctx, twin), v1alpha1.ConditionStalled)).To(BeTrue())
		code, _, err := verify(ctx, browserless(), base, "globex", keys.token("bob", "api"))
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
		for _, o := range []client.Object{missing, twin, wrong} {
			Expect(api.Delete(ctx, o)).To(Succeed())
		}
	})

	It("follows the users' Secret", func(ctx SpecContext) {
		secret := &corev1.Secret{}
		secret.Name, secret.Namespace = "staff-users", namespace
		patch(ctx, secret, func(s *corev1.Secret) { s.Data["users.yaml"] = []byte("[]\n") })
		Eventually(func() int { status, _ := login(ctx, base, phrase); return status }).Should(Equal(http.StatusUnauthorized))
		code, _, err := verify(ctx, browserless(), base, "globex", keys.token("bob", "api"))
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
	})

	It("leaves no secret in logs, events and conditions", func(ctx SpecContext) {
		var users, signing, ops corev1.Secret
		Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "gatehouse-default-keys"}, &signing)).To(Succeed())
		Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "gatehouse-default-ops"}, &ops)).To(Succeed())
		Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "staff-users"}, &users)).To(Succeed())
		_ = conditions(ctx, server)
		_ = conditions(ctx, globex)
		events, err := core.CoreV1().Events(namespace).List(ctx, listAll)
		Expect(err).NotTo(HaveOccurred())
		everything := logs(ctx, operatorNamespace) + logs(ctx, namespace) + text(server, globex, events)
		Expect(everything).To(ContainSubstring("globex"), "nothing was collected")
		for name, secret := range map[string]string{"password": phrase, "hash": "$argon2id$", "token": string(ops.Data["token"]), "key": "PRIVATE KEY", "JWT": "eyJ"} {
			Expect(everything).NotTo(ContainSubstring(secret), "the %s stands in a log, event or condition", name)
		}
	})
})
