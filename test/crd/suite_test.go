// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/test/kube"
)

var api client.Client

func TestCRD(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "CRD suite")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	control, err := kube.Start(ctx, kube.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(control.Stop)
	Expect(control.InstallCRDs(ctx, "../../config/crd/bases")).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme.Scheme)).To(Succeed())
	c, err := client.New(control.RestConfig(), client.Options{Scheme: scheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	api = client.WithFieldValidation(c, metav1.FieldValidationStrict)
})

// object reads a manifest and puts the group's version and a generated name where they are left out.
func object(manifest string) *unstructured.Unstructured {
	GinkgoHelper()
	content := map[string]any{}
	Expect(yaml.Unmarshal([]byte(manifest), &content)).To(Succeed())
	u := &unstructured.Unstructured{Object: content}
	u.SetAPIVersion(v1alpha1.GroupVersion.String())
	u.SetNamespace("default")
	if u.GetName() == "" {
		u.SetGenerateName("case-")
	}
	return u
}

// create does what kubectl does: a create with strict field validation.
func create(ctx context.Context, manifest string) (*unstructured.Unstructured, error) {
	u := object(manifest)
	return u, api.Create(ctx, u)
}
