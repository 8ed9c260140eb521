// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// managed are all objects of a server, by name.
func managed(server types.NamespacedName) []client.Object {
	at := func(suffix string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: server.Namespace, Name: "gatehouse-" + server.Name + suffix}
	}
	return []client.Object{
		&corev1.Secret{ObjectMeta: at("-config")}, &corev1.Secret{ObjectMeta: at("-tenants-1-0")},
		&corev1.Secret{ObjectMeta: at("-keys")}, &corev1.Secret{ObjectMeta: at("-ops")},
		&corev1.ServiceAccount{ObjectMeta: at("")}, &corev1.Service{ObjectMeta: at("")}, &corev1.Service{ObjectMeta: at("-ops")},
		&appsv1.Deployment{ObjectMeta: at("")}, &policyv1.PodDisruptionBudget{ObjectMeta: at("")}, &networkingv1.NetworkPolicy{ObjectMeta: at("")},
	}
}

// describe names an object for messages.
func describe(o client.Object) string { return fmt.Sprintf("%T %s", o, o.GetName()) }

var _ = Describe("From two objects", func() {
	It("makes the default AuthServer and all that runs it", func(ctx context.Context) {
		ns := newNamespace(ctx, "pod-security.kubernetes.io/enforce", "restricted")
		Expect(admin.Create(ctx, secret(ns, "acme", "secret", hmacKey))).To(Succeed())
		Expect(admin.Create(ctx, hmacPolicy(ns, "acme", "acme"))).To(Succeed())

		server := &v1alpha1.AuthServer{}
		Eventually(func() error { return admin.Get(ctx, defaultServer(ns), server) }).Should(Succeed())
		Expect(server.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationAutoCreated, "true"))

		for _, o := range managed(defaultServer(ns)) {
			Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(o), o) }).Should(Succeed(), describe(o))
			Expect(o.GetLabels()).To(HaveKeyWithValue(v1alpha1.LabelServer, "default"), describe(o))
			owner := metav1.GetControllerOf(o)
			Expect(owner).NotTo(BeNil(), describe(o))
			Expect(owner.UID).To(Equal(server.UID), describe(o))
			Expect(*owner.BlockOwnerDeletion).To(BeTrue(), describe(o))
		}

		By("writing Secrets that the server reads")
		var files corev1.Secret
		Expect(admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default-config"}, &files)).To(Succeed())
		base, err := config.ParseBase(files.Data[config.FileBase])
		Expect(err).NotTo(HaveOccurred())
		Expect(base.ExternalURL).To(Equal("http://gatehouse-default." + ns + ".svc:8080"))
		Expect(admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default-keys"}, &files)).To(Succeed())
		keys, err := config.ParseKeys(files.Data[config.FileKeys])
		Expect(err).NotTo(HaveOccurred())
		Expect(keys.Keys).To(HaveLen(1))
		Expect(admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default-ops"}, &files)).To(Succeed())
		Expect(string(files.Data["token"])).To(MatchRegexp(`^[0-9a-f]{64}$`))

		By("making pods that a namespace with Pod Security `restricted` takes")
		startPod(ctx, admin, defaultServer(ns))
		policy := hmacPolicy(ns, "acme", "acme")
		Eventually(fresh(ctx, policy)).Should(beReady())
		Expect(policy.Status.References).To(HaveLen(1))
		Eventually(fresh(ctx, server)).Should(beReady())
		Expect(server.Status.Applied).To(Equal("1/1"))
		Expect(server.Status.TenantJWTPolicies).To(BeEquivalentTo(1))
		Expect(server.Status.URL).To(Equal(base.ExternalURL))
		Expect(server.Status.ConfigHash).NotTo(BeEmpty())
		Expect(server.Status.SigningKeys).To(HaveLen(1))
		told := server.Status.SigningKeys[0]
		Expect(told.KeyID).To(Equal(keys.Keys[0].KeyID))
		Expect(told.Algorithm).To(Equal("ES256"))
		Expect(told.ActiveFrom.Time).To(BeTemporally("==", keys.Keys[0].ActiveFrom.Truncate(time.Second)))
		Expect(told.RetireAfter).To(BeNil(), "it has no successor")
	})

	It("makes no keys for a server that only verifies, and removes them when it becomes one, as it does what it says of the store", func(ctx context.Context) {
		ns := newNamespace(ctx)
		server := authServer(ns, "edge")
		Expect(admin.Create(ctx, server)).To(Succeed())
		keys := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "gatehouse-edge-keys"}}
		Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(keys), keys) }).Should(Succeed())
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionStorePersistent, metav1.ConditionFalse, v1alpha1.ReasonEmptyWithEachPod, ""))
		update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.Store.Type = v1alpha1.StoreNone })
		Eventually(func() bool { return notThere(ctx, keys) }).Should(BeTrue())
		Eventually(func() any { return fresh(ctx, server)().Status.SigningKeys }).Should(BeEmpty())
		Eventually(func() any { return conditionOf(fresh(ctx, server)(), v1alpha1.ConditionStorePersistent) }).Should(BeNil())
	})

	It("leaves Secrets alone that others made under a name that it needs, and says so", func(ctx context.Context) {
		ns := newNamespace(ctx)
		taken := secret(ns, "gatehouse-default-config", "mine", "yes")
		Expect(admin.Create(ctx, taken)).To(Succeed())
		Expect(admin.Create(ctx, urlPolicy(ns, "acme"))).To(Succeed())
		server := authServer(ns, "default")
		Expect(admin.Create(ctx, server)).To(Succeed())
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "gatehouse-default-config exists and was not made for this AuthServer"))
		Expect(server).To(haveCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalid, ""))
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(taken), taken)).To(Succeed())
		Expect(taken.Data).To(HaveLen(1))
		Expect(taken.Labels).To(BeEmpty())
		Expect(notThere(ctx, managed(defaultServer(ns))[7])).To(BeTrue(), "no Deployment mounts somebody else's Secret")
		Expect(fresh(ctx, server)().Status.TenantJWTPolicies).To(BeZero(), "nothing is served")

		Expect(admin.Delete(ctx, taken)).To(Succeed())
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
	})

	It("tells what the API server refuses of the workload", func(ctx context.Context) {
		ns := newNamespace(ctx)
		server := authServer(ns, "default")
		server.Spec.PodTemplate = &v1alpha1.PodTemplate{Tolerations: []corev1.Toleration{{Key: "not a key", Operator: corev1.TolerationOpExists}}}
		Expect(admin.Create(ctx, server)).To(Succeed())
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "tolerations"))
		update(ctx, server, func(s *v1alpha1.AuthServer) {
			s.Spec.PodTemplate = nil
			s.Spec.Resources = &v1alpha1.Resources{Requests: v1alpha1.ResourceList{Memory: "1Gi"}, Limits: v1alpha1.ResourceList{Memory: "512Mi"}}
		})
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "spec.resources.requests.memory: 1Gi is more than the limit of 512Mi"))
		update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.Resources = nil })
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
	})
})

func notThere(ctx context.Context, o client.Object) bool {
	err := admin.Get(ctx, client.ObjectKeyFromObject(o), o)
	return err != nil && client.IgnoreNotFound(err) == nil
}
