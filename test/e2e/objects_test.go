// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// issuer signs the tokens of one tenant.
type issuer struct {
	name string
	key  *ecdsa.PrivateKey
}

func newIssuer(name string) *issuer {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	return &issuer{name: "https://" + name + ".example", key: key}
}

func (i *issuer) pem() string {
	GinkgoHelper()
	der, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	Expect(err).NotTo(HaveOccurred())
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// token is valid for an hour and for one audience.
func (i *issuer) token(subject, audience string) string {
	GinkgoHelper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": i.name, "sub": subject, "aud": audience, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(i.key)
	Expect(err).NotTo(HaveOccurred())
	return signed
}

// policy lets a tenant's ES256 tokens pass at a server, for the audiences given.
func policy(tenant, server string, i *issuer, audiences ...string) *v1alpha1.TenantJWTPolicy {
	return &v1alpha1.TenantJWTPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: tenant, Namespace: namespace},
		Spec: v1alpha1.TenantJWTPolicySpec{
			AuthServerRef: v1alpha1.AuthServerReference{Name: server},
			TenantID:      tenant,
			Issuers:       []v1alpha1.Issuer{{Issuer: i.name, Keys: []v1alpha1.KeySource{{PEM: i.pem()}}}},
			Algorithms:    []v1alpha1.SignatureAlgorithm{"ES256"},
			Audiences:     audiences,
			ClaimMappings: &v1alpha1.ClaimMappings{Username: v1alpha1.UsernameMapping{Claim: "sub", PrefixWithTenant: true}},
		},
	}
}

const (
	email  = "ada@example.com"
	phrase = "correct horse battery staple"
)

// staff is a Password provider of a server, and the Secret that holds its users: ada and whoever else is named, all with one password.
func staff(server string, others ...string) []client.Object {
	GinkgoHelper()
	hash, err := password.Hash([]byte(phrase), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	var users strings.Builder
	for _, name := range append([]string{"ada"}, others...) {
		fmt.Fprintf(&users, "- email: %[1]s@example.com\n  username: %[1]s\n  groups: [engineering]\n  hash: %[2]s\n", name, hash)
	}
	return []client.Object{
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "staff-users", Namespace: namespace},
			StringData: map[string]string{"users.yaml": users.String()},
		},
		&v1alpha1.IdentityProvider{
			ObjectMeta: metav1.ObjectMeta{Name: "staff", Namespace: namespace},
			Spec: v1alpha1.IdentityProviderSpec{
				AuthServerRef: v1alpha1.AuthServerReference{Name: server},
				Type:          v1alpha1.ProviderPassword,
				Password:      &v1alpha1.PasswordProvider{UsersSecretRef: &v1alpha1.SecretKeyReference{Name: "staff-users", Key: "users.yaml"}},
			},
		},
	}
}

func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(api.Create(ctx, o)).To(Succeed())
	}
}

// conditions of an object as it is now.
func conditions(ctx context.Context, o client.Object) []metav1.Condition {
	GinkgoHelper()
	Expect(api.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	return conditionsOf(o)
}

func conditionsOf(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.AuthServer:
		return o.Status.Conditions
	case *v1alpha1.IdentityProvider:
		return o.Status.Conditions
	case *v1alpha1.TenantJWTPolicy:
		return o.Status.Conditions
	}
	return nil
}

// ready tells whether the present generation is Ready, as kubectl wait reads it.
func ready(o client.Object) bool {
	c := meta.FindStatusCondition(conditionsOf(o), v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == o.GetGeneration()
}

func waitReady(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Eventually(func(g Gomega) {
			found := conditions(ctx, o)
			g.Expect(ready(o)).To(BeTrue(), "%s: %v", o.GetName(), found)
		}).Should(Succeed())
	}
}

// refused waits for a condition to be False and returns reason and message.
func refused(ctx context.Context, o client.Object, condition string) (reason, message string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		c := meta.FindStatusCondition(conditions(ctx, o), condition)
		g.Expect(c).NotTo(BeNil())
		g.Expect(c.Status).To(Equal(metav1.ConditionFalse))
		reason, message = c.Reason, c.Message
	}).Should(Succeed())
	return reason, message
}

// pods of a server that are ready and not on their way out.
func pods(ctx context.Context, server string) []corev1.Pod {
	GinkgoHelper()
	var list corev1.PodList
	Expect(api.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelServer: server})).To(Succeed())
	var ready []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil && podReady(&p) {
			ready = append(ready, p)
		}
	}
	return ready
}

func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// identity of pods: changes when one is replaced or its container restarts.
func identity(pods []corev1.Pod) map[string]int32 {
	found := map[string]int32{}
	for _, p := range pods {
		for _, c := range p.Status.ContainerStatuses {
			found[string(p.UID)] += c.RestartCount
		}
	}
	return found
}

// scaleOperator sets the operator's replicas and waits until its pods are as many.
func scaleOperator(ctx context.Context, replicas int32) {
	GinkgoHelper()
	var list appsv1.DeploymentList
	Expect(api.List(ctx, &list, client.InNamespace(operatorNamespace))).To(Succeed())
	Expect(list.Items).To(HaveLen(1))
	d := &list.Items[0]
	before := d.DeepCopy()
	d.Spec.Replicas = &replicas
	Expect(api.Patch(ctx, d, client.MergeFrom(before))).To(Succeed())
	Eventually(func(g Gomega) {
		var running corev1.PodList
		g.Expect(api.List(ctx, &running, client.InNamespace(operatorNamespace))).To(Succeed())
		g.Expect(running.Items).To(HaveLen(int(replicas)))
		for i := range running.Items {
			g.Expect(podReady(&running.Items[i])).To(BeTrue())
		}
	}).Should(Succeed())
}

func operatorReady(ctx context.Context) {
	GinkgoHelper()
	scaleOperator(ctx, 1)
}

// logs of every pod in a namespace, for the search after secrets.
func logs(ctx context.Context, in string) string {
	GinkgoHelper()
	list, err := core.CoreV1().Pods(in).List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	var all strings.Builder
	for _, p := range list.Items {
		data, err := core.CoreV1().Pods(in).GetLogs(p.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		Expect(err).NotTo(HaveOccurred())
		all.Write(data)
	}
	return all.String()
}

// unstructuredText is everything the API server would show of an object.
func text(objects ...runtime.Object) string {
	var all strings.Builder
	for _, o := range objects {
		data, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		Expect(err).NotTo(HaveOccurred())
		all.WriteString(strings.Join(flatten(data), "\n"))
	}
	return all.String()
}

func flatten(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, m := range v {
			all = append(all, flatten(m)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, m := range v {
			all = append(all, flatten(m)...)
		}
		return all
	}
	return nil
}
