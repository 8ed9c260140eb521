// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// tokenServer is a token endpoint on this machine that counts. What it thinks of assertions is not asked here.
type tokenServer struct {
	*httptest.Server
	mu sync.Mutex
	// lives is the life of the tokens that it gives.
	lives time.Duration
	// refuses is an OAuth error code to answer instead, "" for none.
	refuses string
	// holds, while it is not nil, keeps every request waiting until it is closed.
	holds chan struct{}
	// given are all tokens; asked counts requests, abandoned those whose client did not wait for the answer; inside is how many are under way, top the most at once.
	given            []string
	asked, abandoned int
	inside, top      int
}

// startTokens runs an endpoint until the spec ends.
func startTokens(lives time.Duration) *tokenServer {
	s := &tokenServer{lives: lives}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	DeferCleanup(func() {
		s.set(func() { s.hold(false) })
		s.Close()
	})
	return s
}

func (s *tokenServer) serve(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // the server sees the client go only once the body is read
	s.mu.Lock()
	s.asked++
	s.inside++
	s.top = max(s.top, s.inside)
	holds := s.holds
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.inside--; s.mu.Unlock() }()
	if holds != nil {
		select {
		case <-holds:
		case <-r.Context().Done():
			s.set(func() { s.abandoned++ })
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.refuses != "" || r.PostFormValue("assertion") == "" {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": s.refuses, "error_description": "leaked " + r.PostFormValue("assertion")})
		return
	}
	token := rand.Text() + rand.Text()
	s.given = append(s.given, token)
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(s.lives.Seconds())})
}

// set changes what the endpoint does.
func (s *tokenServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// hold is for set.
func (s *tokenServer) hold(on bool) {
	if s.holds != nil {
		close(s.holds)
		s.holds = nil
	}
	if on {
		s.holds = make(chan struct{})
	}
}

// count is how often it was asked.
func (s *tokenServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// present is how many requests are under way.
func (s *tokenServer) present() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inside
}

func (s *tokenServer) tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.given...)
}

// bearerProvider asks an endpoint for a token for the Secret "<name>-token", with a symmetric key of the Secret "<name>".
func bearerProvider(namespace, name, endpoint string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.IdentityProviderSpec{Type: v1alpha1.ProviderJWTBearer, JWTBearer: &v1alpha1.JWTBearerProvider{
			KeySecretRef: v1alpha1.SecretKeyReference{Name: name, Key: "secret"}, Algorithm: "HS256", Issuer: "gatehouse", Subject: "s", Audience: "a",
			TokenEndpoint: v1alpha1.EndpointURL(endpoint), OutputSecretName: name + "-token",
		}},
	}
}

// localServer is an AuthServer that may dial this machine.
func localServer(namespace string) *v1alpha1.AuthServer {
	s := authServer(namespace, "default")
	s.Spec.Outbound = &v1alpha1.Outbound{AllowedCIDRs: []v1alpha1.CIDR{"127.0.0.0/8"}}
	return s
}

// output returns the Secret of a provider, as it is now.
func output(ctx context.Context, p *v1alpha1.IdentityProvider) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Spec.JWTBearer.OutputSecretName}}
	if admin.Get(ctx, client.ObjectKeyFromObject(s), s) != nil {
		return nil
	}
	return s
}

// tokenIn is the token that a provider's Secret holds, "" for none.
func tokenIn(ctx context.Context, p *v1alpha1.IdentityProvider) func() string {
	return func() string {
		if s := output(ctx, p); s != nil {
			return string(s.Data["token"])
		}
		return ""
	}
}

// issued waits until a provider says that its Secret holds a token, and returns that.
func issued(ctx context.Context, p *v1alpha1.IdentityProvider) string {
	GinkgoHelper()
	Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionTrue, v1alpha1.ReasonIssued, "valid until"))
	token := tokenIn(ctx, p)()
	Expect(token).NotTo(BeEmpty())
	return token
}

// ahead sets the clock forward until the spec ends.
func ahead(d time.Duration) {
	clock.advance(d)
	DeferCleanup(func() { clock.advance(-d) })
}

// removeProviders removes a namespace's providers when the spec ends: endpoints that are gone would be asked until the suite ends.
func removeProviders(namespace string) {
	DeferCleanup(func(ctx context.Context) {
		Expect(admin.DeleteAllOf(ctx, &v1alpha1.IdentityProvider{}, client.InNamespace(namespace))).To(Succeed())
	})
}

// leaks lists where a token, or a part of an assertion, is told: in the status of a provider, or in events of its namespace.
func leaks(ctx context.Context, s *tokenServer, p *v1alpha1.IdentityProvider) (told []string) {
	GinkgoHelper()
	seen, err := json.Marshal(fresh(ctx, p)().Status)
	Expect(err).NotTo(HaveOccurred())
	for _, e := range eventsOf(ctx, p) {
		seen = append(seen, e.Note...)
	}
	for _, t := range append(s.tokens(), "eyJ", "leaked") {
		if strings.Contains(string(seen), t) {
			told = append(told, t)
		}
	}
	return told
}
