// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
)

// sessionEnds is how soon a session must end whose provider is disabled: 2 s until every pod has read it, 10 s during which a
// pod may rely on what the store said, and some.
const sessionEnds = 15 * time.Second

// startOAuth2 runs a plain OAuth 2.0 server at an address until the spec ends.
func startOAuth2(ctx context.Context, address netip.Addr, callback string) *oauth2server.Server {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", netip.AddrPortFrom(address, 0).String())
	Expect(err).NotTo(HaveOccurred())
	s := oauth2server.New(oauth2server.Options{
		URL: "http://" + listener.Addr().String(), ClientID: "gatehouse", ClientSecret: "s3cret+of/plain", RedirectURIs: []string{callback}, PKCE: true,
	})
	front := httptest.NewUnstartedServer(s)
	Expect(front.Listener.Close()).To(Succeed()) // it is on loopback
	front.Listener = listener
	front.Start()
	DeferCleanup(front.Close)
	return s
}

func clientSecret(name, value string) (*corev1.Secret, *v1alpha1.SecretKeyReference) {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, StringData: map[string]string{"clientSecret": value}},
		&v1alpha1.SecretKeyReference{Name: name, Key: "clientSecret"}
}

// endpointOf is a URL without its query.
func endpointOf(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// upstreamReady waits until the pods have told that a provider answers.
func upstreamReady(ctx context.Context, p *v1alpha1.IdentityProvider) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		c := meta.FindStatusCondition(conditions(ctx, p), v1alpha1.ConditionUpstreamReady)
		g.Expect(c).NotTo(BeNil())
		g.Expect(c.Status).To(Equal(metav1.ConditionTrue), "%s: %s", c.Reason, c.Message)
	}).Should(Succeed())
}

// From two objects to a person's session: render, mounted Secrets, outbound rules from inside a pod, status and back again.
var _ = Describe("providers outside the cluster", func() {
	It("log people in, are told to be ready, and end their sessions within 15 s when they are disabled", func(ctx SpecContext) {
		const origin = "https://people.example"
		address := here(ctx)
		op := optest.Start(GinkgoTB(), optest.Options{Plain: true, Address: netip.AddrPortFrom(address, 0).String()})
		plain := startOAuth2(ctx, address, origin+"/auth/plain/login/callback/")
		server := &v1alpha1.AuthServer{
			ObjectMeta: metav1.ObjectMeta{Name: "people", Namespace: namespace},
			Spec:       v1alpha1.AuthServerSpec{ExternalURL: origin, Outbound: only(address)},
		}
		ssoSecret, ssoRef := clientSecret("sso", op.Client().Secret)
		sso := &v1alpha1.IdentityProvider{
			ObjectMeta: metav1.ObjectMeta{Name: "sso", Namespace: namespace},
			Spec: v1alpha1.IdentityProviderSpec{
				AuthServerRef: v1alpha1.AuthServerReference{Name: server.Name}, Type: v1alpha1.ProviderOIDC,
				OIDC: &v1alpha1.OIDCProvider{Issuer: v1alpha1.EndpointURL(op.Issuer()), ClientID: op.Client().ID, ClientSecretRef: ssoRef},
			},
		}
		plainSecret, plainRef := clientSecret("plain", "s3cret+of/plain")
		github := &v1alpha1.IdentityProvider{
			ObjectMeta: metav1.ObjectMeta{Name: "plain", Namespace: namespace},
			Spec: v1alpha1.IdentityProviderSpec{
				AuthServerRef: v1alpha1.AuthServerReference{Name: server.Name}, Type: v1alpha1.ProviderOAuth2,
				ClaimMappings: &v1alpha1.ProviderClaimMappings{Username: &v1alpha1.ProviderClaimSource{Claim: "login"}},
				OAuth2: &v1alpha1.OAuth2Provider{
					ClientID: "gatehouse", ClientSecretRef: plainRef, Scopes: []v1alpha1.Scope{"read:user"}, SubjectAttribute: "id",
					AuthorizationEndpoint: v1alpha1.EndpointURL(plain.AuthorizationEndpoint()), TokenEndpoint: v1alpha1.EndpointURL(plain.TokenEndpoint()),
					UserInfoEndpoint: v1alpha1.EndpointURL(plain.UserInfoEndpoint()), EmailsEndpoint: v1alpha1.EndpointURL(plain.EmailsEndpoint()),
				},
			},
		}
		create(ctx, ssoSecret, plainSecret, server, sso, github)
		DeferCleanup(func(ctx SpecContext) { removeServer(ctx, server, sso, github, ssoSecret, plainSecret) }, NodeTimeout(patience))
		waitReady(ctx, server, sso, github)
		base := service(ctx, server.Name)

		// logIn leads through a provider, and returns a browser with a session.
		logIn := func(name, authorization, user, email string) *browser {
			GinkgoHelper()
			b := newBrowser(origin, base)
			Expect(b.open(ctx, "/verify").StatusCode).To(Equal(http.StatusUnauthorized), "let in before the login")
			page := b.open(ctx, "/auth/"+name+"/login/")
			Expect(page.StatusCode).To(Equal(http.StatusOK))
			Expect(b.visited).To(HaveLen(3))
			Expect(endpointOf(b.visited[0])).To(Equal(authorization))
			Expect(b.visited[0].Query().Get("redirect_uri")).To(Equal(origin + "/auth/" + name + "/login/callback/"))
			Expect(endpointOf(b.visited[1])).To(Equal(origin + "/auth/" + name + "/login/callback/"))
			Expect(page.Request.URL.String()).To(Equal(origin + "/account"))
			answer := b.open(ctx, "/verify")
			Expect(answer.StatusCode).To(Equal(http.StatusOK))
			Expect(answer.Header.Get("X-Auth-Request-User")).To(Equal(user))
			Expect(answer.Header.Get("X-Auth-Request-Email")).To(Equal(email))
			return b
		}
		jane := logIn("sso", op.URL(optest.PathAuthorize), "jane", "jane@corp.example")
		mona := logIn("plain", plain.AuthorizationEndpoint(), "octocat", "mona@acme.example")
		Expect(plain.Refusals()).To(BeEmpty())
		upstreamReady(ctx, sso)
		upstreamReady(ctx, github)
		Expect(jane.open(ctx, "/verify").StatusCode).To(Equal(http.StatusOK))

		patch(ctx, sso, func(p *v1alpha1.IdentityProvider) { p.Spec.Enabled = ptr.To(false) })
		disabled := time.Now()
		Eventually(func() int { return jane.open(ctx, "/verify").StatusCode }).WithTimeout(sessionEnds).Should(Equal(http.StatusUnauthorized))
		AddReportEntry("a session ended after its provider was disabled", ReportEntryVisibilityAlways, time.Since(disabled).Round(time.Millisecond).String())
		Expect(jane.open(ctx, "/auth/sso/login/").StatusCode).To(Equal(http.StatusNotFound))
		Expect(mona.open(ctx, "/verify").StatusCode).To(Equal(http.StatusOK), "the session of another provider ended too")
		waitReady(ctx, sso)
		Expect(meta.FindStatusCondition(conditions(ctx, sso), v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonDisabled))

		patch(ctx, sso, func(p *v1alpha1.IdentityProvider) { p.Spec.Enabled = ptr.To(true) })
		waitReady(ctx, sso)
		logIn("sso", op.URL(optest.PathAuthorize), "jane", "jane@corp.example")

		all := logs(ctx, namespace)
		Expect(all).To(ContainSubstring("login.succeeded"), "nothing was collected")
		for name, secret := range map[string]string{
			"client secret": op.Client().Secret, "client secret of OAuth2": "s3cret+of/plain", "state": op.LastAuthorization().Get("state"), "JWT": "eyJ",
		} {
			Expect(secret).NotTo(BeEmpty())
			Expect(strings.Contains(all, secret)).To(BeFalse(), "the %s stands in a log", name)
		}
	}, SpecTimeout(2*patience))
})
