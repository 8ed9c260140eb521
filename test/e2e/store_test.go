// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Guards the order of rollout and clean-up: pods that still mount the signing keys must be able to start until none does.
var _ = Describe("a server whose store is switched", func() {
	It("rolls to verification only and back, and goes on verifying", func(ctx SpecContext) {
		flip := &v1alpha1.AuthServer{ObjectMeta: metav1.ObjectMeta{Name: "flip", Namespace: namespace}}
		keys := newIssuer("acme")
		acme := policy("flipped", flip.Name, keys)
		create(ctx, flip, acme)
		DeferCleanup(func(ctx SpecContext) { removeServer(ctx, flip, acme) }, NodeTimeout(patience))
		waitReady(ctx, flip, acme)
		for _, store := range []v1alpha1.StoreType{v1alpha1.StoreNone, v1alpha1.StoreEmbedded} {
			generation := deployment(ctx, flip.Name).Generation
			patch(ctx, flip, func(a *v1alpha1.AuthServer) { a.Spec.Store.Type = store })
			Eventually(func() int64 { return deployment(ctx, flip.Name).Generation }).Should(BeNumerically(">", generation))
			rolledOut(ctx, flip.Name, 1)
			waitReady(ctx, flip, acme)
			enforced(ctx, pods(ctx, flip.Name), "flipped", keys.token("bob", "any"), http.StatusOK)
			status, _ := login(ctx, service(ctx, flip.Name), phrase)
			Expect(status).To(Equal(http.StatusNotFound), "there is no Password provider")
		}
	}, SpecTimeout(2*patience))
})
