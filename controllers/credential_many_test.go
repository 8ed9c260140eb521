// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// createAll makes objects, several at once.
func createAll[T client.Object](ctx context.Context, objects ...T) {
	GinkgoHelper()
	var group errgroup.Group
	group.SetLimit(16)
	for _, o := range objects {
		group.Go(func() error { return admin.Create(ctx, o) })
	}
	Expect(group.Wait()).To(Succeed())
}

// hangingEndpoint takes connections at an address of its own and never answers; it returns its URL.
func hangingEndpoint(ctx context.Context, n int) string {
	GinkgoHelper()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.9.%d:0", n+1))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(l.Close)
	return "http://" + l.Addr().String()
}

var _ = Describe("Many Secrets of JWTBearer providers", func() {
	It("are obtained with few requests at once, and each once", func(ctx context.Context) {
		const many = 200
		ns, endpoint := newNamespace(ctx), startTokens(time.Hour)
		removeProviders(ns)
		Expect(admin.Create(ctx, localServer(ns))).To(Succeed())
		Expect(admin.Create(ctx, secret(ns, "key", "secret", hmacKey))).To(Succeed())
		stop() // a request that is held ends after 10 s: nothing is to be made meanwhile
		var all []*v1alpha1.IdentityProvider
		for i := range many {
			p := bearerProvider(ns, fmt.Sprintf("api%03d", i), endpoint.URL)
			p.Spec.JWTBearer.KeySecretRef.Name = "key"
			all = append(all, p)
		}
		createAll(ctx, all...)
		endpoint.set(func() { endpoint.hold(true) })
		start(quick)
		const host = 4 // as many as may ask one host
		Eventually(endpoint.present).Should(Equal(host))
		Consistently(endpoint.present, "500ms").Should(BeNumerically("<=", host))
		endpoint.set(func() { endpoint.hold(false) })
		ready := func() (n int) {
			var list v1alpha1.IdentityProviderList
			Expect(admin.List(ctx, &list, client.InNamespace(ns))).To(Succeed())
			for i := range list.Items {
				if c := conditionOf(&list.Items[i], v1alpha1.ConditionCredentialReady); c != nil && c.Status == metav1.ConditionTrue {
					n++
				}
			}
			return n
		}
		Eventually(ready).WithPolling(200 * time.Millisecond).Should(Equal(many))
		endpoint.set(func() { // on a machine so slow that some gave up while they were held, the endpoint may see that late
			Expect(endpoint.top).To(BeNumerically("~", host, endpoint.abandoned))
			Expect(endpoint.asked-endpoint.abandoned).To(Equal(many), "each was asked for once")
		})
		due := map[string]bool{}
		for _, p := range all {
			due[output(ctx, p).Annotations[v1alpha1.AnnotationRenewAt]] = true
		}
		Expect(len(due)).To(BeNumerically(">", many/2), "the next ones are due at times of their own")
	})

	It("are not held up by endpoints that hang", func(ctx context.Context) {
		ns, endpoint := newNamespace(ctx), startTokens(time.Hour)
		removeProviders(ns)
		Expect(admin.Create(ctx, localServer(ns))).To(Succeed())
		Expect(admin.Create(ctx, secret(ns, "key", "secret", hmacKey))).To(Succeed())
		var dead []*v1alpha1.IdentityProvider
		for i := range 40 {
			p := bearerProvider(ns, fmt.Sprintf("dead%02d", i), hangingEndpoint(ctx, i))
			p.Spec.JWTBearer.KeySecretRef.Name = "key"
			dead = append(dead, p)
		}
		createAll(ctx, dead...)
		Eventually(fresh(ctx, dead[0])).Should(haveCondition(v1alpha1.ConditionCredentialReady, metav1.ConditionFalse, v1alpha1.ReasonUnreachable, "there is no token"))
		for i := range 5 {
			p := bearerProvider(ns, fmt.Sprintf("api%d", i), endpoint.URL)
			p.Spec.JWTBearer.KeySecretRef.Name = "key"
			Expect(admin.Create(ctx, p)).To(Succeed())
			issued(ctx, p)
		}
	})
})
