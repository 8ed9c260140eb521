// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers"
	"github.com/gatehouse-auth/gatehouse/test/kube"
)

// A control plane of its own, which the container stops and restores, with the namespaced install: the operator has a Role
// in the namespace `default` and no ClusterRole.
var _ = Describe("A namespaced operator whose control plane goes away", Ordered, func() {
	const ns = "default"
	var (
		plane    *kube.ControlPlane
		user     client.Client
		pod      *fakePod
		snapshot string
	)
	served := func(ctx context.Context) map[string]config.Policy {
		var s corev1.Secret
		out := map[string]config.Policy{}
		if user.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default-tenants-1-0"}, &s) != nil {
			return nil
		}
		file := config.TenantsFile(1, 0)
		t, err := config.ParseTenants(file, s.Data[file])
		if err != nil {
			return nil
		}
		for _, p := range t.Policies {
			out[p.TenantID] = p
		}
		return out
	}
	ready := func(ctx context.Context, name string) func() bool {
		return func() bool {
			var p v1alpha1.TenantJWTPolicy
			if user.Get(ctx, types.NamespacedName{Namespace: ns, Name: name}, &p) != nil {
				return false
			}
			c := conditionOf(&p, v1alpha1.ConditionReady)
			return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == p.Generation
		}
	}
	change := func(ctx context.Context, audience string) {
		GinkgoHelper()
		p := &v1alpha1.TenantJWTPolicy{}
		Eventually(func() error {
			if err := user.Get(ctx, types.NamespacedName{Namespace: ns, Name: "acme"}, p); err != nil {
				return err
			}
			p.Spec.Audiences = []string{audience}
			return user.Update(ctx, p)
		}).Should(Succeed())
	}

	BeforeAll(func(ctx context.Context) {
		var err error
		plane, err = kube.Start(ctx, kube.Options{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(plane.Stop()).To(Succeed()) })
		for _, k := range []string{"administrator", "namespaced"} {
			kubectl(ctx, plane, "apply", "--server-side", "-k", "../config/"+k)
		}
		user = newClient(plane.RestConfig())
		as, err := plane.AddUser(account, "system:serviceaccounts", "system:authenticated")
		Expect(err).NotTo(HaveOccurred())
		timing := quick
		timing.Audit = 500 * time.Millisecond
		keepRunning(as, controllers.Options{Namespaces: []string{ns}, Timing: timing})

		snapshot = filepath.Join(GinkgoT().TempDir(), "etcd.snapshot")
		Expect(user.Create(ctx, secret(ns, "acme", "secret", hmacKey))).To(Succeed())
		Expect(user.Create(ctx, hmacPolicy(ns, "acme", "acme"))).To(Succeed())
		pod = startPod(ctx, user, defaultServer(ns))
		Eventually(ready(ctx, "acme")).Should(BeTrue())
	})

	It("gives people their rights without giving the operator a ClusterRole", func(ctx context.Context) {
		for _, name := range []string{"gatehouse-edit", "gatehouse-admin", "gatehouse-view"} {
			Expect(user.Get(ctx, types.NamespacedName{Name: name}, &rbacv1.ClusterRole{})).To(Succeed())
		}
		var bindings rbacv1.ClusterRoleBindingList
		Expect(user.List(ctx, &bindings)).To(Succeed())
		Expect(bindings.Items).NotTo(ContainElement(HaveField("Subjects", ContainElement(HaveField("Name", ContainSubstring("gatehouse"))))))
	})

	It("works with the Role alone", func(ctx context.Context) {
		change(ctx, "one")
		Eventually(ready(ctx, "acme")).Should(BeTrue())
		Expect(served(ctx)["acme"].Audiences).To(ConsistOf("one"))
		Expect(plane.SnapshotEtcd(ctx, snapshot)).To(Succeed())
	})

	It("tells a server that selects namespaces that it cannot", func(ctx context.Context) {
		s := authServer(ns, "selecting")
		s.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesSelector, Selector: &metav1.LabelSelector{}}
		Expect(user.Create(ctx, s)).To(Succeed())
		Eventually(func() *v1alpha1.AuthServer { _ = user.Get(ctx, client.ObjectKeyFromObject(s), s); return s }).
			Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "needs the cluster-wide install"))
	})

	It("goes on when the API server is back", func(ctx context.Context) {
		Expect(plane.StopAPIServer()).To(Succeed())
		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		change(ctx, "two")
		Eventually(ready(ctx, "acme")).Should(BeTrue())
		Expect(served(ctx)["acme"].Audiences).To(ConsistOf("two"))
	})

	It("goes on when etcd is back", func(ctx context.Context) {
		Expect(plane.StopEtcd()).To(Succeed())
		Expect(plane.StartEtcd(ctx)).To(Succeed())
		change(ctx, "three")
		Eventually(ready(ctx, "acme")).Should(BeTrue())
	})

	It("serves what an etcd restored from an older copy holds, and nothing else", func(ctx context.Context) {
		Expect(user.Create(ctx, urlPolicy(ns, "later"))).To(Succeed())
		Eventually(ready(ctx, "later")).Should(BeTrue())
		Expect(served(ctx)).To(HaveKey("later"))

		Expect(plane.StopAPIServer()).To(Succeed())
		Expect(plane.StopEtcd()).To(Succeed())
		Expect(plane.RestoreEtcd(ctx, snapshot)).To(Succeed())
		Expect(plane.StartEtcd(ctx)).To(Succeed())
		Expect(plane.StartAPIServer(ctx)).To(Succeed())

		right := func() bool {
			s := served(ctx)
			_, later := s["later"]
			return !later && len(s["acme"].Audiences) == 1 && s["acme"].Audiences[0] == "one"
		}
		Eventually(right).Should(BeTrue())
		// A stale cache would write the old objects again sooner or later.
		change(ctx, "four")
		Eventually(ready(ctx, "acme")).Should(BeTrue())
		Consistently(func() map[string]config.Policy { return served(ctx) }, "5s", "200ms").
			Should(And(HaveLen(1), HaveKeyWithValue("acme", HaveField("Audiences", []string{"four"}))))
		Eventually(pod.serves(ctx)).Should(BeTrue())
	})
})

// keepRunning runs an operator as a Deployment does: it is started again when it ends.
func keepRunning(as *rest.Config, o controllers.Options) {
	GinkgoHelper()
	stop, ended := operateUntil(as, o)
	var mu sync.Mutex
	var wg sync.WaitGroup
	over := make(chan struct{})
	wg.Go(func() {
		defer GinkgoRecover()
		for {
			select {
			case <-over:
				return
			case err := <-ended:
				GinkgoLogr.Info("the operator ended", "err", err)
				mu.Lock()
				stop()
				stop, ended = operateUntil(as, o)
				mu.Unlock()
			}
		}
	})
	DeferCleanup(func() { close(over); wg.Wait(); mu.Lock(); defer mu.Unlock(); stop() })
}
