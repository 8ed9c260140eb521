// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

const (
	// namespace holds what the suite makes; Pod Security "restricted" is enforced in it.
	namespace = "gatehouse-e2e"
	// operatorNamespace is where config/default puts the operator.
	operatorNamespace = "gatehouse-system"
	// patience bounds every wait for the cluster: image start, rollout, first Ready.
	patience = 2 * time.Minute
	poll     = 100 * time.Millisecond
)

var (
	config *rest.Config
	api    client.WithWatch
	core   kubernetes.Interface
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "e2e suite")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(poll)
	path := os.Getenv("KUBECONFIG")
	Expect(path).NotTo(BeEmpty(), "set KUBECONFIG to the cluster that the suite may use")
	var err error
	config, err = clientcmd.BuildConfigFromFlags("", path)
	Expect(err).NotTo(HaveOccurred())
	config.QPS, config.Burst = 200, 400
	Expect(v1alpha1.AddToScheme(scheme.Scheme)).To(Succeed())
	api, err = client.NewWithWatch(config, client.Options{Scheme: scheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	core, err = kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	makeNamespace(ctx)
	operatorReady(ctx)
}, NodeTimeout(4*time.Minute))

// makeNamespace starts from an empty namespace, even after a run that was cut off.
func makeNamespace(ctx context.Context) {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": "restricted",
	}}}
	remove := func(ctx context.Context) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, ns.DeepCopy()))).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(api.Get(ctx, client.ObjectKeyFromObject(ns), &corev1.Namespace{}))
		}).Should(BeTrue(), "the namespace is still there")
	}
	remove(ctx)
	Expect(api.Create(ctx, ns)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		if os.Getenv("KEEP") == "" {
			remove(ctx)
		}
	}, NodeTimeout(patience))
}
