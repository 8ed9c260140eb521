// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

const (
	// secretComes is how soon the Secret of a JWTBearer provider must hold a token.
	secretComes = 2 * time.Second
	// tokenLives is the life of the tokens in this file: the operator and the endpoint are away for longer than that. A renewal is due at 80 to 90 % of it, so that the
	// condition that there is a token and no newer one stands for 6 s and more.
	tokenLives = time.Minute
)

// tokenHost is a token endpoint on this machine that can go away and come back at its address.
type tokenHost struct {
	*tokenendpoint.Endpoint
	address string
	front   *httptest.Server
}

func startTokenHost(ctx context.Context, address netip.Addr, key *issuer) *tokenHost {
	GinkgoHelper()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", netip.AddrPortFrom(address, 0).String())
	Expect(err).NotTo(HaveOccurred())
	h := &tokenHost{address: l.Addr().String()}
	h.Endpoint = tokenendpoint.New(tokenendpoint.Options{
		URL: "http://" + h.address + tokenendpoint.Path, Algorithm: "ES256", Key: &key.key.PublicKey, KeyID: "k1", Issuer: key.name, Subject: "robot",
		Audience:  "http://" + h.address + tokenendpoint.Path,
		ExpiresIn: tokenLives,
	})
	h.serve(l)
	DeferCleanup(func() { h.front.Close() })
	return h
}

func (h *tokenHost) serve(l net.Listener) {
	GinkgoHelper()
	h.front = httptest.NewUnstartedServer(h)
	Expect(h.front.Listener.Close()).To(Succeed()) // it is on loopback
	h.front.Listener = l
	h.front.Start()
}

// back listens at the same address again.
func (h *tokenHost) back(ctx context.Context) {
	GinkgoHelper()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", h.address)
	Expect(err).NotTo(HaveOccurred())
	h.serve(l)
}

// privatePEM is the key that signs, as PKCS#8.
func privatePEM(i *issuer) string {
	GinkgoHelper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	Expect(err).NotTo(HaveOccurred())
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// outputSecret is the Secret of a provider as it is now; empty where there is none.
func outputSecret(ctx context.Context, name string) *corev1.Secret {
	GinkgoHelper()
	s := &corev1.Secret{}
	err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, s)
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	return s
}

var _ = Describe("the Secret of a JWTBearer provider", func() {
	It("is there within 2 s, outlives its token's endpoint and the operator as documented, and is nowhere else", func(ctx SpecContext) {
		address, key := here(ctx), newIssuer("robots")
		host := startTokenHost(ctx, address, key)
		server := edgeServer()
		server.Name = "credentials"
		*server.Spec.Replicas = 1
		server.Spec.Outbound = only(address)
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "robots-key", Namespace: namespace}, StringData: map[string]string{"key.pem": privatePEM(key)}}
		robots := &v1alpha1.IdentityProvider{
			ObjectMeta: metav1.ObjectMeta{Name: "robots", Namespace: namespace},
			Spec: v1alpha1.IdentityProviderSpec{
				AuthServerRef: v1alpha1.AuthServerReference{Name: server.Name}, Type: v1alpha1.ProviderJWTBearer,
				JWTBearer: &v1alpha1.JWTBearerProvider{
					KeySecretRef: v1alpha1.SecretKeyReference{Name: secret.Name, Key: "key.pem"}, KeyID: "k1", Algorithm: "ES256", Issuer: key.name, Subject: "robot",
					Audience: host.URL(), TokenEndpoint: v1alpha1.EndpointURL(host.URL()), OutputSecretName: "robots-token",
				},
			},
		}
		create(ctx, server, secret)
		DeferCleanup(func(ctx SpecContext) { removeServer(ctx, server, robots, secret) }, NodeTimeout(patience))
		waitReady(ctx, server)

		create(ctx, robots)
		applied := time.Now()
		token := func() string { return string(outputSecret(ctx, "robots-token").Data["token"]) }
		Eventually(token).WithTimeout(secretComes).WithPolling(20 * time.Millisecond).ShouldNot(BeEmpty())
		AddReportEntry("a Secret held a token after its provider was applied", ReportEntryVisibilityAlways, time.Since(applied).Round(time.Millisecond).String())
		Expect(token()).To(Equal(host.Tokens()[0]))
		Expect(string(outputSecret(ctx, "robots-token").Data["authorization"])).To(Equal("Bearer " + token()))
		ready := func(g Gomega) *metav1.Condition {
			c := meta.FindStatusCondition(conditions(ctx, robots), v1alpha1.ConditionCredentialReady)
			g.Expect(c).NotTo(BeNil())
			return c
		}
		is := func(status metav1.ConditionStatus, reason, message string) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				c := ready(g)
				g.Expect(c.Status).To(Equal(status), "%s: %s", c.Reason, c.Message)
				g.Expect(c.Reason).To(Equal(reason), c.Message)
				g.Expect(c.Message).To(ContainSubstring(message))
			}).Should(Succeed())
		}
		is(metav1.ConditionTrue, v1alpha1.ReasonIssued, "valid until")
		waitReady(ctx, robots)
		first := token()
		Eventually(token).ShouldNot(Equal(first), "it is not renewed")

		By("the token endpoint being away for longer than a token lives")
		host.front.CloseClientConnections()
		host.front.Close()
		is(metav1.ConditionTrue, v1alpha1.ReasonUnreachable, "there is no newer one")
		last := token() // a renewal that was under way while the endpoint went is written by now
		is(metav1.ConditionFalse, v1alpha1.ReasonUnreachable, "ended at")
		Expect(token()).To(Equal(last), "the Secret stays, with its expires_at")
		host.back(ctx)
		Eventually(token).ShouldNot(Equal(last))
		is(metav1.ConditionTrue, v1alpha1.ReasonIssued, "valid until")

		By("the operator being away for longer than a token lives")
		told := logs(ctx, operatorNamespace)
		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(patience))
		last = token()
		ends, err := time.Parse(time.RFC3339, string(outputSecret(ctx, "robots-token").Data["expires_at"]))
		Expect(err).NotTo(HaveOccurred())
		Eventually(time.Now).Should(BeTemporally(">", ends))
		Expect(token()).To(Equal(last))
		scaleOperator(ctx, 1)
		Eventually(token).ShouldNot(Equal(last))
		is(metav1.ConditionTrue, v1alpha1.ReasonIssued, "valid until")
		Expect(host.Refusals()).To(BeEmpty(), "the endpoint looks at everything")

		By("nobody telling a token")
		var events eventsv1.EventList
		Expect(api.List(ctx, &events, client.InNamespace(namespace))).To(Succeed())
		_ = conditions(ctx, robots)
		output := outputSecret(ctx, "robots-token")
		output.Data = nil
		Expect(told).To(ContainSubstring("wrote a token"), "nothing was collected")
		told += logs(ctx, operatorNamespace) + logs(ctx, namespace) + text(&events, robots, output)
		for _, t := range append(host.Tokens(), "eyJ", "PRIVATE KEY") {
			Expect(strings.Contains(told, t)).To(BeFalse(), "a token or key stands in a log, an event, a status or an annotation")
		}

		By("going with its provider")
		Expect(api.Delete(ctx, robots)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(api.Get(ctx, client.ObjectKeyFromObject(output), &corev1.Secret{}))
		}).Should(BeTrue(), "the Secret outlives its provider")
	}, SpecTimeout(6*patience))
})
