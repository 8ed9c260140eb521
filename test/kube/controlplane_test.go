// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestControlPlane guards what the suites rely on, in one life of one control plane, because a start takes seconds.
func TestControlPlane(t *testing.T) {
	c, err := Start(t.Context(), Options{CRDs: []string{"testdata"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []struct {
		name string
		run  func(*testing.T, *ControlPlane, kubernetes.Interface)
	}{
		{"CRDs are served", testCRDs},
		{"users have the rights that RBAC gives them", testUsers},
		{"admission policies are enforced", testAdmissionPolicy},
		{"the API server comes back on its address and data", testAPIServerRestart},
		{"a missing etcd makes the API server unready until it is back", testEtcdRestart},
		{"a restored copy holds nothing written after it", testRestore},
		{"parts are started and stopped once", testTwice},
		{"stop removes everything", testStop},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, c, clientset(t, c.RestConfig())) })
	}
}

func clientset(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func createConfigMap(t *testing.T, client kubernetes.Interface, name string) error {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), object, metav1.CreateOptions{})
	return err
}

func getConfigMap(t *testing.T, client kubernetes.Interface, name string) error {
	t.Helper()
	_, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), name, metav1.GetOptions{})
	return err
}

// eventually polls until check returns no error, for what the API server takes up a moment after it was written.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 2*time.Minute, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatal(err, last)
	}
}

func testCRDs(t *testing.T, c *ControlPlane, client kubernetes.Interface) {
	raw, err := client.Discovery().RESTClient().Get().AbsPath("/apis/test.gatehouse.dev/v1/namespaces/default/widgets").DoRaw(t.Context())
	if err != nil || !strings.Contains(string(raw), "WidgetList") {
		t.Fatalf("listing widgets: %v: %s", err, raw)
	}
	out, err := c.Kubectl(t.Context(), "get", "widgets", "--output=name").CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl with the admin's kubeconfig: %v: %s", err, out)
	}
}

func testUsers(t *testing.T, c *ControlPlane, client kubernetes.Interface) {
	config, err := c.AddUser("alice", "readers")
	if err != nil {
		t.Fatal(err)
	}
	alice := clientset(t, config)
	if err := getConfigMap(t, alice, "any"); !apierrors.IsForbidden(err) {
		t.Fatalf("without a binding: got %v, want Forbidden", err)
	}
	// The built-in role `view` is empty here: a controller fills it.
	_, err = client.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "readers"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "readers"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "readers"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "readers"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := getConfigMap(t, alice, "any"); !apierrors.IsNotFound(err) {
			return errors.Join(errors.New("want NotFound for a reader"), err)
		}
		return nil
	})
	if err := createConfigMap(t, alice, "any"); !apierrors.IsForbidden(err) {
		t.Fatalf("writing with a right to read: got %v, want Forbidden", err)
	}
}

func testAdmissionPolicy(t *testing.T, _ *ControlPlane, client kubernetes.Interface) {
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "no-forbidden"},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: "!object.metadata.name.startsWith('forbidden')", Message: "the name is taken"}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "no-forbidden"},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: "no-forbidden", ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	admission := client.AdmissionregistrationV1()
	if _, err := admission.ValidatingAdmissionPolicies().Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := admission.ValidatingAdmissionPolicyBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "forbidden-"}}
		_, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), object, metav1.CreateOptions{})
		if err == nil || !strings.Contains(err.Error(), "the name is taken") {
			return errors.Join(errors.New("want the policy's message"), err)
		}
		return nil
	})
}

func testAPIServerRestart(t *testing.T, c *ControlPlane, client kubernetes.Interface) {
	if err := createConfigMap(t, client, "before-restart"); err != nil {
		t.Fatal(err)
	}
	if err := c.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := getConfigMap(t, client, "before-restart"); err == nil {
		t.Fatal("a stopped API server answered")
	}
	if err := c.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := getConfigMap(t, client, "before-restart"); err != nil {
		t.Fatalf("the same client after the restart: %v", err)
	}
}

func testEtcdRestart(t *testing.T, c *ControlPlane, client kubernetes.Interface) {
	ready := func() error { return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(t.Context()).Error() }
	if err := c.StopEtcd(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if ready() == nil {
			return errors.New("the API server still says it is ready")
		}
		return nil
	})
	if err := c.StartEtcd(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ready(); err != nil {
		t.Fatalf("StartEtcd returned before the API server was ready: %v", err)
	}
	if err := getConfigMap(t, client, "before-restart"); err != nil {
		t.Fatal(err)
	}
}

func testRestore(t *testing.T, c *ControlPlane, client kubernetes.Interface) {
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	if err := createConfigMap(t, client, "before-snapshot"); err != nil {
		t.Fatal(err)
	}
	if err := c.SnapshotEtcd(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
	if err := createConfigMap(t, client, "after-snapshot"); err != nil {
		t.Fatal(err)
	}
	if err := c.SnapshotEtcd(t.Context(), snapshot); err == nil {
		t.Fatal("a snapshot was written over another")
	}
	if err := c.RestoreEtcd(t.Context(), t.TempDir()); err == nil {
		t.Fatal("an empty folder was taken for a snapshot")
	}
	if err := c.RestoreEtcd(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
	if err := getConfigMap(t, client, "before-snapshot"); err != nil {
		t.Fatal(err)
	}
	if err := getConfigMap(t, client, "after-snapshot"); !apierrors.IsNotFound(err) {
		t.Fatalf("an object written after the snapshot: got %v, want NotFound", err)
	}
	if err := createConfigMap(t, client, "after-restore"); err != nil {
		t.Fatal(err)
	}
}

func testTwice(t *testing.T, c *ControlPlane, _ kubernetes.Interface) {
	if err := c.StartEtcd(t.Context()); err == nil {
		t.Error("etcd was started twice")
	}
	if err := c.StartAPIServer(t.Context()); err == nil {
		t.Error("the API server was started twice")
	}
	if err := errors.Join(c.StopAPIServer(), c.StopEtcd()); err != nil {
		t.Fatal(err)
	}
	if c.StopAPIServer() == nil || c.StopEtcd() == nil {
		t.Error("a stopped part was stopped again without an error")
	}
	if err := c.StartAPIServer(t.Context()); err == nil || !strings.Contains(err.Error(), "start it first") {
		t.Errorf("the API server without etcd: %v", err)
	}
	if err := errors.Join(c.StartEtcd(t.Context()), c.StartAPIServer(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func testStop(t *testing.T, c *ControlPlane, _ kubernetes.Interface) {
	addresses := []string{c.clientPort.address(), c.securePort.address()}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			t.Errorf("%s still accepts connections", address)
		}
	}
	if _, err := os.Stat(c.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}
