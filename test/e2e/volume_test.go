// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// claim makes a PersistentVolumeClaim: of the cluster's default storage class, else bound to a folder of this machine, whose files the
// node must then share. The folder is root's and nobody else may enter it, as a new volume is.
func claim(ctx context.Context, name string) {
	GinkgoHelper()
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("64Mi")}
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, Resources: corev1.VolumeResourceRequirements{Requests: size},
		},
	}
	if !hasDefaultClass(ctx) {
		volume := localVolume(ctx, size)
		c.Spec.VolumeName, c.Spec.StorageClassName = volume.Name, ptr.To("")
	}
	create(ctx, c)
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, c))).To(Succeed())
		Eventually(func() bool { return apierrors.IsNotFound(api.Get(ctx, client.ObjectKeyFromObject(c), c)) }).Should(BeTrue())
	}, NodeTimeout(patience))
}

func hasDefaultClass(ctx context.Context) bool {
	GinkgoHelper()
	var classes storagev1.StorageClassList
	Expect(api.List(ctx, &classes)).To(Succeed())
	for i := range classes.Items {
		if classes.Items[i].Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
			return true
		}
	}
	return false
}

// localVolume is a folder of this machine until the spec ends.
func localVolume(ctx context.Context, size corev1.ResourceList) *corev1.PersistentVolume {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	Expect(err).NotTo(HaveOccurred())
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "gatehouse-e2e-"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: dir}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelOSStable, Operator: corev1.NodeSelectorOpIn, Values: []string{"linux"}}},
			}}}},
		},
	}
	create(ctx, v)
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, v))).To(Succeed())
		Expect(os.RemoveAll(dir)).To(Succeed())
	}, NodeTimeout(patience))
	return v
}

// commandLine builds the command line and returns a function that runs it and returns what it prints.
func commandLine(ctx context.Context) func(stdin string, args ...string) string {
	GinkgoHelper()
	binary := filepath.Join(GinkgoT().TempDir(), "gatehouse")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "../../cmd/gatehouse").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))
	return func(stdin string, args ...string) string {
		GinkgoHelper()
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		return string(out)
	}
}

// opsTokenFile is a file with a server's operations token.
func opsTokenFile(ctx context.Context, server string) string {
	GinkgoHelper()
	var s corev1.Secret
	Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "gatehouse-" + server + "-ops"}, &s)).To(Succeed())
	file := filepath.Join(GinkgoT().TempDir(), "token")
	Expect(os.WriteFile(file, s.Data["token"], 0o600)).To(Succeed())
	return file
}

// Guards that the pod, which is not root's, may write to a volume, and that what it wrote is there for the next pod.
var _ = Describe("an embedded store on a volume", func() {
	It("keeps logins and users when the pod is deleted", func(ctx SpecContext) {
		const name, secret = "kept", "a horse of another colour"
		server := &v1alpha1.AuthServer{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
			Spec: v1alpha1.AuthServerSpec{
				Store: v1alpha1.Store{Type: v1alpha1.StoreEmbedded, Embedded: &v1alpha1.EmbeddedStore{PersistentVolumeClaim: name}},
			},
		}
		people := staff(name)
		claim(ctx, name)
		create(ctx, append(people, server)...)
		DeferCleanup(func(ctx SpecContext) { removeServer(ctx, server, people...) }, NodeTimeout(patience))
		waitReady(ctx, server, people[1])
		Expect(meta.FindStatusCondition(conditions(ctx, server), v1alpha1.ConditionStorePersistent)).To(HaveField("Status", metav1.ConditionTrue))
		Expect(deployment(ctx, name).Spec.Strategy.Type).To(Equal(appsv1.RecreateDeploymentStrategyType))
		first := pods(ctx, name)[0]

		status, ada := login(ctx, podURL(&first), phrase)
		Expect(status).To(Equal(http.StatusOK))
		gatehouse, token := commandLine(ctx), opsTokenFile(ctx, name)
		ops := func(p *corev1.Pod) []string {
			return []string{"--ops", "http://" + p.Status.PodIP + ":9090", "--token-file", token}
		}
		Expect(gatehouse(secret, append(ops(&first), "users", "add", "bob@example.com", "--username", "bob", "--password-stdin")...)).To(HavePrefix("Added bob of default"))

		Expect(api.Delete(ctx, &first)).To(Succeed())
		rolledOut(ctx, name, 1)
		second := pods(ctx, name)[0]
		Expect(second.UID).NotTo(Equal(first.UID))
		status, renewed := refresh(ctx, podURL(&second), ada.RefreshToken)
		Expect(status).To(Equal(http.StatusOK), "ada's login is gone")
		code, headers, err := verify(ctx, browserless(), podURL(&second), "default", renewed.AccessToken)
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
		Expect(headers.Get("X-Auth-Request-User")).To(Equal("ada"))
		status, _, _ = loginAs(ctx, podURL(&second), "bob@example.com", secret)
		Expect(status).To(Equal(http.StatusOK), "bob is gone")
		Expect(gatehouse("", append(ops(&second), "users", "show", "bob")...)).To(ContainSubstring("bob@example.com"))
	}, SpecTimeout(2*patience))
})
