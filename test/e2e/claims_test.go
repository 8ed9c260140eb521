// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// From an object with claim rules and examples to an answer for Envoy, through the Service's port.
var _ = Describe("claims", func() {
	It("decide for Envoy over gRPC, and examples are told and not enforced", func(ctx SpecContext) {
		edge, from := edgeServer(), newIssuer("idp")
		edge.Name = "claims" // a name of its own: pods of an earlier server of one name still answer while they end
		*edge.Spec.Replicas = 1
		acme := policy("acme", edge.Name, from, "https://api.example")
		acme.Spec.ClaimMappings.Headers = []v1alpha1.HeaderMapping{{Name: "X-Acme-Initial", Expression: "claims.sub.substring(0, 1)"}}
		acme.Spec.ClaimValidationRules = []v1alpha1.ClaimValidationRule{{Expression: "claims.sub != 'mallory'", Message: "mallory left"}}
		acme.Spec.Examples = []v1alpha1.PolicyExample{{
			Claims: apiextensionsv1.JSON{Raw: []byte(`{"iss": "https://idp.example", "aud": "https://api.example", "sub": "bob"}`)},
			Expect: v1alpha1.ExampleOutcome{Username: "acme/bob"},
		}}
		create(ctx, edge, acme)
		DeferCleanup(func(ctx SpecContext) { removeServer(ctx, edge, acme) }, NodeTimeout(patience))
		waitReady(ctx, edge, acme)
		Expect(meta.IsStatusConditionTrue(conditions(ctx, acme), v1alpha1.ConditionExamplesPassed)).To(BeTrue())

		address := strings.TrimSuffix(strings.TrimPrefix(service(ctx, edge.Name), "http://"), ":8080") + ":9191"
		answer := checkOverGRPC(ctx, address, "acme", from.token("bob", "https://api.example"))
		Expect(codes.Code(answer.GetStatus().GetCode())).To(Equal(codes.OK))
		Expect(headersOf(answer.GetOkResponse().GetHeaders())).To(And(
			HaveKeyWithValue("x-auth-request-user", "acme/bob"), HaveKeyWithValue("x-acme-initial", "b")))
		answer = checkOverGRPC(ctx, address, "acme", from.token("mallory", "https://api.example"))
		Expect(codes.Code(answer.GetStatus().GetCode())).To(Equal(codes.PermissionDenied))
		Expect(answer.GetDeniedResponse().GetBody()).NotTo(ContainSubstring("left"), "the client learns the rule")
		answer = checkOverGRPC(ctx, address, "globex", from.token("bob", "https://api.example"))
		Expect(codes.Code(answer.GetStatus().GetCode())).To(Equal(codes.Unauthenticated))

		patch(ctx, acme, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Examples[0].Expect.Username = "acme/eve" })
		waitReady(ctx, acme)
		reason, message := refused(ctx, acme, v1alpha1.ConditionExamplesPassed)
		Expect(reason).To(Equal(v1alpha1.ReasonExampleFailed))
		Expect(message).To(ContainSubstring("spec.examples[0]"))
	}, SpecTimeout(2*patience))
})

// checkOverGRPC asks as Envoy does, with the tenant from its route.
func checkOverGRPC(ctx context.Context, address, tenant, token string) *authv3.CheckResponse {
	GinkgoHelper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = connection.Close() }()
	answer, err := authv3.NewAuthorizationClient(connection).Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		ContextExtensions: map[string]string{"tenant": tenant},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Method: "GET", Path: "/", Host: "app.example", Headers: map[string]string{"authorization": "Bearer " + token},
		}},
	}}, grpc.WaitForReady(true)) // kube-proxy may learn of the pod later than the operator
	Expect(err).NotTo(HaveOccurred())
	return answer
}

func headersOf(options []*corev3.HeaderValueOption) map[string]string {
	headers := map[string]string{}
	for _, o := range options {
		headers[o.GetHeader().GetKey()] = o.GetHeader().GetValue() + string(o.GetHeader().GetRawValue())
	}
	return headers
}
