// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("What the operator made", func() {
	var (
		ns     string
		policy *v1alpha1.TenantJWTPolicy
		pod    *fakePod
	)
	BeforeEach(func(ctx context.Context) {
		ns = newNamespace(ctx)
		Expect(admin.Create(ctx, secret(ns, "acme", "secret", hmacKey))).To(Succeed())
		policy = hmacPolicy(ns, "acme", "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		pod = startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		settled(ctx, ns)
	})

	It("is made again when it is deleted", func(ctx context.Context) {
		for _, o := range managed(defaultServer(ns)) {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed(), describe(o))
			before := o.GetUID()
			Expect(admin.Delete(ctx, o)).To(Succeed(), describe(o))
			Eventually(func() types.UID { _ = admin.Get(ctx, client.ObjectKeyFromObject(o), o); return o.GetUID() }).
				ShouldNot(Equal(before), describe(o))
			Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(o), o) }).Should(Succeed(), describe(o))
		}
	})

	It("is put right when it is edited, and keeps what others add", func(ctx context.Context) {
		for name, edit := range map[string]struct {
			object client.Object
			change func(client.Object)
			right  func(client.Object) bool
		}{
			"a rendered file": {
				managed(defaultServer(ns))[0],
				func(o client.Object) { o.(*corev1.Secret).Data["base.json"] = []byte("{}") },
				func(o client.Object) bool { return len(o.(*corev1.Secret).Data["base.json"]) > 2 },
			},
			"the label of a Secret": {
				managed(defaultServer(ns))[1],
				func(o client.Object) { o.SetLabels(map[string]string{"kept": "yes"}) },
				func(o client.Object) bool {
					return o.GetLabels()[v1alpha1.LabelServer] == "default" && o.GetLabels()["kept"] == "yes"
				},
			},
			"signing keys that cannot be read": {
				managed(defaultServer(ns))[2],
				func(o client.Object) { o.(*corev1.Secret).Data["keys.json"] = []byte("nonsense") },
				func(o client.Object) bool { return len(o.(*corev1.Secret).Data["keys.json"]) > 20 },
			},
			"the token of the ServiceAccount": {
				managed(defaultServer(ns))[4],
				func(o client.Object) { o.(*corev1.ServiceAccount).AutomountServiceAccountToken = ptr.To(true) },
				func(o client.Object) bool { return !*o.(*corev1.ServiceAccount).AutomountServiceAccountToken },
			},
			"the selector of the Service": {
				managed(defaultServer(ns))[5],
				func(o client.Object) { o.(*corev1.Service).Spec.Selector = map[string]string{"app": "other"} },
				func(o client.Object) bool {
					return o.(*corev1.Service).Spec.Selector[v1alpha1.LabelServer] == "default"
				},
			},
			"the image": {
				managed(defaultServer(ns))[7],
				func(o client.Object) {
					t := &o.(*appsv1.Deployment).Spec.Template
					t.Spec.Containers[0].Image = "evil"
					t.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
				},
				func(o client.Object) bool {
					t := &o.(*appsv1.Deployment).Spec.Template
					return t.Spec.Containers[0].Image == "localhost/gatehouse:test" && t.Annotations["kubectl.kubernetes.io/restartedAt"] == "now"
				},
			},
			"replicas": {
				managed(defaultServer(ns))[7],
				func(o client.Object) { o.(*appsv1.Deployment).Spec.Replicas = ptr.To[int32](7) },
				func(o client.Object) bool { return *o.(*appsv1.Deployment).Spec.Replicas == 1 },
			},
			"the disruption budget": {
				managed(defaultServer(ns))[8],
				func(o client.Object) {
					o.(*policyv1.PodDisruptionBudget).Spec.MaxUnavailable = ptr.To(intstr.FromInt32(9))
				},
				func(o client.Object) bool { return o.(*policyv1.PodDisruptionBudget).Spec.MaxUnavailable.IntVal == 1 },
			},
			"the network policy": {
				managed(defaultServer(ns))[9],
				func(o client.Object) { o.(*networkingv1.NetworkPolicy).Spec.Ingress[1].From = nil },
				func(o client.Object) bool { return len(o.(*networkingv1.NetworkPolicy).Spec.Ingress[1].From) == 1 },
			},
		} {
			By(name)
			o := edit.object
			Eventually(func() error {
				if err := admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
					return err
				}
				edit.change(o)
				return admin.Update(ctx, o)
			}).Should(Succeed(), name)
			Eventually(func() bool {
				return admin.Get(ctx, client.ObjectKeyFromObject(o), o) == nil && edit.right(o)
			}).Should(BeTrue(), name)
		}
	})

	It("is missed at once when its owner is taken off", func(ctx context.Context) {
		files := managed(defaultServer(ns))[0]
		update(ctx, files, func(o client.Object) { o.SetOwnerReferences(nil) })
		server := authServer(ns, "default")
		Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "was not made for this AuthServer"))
		Expect(server.Status.TenantJWTPolicies).To(BeZero(), "nothing was written")
	})

	It("goes when it is turned off", func(ctx context.Context) {
		server := authServer(ns, "default")
		update(ctx, server, func(s *v1alpha1.AuthServer) {
			s.Spec.NetworkPolicy.Enabled, s.Spec.PodDisruptionBudget.Enabled = ptr.To(false), ptr.To(false)
		})
		for _, o := range managed(defaultServer(ns))[8:] {
			Eventually(func() bool { return notThere(ctx, o) }).Should(BeTrue(), describe(o))
		}
	})

	It("rolls no pod for a policy, a user or a key", func(ctx context.Context) {
		template := func() string {
			var d appsv1.Deployment
			Expect(admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default"}, &d)).To(Succeed())
			out, err := json.Marshal(d.Spec.Template)
			Expect(err).NotTo(HaveOccurred())
			return string(out)
		}
		before := template()
		more := urlPolicy(ns, "more")
		Expect(admin.Create(ctx, more)).To(Succeed())
		Eventually(fresh(ctx, more)).Should(beReady())
		Expect(admin.Create(ctx, secret(ns, "users", "users.yaml", "[]"))).To(Succeed())
		staff := passwordProvider(ns, "staff", "users")
		Expect(admin.Create(ctx, staff)).To(Succeed())
		Eventually(fresh(ctx, staff)).Should(beReady())
		keys := managed(defaultServer(ns))[2]
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(keys), keys)).To(Succeed())
		version := keys.GetResourceVersion()
		clock.advance(721 * time.Hour)
		Eventually(func() string {
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(keys), keys)).To(Succeed())
			return keys.GetResourceVersion()
		}).ShouldNot(Equal(version), "the keys are rotated when it is time")
		Consistently(template, "300ms").Should(Equal(before))
	})

	It("costs three writes and one annotation per pod for a change, and nothing when idle", func(ctx context.Context) {
		stop()
		start(patient()) // a pod that is late is nudged again, and told of
		DeferCleanup(func() { stop(); start(quick) })
		other := hmacPolicy(ns, "other", "acme")
		Expect(admin.Create(ctx, other)).To(Succeed())
		second := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, other)).Should(beReady())
		settled(ctx, ns)
		Consistently(func() []string { return line.in(ns) }, "500ms").Should(BeEmpty())

		untouched := fresh(ctx, other)().ResourceVersion
		nudges := pod.nudged() + second.nudged()
		update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"x"} })
		Eventually(fresh(ctx, policy)).Should(beReady())
		Eventually(func() []string { return line.in(ns) }).Should(ContainElement(ContainSubstring("/authservers/default/status")), "the last write")
		Expect(settled(ctx, ns)).To(ConsistOf(
			ContainSubstring("/secrets/gatehouse-default-tenants-1-0"),
			ContainSubstring("/tenantjwtpolicies/acme/status"),
			ContainSubstring("/authservers/default/status"),
			ContainSubstring("/pods/"), ContainSubstring("/pods/"),
		))
		Expect(pod.nudged() + second.nudged()).To(Equal(nudges + 2))
		Expect(fresh(ctx, other)().ResourceVersion).To(Equal(untouched), "another tenant's status is not touched")
	})

	It("takes changes that come together as one", func(ctx context.Context) {
		line.forget()
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			Expect(admin.Create(ctx, urlPolicy(ns, name))).To(Succeed())
		}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			Eventually(fresh(ctx, urlPolicy(ns, name))).Should(beReady())
		}
		shards := 0
		for _, w := range line.in(ns) {
			if strings.Contains(w, "-tenants-") {
				shards++
			}
		}
		Expect(shards).To(BeNumerically("<=", 3))
	})

	It("is not touched after a failed read, and the change is made when reads work again", func(ctx context.Context) {
		DeferCleanup(func() { line.refusing(nil) })
		line.refusing(func(req *http.Request) int {
			if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, ns+"/secrets/acme") {
				return http.StatusInternalServerError
			}
			return 0
		})
		line.forget()
		Expect(admin.Create(ctx, urlPolicy(ns, "new"))).To(Succeed())
		Consistently(func() []string { return line.in(ns) }, "700ms").Should(BeEmpty())
		Expect(fresh(ctx, policy)()).To(beReady())
		line.refusing(nil)
		Eventually(fresh(ctx, urlPolicy(ns, "new"))).Should(beReady())
	})

	It("stays through a moment of Forbidden, which an API server answers until it knows its rules; what lasts is believed", func(ctx context.Context) {
		DeferCleanup(func() { line.refusing(nil) })
		line.refusing(func(req *http.Request) int {
			if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, ns+"/secrets/acme") {
				return http.StatusForbidden
			}
			return 0
		})
		line.forget()
		Expect(admin.Create(ctx, urlPolicy(ns, "new"))).To(Succeed())
		Consistently(func() []string { return line.in(ns) }, "700ms").Should(BeEmpty())
		clock.advance(31 * time.Second)
		Eventually(fresh(ctx, policy)).Should(haveCondition(v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonRefNotPermitted, "own rights"))
		Eventually(fresh(ctx, urlPolicy(ns, "new"))).Should(beReady())
		line.refusing(nil)
		update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"x"} })
		Eventually(fresh(ctx, policy)).Should(beReady())
	})
})

// settled waits until the operator has written nothing to a namespace for a while. It returns, and forgets, what was written.
func settled(ctx context.Context, namespace string) []string {
	GinkgoHelper()
	last, since := -1, time.Now()
	Eventually(func() bool {
		if n := len(line.in(namespace)); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 700*time.Millisecond
	}).WithContext(ctx).Should(BeTrue())
	defer line.forget()
	return line.in(namespace)
}
