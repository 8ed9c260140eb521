// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/controllers"
)

// The operator's right to patch pods is fenced by config/admission. This container uses that right as somebody who took
// over the operator would.
var _ = Describe("The admission policy", Ordered, func() {
	var (
		operator         client.Client
		ours, somebodys  *corev1.Pod
		patch            func(ctx context.Context, pod *corev1.Pod, body string) error
		annotate         = `{"metadata":{"annotations":{"auth.gatehouse.dev/config-hash":"a1"}}}`
		refusedByPolicy  = MatchError(ContainSubstring("operator-pods.auth.gatehouse.dev"))
		onlyTheOperators = "the Gatehouse operator may"
	)
	BeforeAll(func(ctx context.Context) {
		config, err := control.AddUser(account, "system:serviceaccounts", "system:authenticated")
		Expect(err).NotTo(HaveOccurred())
		operator = newClient(config)
		ns := newNamespace(ctx)
		pod := func(name string, labels map[string]string) *corev1.Pod {
			p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Labels: labels, Annotations: map[string]string{"kept": "1"}}}
			p.Spec.Containers = []corev1.Container{{Name: "c", Image: "one"}}
			Expect(admin.Create(ctx, p)).To(Succeed())
			return p
		}
		ours = pod("ours", map[string]string{"auth.gatehouse.dev/server": "x"})
		somebodys = pod("somebodys", map[string]string{"app": "shop"})
		patch = func(ctx context.Context, pod *corev1.Pod, body string) error {
			return operator.Patch(ctx, pod.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(body)))
		}
		// A policy is enforced a moment after it was created.
		Eventually(func() error { return patch(ctx, somebodys, annotate) }).Should(refusedByPolicy)
	})

	It("lets the annotation pass, set, changed and removed, and with nothing changed", func(ctx context.Context) {
		for _, body := range []string{
			annotate, annotate, `{"metadata":{"annotations":{"auth.gatehouse.dev/config-hash":"a2"}}}`,
			`{"metadata":{"annotations":{"auth.gatehouse.dev/config-hash":null}}}`, `{}`,
		} {
			Expect(patch(ctx, ours, body)).To(Succeed(), body)
		}
	})

	DescribeTable("refuses", func(ctx context.Context, body string) {
		Expect(patch(ctx, ours, body)).To(And(refusedByPolicy, MatchError(ContainSubstring(onlyTheOperators))))
	},
		Entry("another image", `{"spec":{"containers":[{"name":"c","image":"two"}]}}`),
		Entry("another image beside the annotation", `{"metadata":{"annotations":{"auth.gatehouse.dev/config-hash":"a3"}},"spec":{"containers":[{"name":"c","image":"two"}]}}`),
		Entry("an earlier end", `{"spec":{"activeDeadlineSeconds":1}}`),
		Entry("a new label", `{"metadata":{"labels":{"app":"shop"}}}`),
		Entry("a changed label", `{"metadata":{"labels":{"auth.gatehouse.dev/server":"y"}}}`),
		Entry("no labels", `{"metadata":{"labels":null}}`),
		Entry("another annotation", `{"metadata":{"annotations":{"more":"1"}}}`),
		Entry("a changed annotation", `{"metadata":{"annotations":{"kept":"2"}}}`),
		Entry("a removed annotation", `{"metadata":{"annotations":{"kept":null}}}`),
		Entry("no annotations", `{"metadata":{"annotations":null}}`),
		Entry("an owner", `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Secret","name":"x","uid":"1"}]}}`),
		Entry("a finalizer", `{"metadata":{"finalizers":["example.com/x"]}}`),
	)

	It("refuses any change of other pods, the annotation included", func(ctx context.Context) {
		Expect(patch(ctx, somebodys, annotate)).To(refusedByPolicy)
		// Not even by taking them in first.
		Expect(patch(ctx, somebodys, `{"metadata":{"labels":{"auth.gatehouse.dev/server":"x"}}}`)).To(refusedByPolicy)
		Expect(patch(ctx, somebodys, `{"metadata":{"labels":{"auth.gatehouse.dev/server":"x"},"annotations":{"auth.gatehouse.dev/config-hash":"a1"}}}`)).To(refusedByPolicy)
	})

	It("does not concern anybody else", func(ctx context.Context) {
		p := somebodys.DeepCopy()
		Expect(admin.Patch(ctx, p, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"more":"1"}}}`)))).To(Succeed())
	})

	DescribeTable("knows the operator by its ServiceAccount's name", func(ctx context.Context, user string, fenced bool) {
		config, err := control.AddUser(user, "system:authenticated")
		Expect(err).NotTo(HaveOccurred())
		bindAdmin(ctx, user)
		c := newClient(config)
		try := func() error {
			return c.Patch(ctx, ours.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"more":"1"}}}`)), client.DryRunAll)
		}
		if fenced {
			Eventually(try).Should(refusedByPolicy) // the right takes a moment to count
		} else {
			Eventually(try).Should(Succeed())
		}
	},
		Entry("in another namespace", "system:serviceaccount:auth:gatehouse-operator", true),
		Entry("with a prefix", "system:serviceaccount:auth:acme-gatehouse-operator", true),
		Entry("with a suffix", "system:serviceaccount:gatehouse-system:gatehouse-operator-2", true),
		Entry("but no other account of a namespace of that name", "system:serviceaccount:gatehouse-operator:shop", false),
		Entry("and no person", "gatehouse-operator", false),
	)

	It("and the operator's rights follow an overlay's namespace and prefix", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		here, err := filepath.Abs("../config/default")
		Expect(err).NotTo(HaveOccurred())
		base, err := filepath.Rel(folder, here)
		Expect(err).NotTo(HaveOccurred())
		overlay := "namespace: auth\nnamePrefix: acme-\nresources: [" + base + "]\n"
		Expect(os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(overlay), 0o600)).To(Succeed())
		subjects := 0
		for doc := range strings.SplitSeq(string(kubectl(ctx, control, "kustomize", folder)), "\n---\n") {
			var b rbacv1.ClusterRoleBinding // the same fields as a RoleBinding
			Expect(yaml.Unmarshal([]byte(doc), &b)).To(Succeed())
			for _, s := range b.Subjects {
				subjects++
				Expect(s.Namespace+":"+s.Name).To(Equal("auth:acme-gatehouse-operator"), b.Name)
			}
		}
		Expect(subjects).To(Equal(2))
	})

	It("is tested by the operator itself", func(ctx context.Context) {
		ns := newNamespace(ctx)
		Expect(admin.Create(ctx, urlPolicy(ns, "acme"))).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		state := func(c client.Client) string {
			state, err := controllers.ProbeFence(ctx, c)
			Expect(err).NotTo(HaveOccurred())
			return state
		}
		Expect(state(operator)).To(Equal("holds"))
		Expect(state(admin)).To(Equal("missing"), "nothing fences the administrator")
		var pods corev1.PodList
		Expect(admin.List(ctx, &pods, client.InNamespace(ns))).To(Succeed())
		Expect(pods.Items[0].Annotations).NotTo(HaveKey("auth.gatehouse.dev/not-allowed"), "it is a dry run")
	})

	It("fences even an operator that was given more rights than it has", func(ctx context.Context) {
		bindAdmin(ctx, account)
		Eventually(func() error { // the right takes a moment to count
			return operator.SubResource("status").Patch(ctx, ours.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"status":{"phase":"Failed"}}`)))
		}).Should(refusedByPolicy)
		Expect(operator.Delete(ctx, ours.DeepCopy())).To(refusedByPolicy)
		Expect(operator.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: ours.Namespace, Name: "new"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "one"}}},
		})).To(refusedByPolicy)
	})
})
