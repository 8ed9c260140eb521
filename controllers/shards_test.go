// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// jwks is a key set of n random keys: it hardly compresses.
func jwks(n int) string {
	GinkgoHelper()
	keys := make([]map[string]string, n)
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		Expect(err).NotTo(HaveOccurred())
		point, err := key.PublicKey.Bytes()
		Expect(err).NotTo(HaveOccurred())
		encode := base64.RawURLEncoding.EncodeToString
		keys[i] = map[string]string{"kty": "EC", "crv": "P-256", "kid": rand.Text(), "x": encode(point[1:33]), "y": encode(point[33:])}
	}
	out, err := json.Marshal(map[string]any{"keys": keys})
	Expect(err).NotTo(HaveOccurred())
	return string(out)
}

// heavyPolicy renders to nearly as much as one object may.
func heavyPolicy(namespace, name string) *v1alpha1.TenantJWTPolicy {
	p := urlPolicy(namespace, name)
	p.Spec.Algorithms = []v1alpha1.SignatureAlgorithm{"ES256"}
	p.Spec.Issuers[0].JWKSURI = ""
	for range 6 {
		p.Spec.Issuers[0].Keys = append(p.Spec.Issuers[0].Keys, v1alpha1.KeySource{JWKS: jwks(95)})
	}
	return p
}

var _ = Describe("More tenants than a file holds", func() {
	It("are moved to a larger set of files without a moment in which a pod lacks one", func(ctx context.Context) {
		ns := newNamespace(ctx)
		light := urlPolicy(ns, "light")
		Expect(admin.Create(ctx, light)).To(Succeed())
		server := defaultServer(ns)
		old := startPod(ctx, admin, server)
		Eventually(fresh(ctx, light)).Should(beReady())

		for i := range 12 {
			Expect(admin.Create(ctx, heavyPolicy(ns, fmt.Sprintf("heavy%d", i)))).To(Succeed())
		}
		secrets := func(count int) (there int) {
			for n := range count {
				s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: fmt.Sprintf("gatehouse-default-tenants-%d-%d", count, n)}}
				if admin.Get(ctx, client.ObjectKeyFromObject(s), s) == nil {
					there++
				}
			}
			return there
		}
		var d appsv1.Deployment
		mounted := func() int {
			if admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default"}, &d) != nil {
				return 0
			}
			return len(d.Spec.Template.Spec.Volumes[0].Projected.Sources) - 3
		}
		Eventually(mounted).Should(BeNumerically(">=", 2))
		count := mounted()
		Expect(secrets(count)).To(Equal(count), "the Deployment names only what is there")

		By("the pod that mounts the one file, which is kept up to date as long as it fits")
		Expect(secrets(1)).To(Equal(1))
		update(ctx, light, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"new"} })
		Eventually(fresh(ctx, light)).Should(beReady())
		Expect(old.serves(ctx)()).To(BeTrue())

		By("a pod of the new template; both count")
		fresh1 := startPod(ctx, admin, server)
		update(ctx, light, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"newer"} })
		Eventually(fresh(ctx, light)).Should(beReady())
		Expect(fresh1.serves(ctx)()).To(BeTrue())
		Expect(secrets(1)).To(Equal(1), "a pod still mounts it")

		By("the old pod's end")
		old.remove(ctx)
		Eventually(func() int { return secrets(1) }).Should(BeZero())
		Expect(secrets(count)).To(Equal(count))
		Consistently(mounted, "300ms").Should(Equal(count))
		Eventually(fresh(ctx, authServer(ns, "default"))).Should(beReady())
	})
})
