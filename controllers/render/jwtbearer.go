// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Bounds of spec.jwtBearer.lifetime, and beyond what token endpoints seldom take a JWT.
const (
	minJWTLifetime     = 10 * time.Second
	maxJWTLifetime     = 4400 * time.Hour
	commonJWTLifetime  = time.Hour
	defaultJWTLifetime = "1h"
)

// reservedSecretPrefix begins the names of the operator's own Secrets.
const reservedSecretPrefix = "gatehouse-"

// tokenParameters are set by the token request itself (RFC 7521 §4, RFC 6749 §2.3).
var tokenParameters = []string{"grant_type", "assertion", "client_id", "client_secret", "client_assertion", "client_assertion_type"}

func planJWTBearer(p *Plan, o *providerPlan) {
	spec := o.object.Spec.JWTBearer
	if spec == nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer", "type JWTBearer needs the block jwtBearer: set its keySecretRef, algorithm and issuer")
		return
	}
	if _, ok := jwk.Algorithm(string(spec.Algorithm)); !ok {
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.algorithm", "%s is not known: use one of %v", quoted(string(spec.Algorithm)), jwk.AlgorithmNames())
	}
	if spec.Issuer == "" {
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.issuer", "it is required")
	}
	switch lifetime := time.Duration(duration(spec.Lifetime, defaultJWTLifetime)); {
	case lifetime < minJWTLifetime || lifetime > maxJWTLifetime:
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.lifetime", "must be 10s to 4400h")
	case lifetime > commonJWTLifetime && spec.TokenEndpoint != "":
		o.warn("spec.jwtBearer.lifetime", "token endpoints seldom take a JWT that lives longer than 1h, and it is used once: 5m is enough")
	}
	o.planJWTMembers(spec)
	p.planExchange(o, spec)
	o.planCallers(spec)
	o.planOutput(spec)
}

// planExchange checks what is for the token endpoint.
func (p *Plan) planExchange(o *providerPlan, spec *v1alpha1.JWTBearerProvider) {
	const at = "spec.jwtBearer."
	if spec.TokenEndpoint == "" {
		o.planNoExchange(spec)
		return
	}
	if err := checkEndpoint(string(spec.TokenEndpoint)); err != nil {
		o.refuse(v1alpha1.ReasonInvalid, at+"tokenEndpoint", "%v", err)
	} else if !p.dials(string(spec.TokenEndpoint)) {
		o.warn(at+"tokenEndpoint", "http is dialled only inside the AuthServer's spec.outbound.allowedCIDRs, and there are none, so there will be no token: use https, or have its owner allow the address")
	}
	for _, required := range []struct{ name, value string }{{"subject", spec.Subject}, {"audience", spec.Audience}} {
		if required.value == "" {
			o.refuse(v1alpha1.ReasonInvalid, at+required.name, "tokenEndpoint needs it (RFC 7523 section 3)")
		}
	}
	if c := jwtBearerClient(spec); c.id != "" || c.secret != nil || c.method != "" {
		o.planClient(c)
	}
	o.planParameters(spec)
}

// planNoExchange refuses what would be for a token endpoint.
func (o *providerPlan) planNoExchange(spec *v1alpha1.JWTBearerProvider) {
	if spec.GrantType != "" || spec.ClientID != "" || spec.ClientSecretRef != nil || spec.ClientAuthenticationMethod != "" || len(spec.Parameters) > 0 {
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.tokenEndpoint", "grantType, clientID, clientSecretRef, clientAuthenticationMethod and parameters are for it: set it, or leave them out")
	}
	if o.object.Spec.CABundleRef != nil {
		o.warn("spec.caBundleRef", "it is for spec.jwtBearer.tokenEndpoint, and there is none: it is not read")
	}
}

func (o *providerPlan) planParameters(spec *v1alpha1.JWTBearerProvider) {
	for i, param := range spec.Parameters {
		field := fmt.Sprintf("spec.jwtBearer.parameters[%d].name", i)
		switch {
		case param.Name == "" || slices.Contains(tokenParameters, param.Name):
			o.refuse(v1alpha1.ReasonInvalid, field, "%s is set by the request itself: leave it out", quoted(param.Name))
		case slices.ContainsFunc(spec.Parameters[:i], func(other v1alpha1.TokenParameter) bool { return other.Name == param.Name }):
			o.refuse(v1alpha1.ReasonInvalid, field, "another entry has the same name: keep one")
		}
	}
}

func jwtBearerClient(spec *v1alpha1.JWTBearerProvider) clientSpec {
	return clientSpec{block: "spec.jwtBearer", id: spec.ClientID, secret: spec.ClientSecretRef, method: spec.ClientAuthenticationMethod}
}

// planCallers compiles allowedCallers with the server's own compiler.
func (o *providerPlan) planCallers(spec *v1alpha1.JWTBearerProvider) {
	text := spec.AllowedCallers
	if text == "" {
		return
	}
	wrong := o.memo.recall(func() string {
		if err := claims.CheckExpression("callers", text); err != nil {
			return err.Error()
		}
		return ""
	}, "callers", text)
	if wrong != "" {
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.allowedCallers", "%s", wrong)
	}
}

// planOutput keeps the output Secret apart from those that are read.
func (o *providerPlan) planOutput(spec *v1alpha1.JWTBearerProvider) {
	const field = "spec.jwtBearer.outputSecretName"
	name := spec.OutputSecretName
	if name == "" {
		return
	}
	if strings.HasPrefix(name, reservedSecretPrefix) {
		o.refuse(v1alpha1.ReasonInvalid, field, "names that begin with %s are the operator's own: choose another, such as api-token", reservedSecretPrefix)
	}
	inputs := []struct {
		field string
		is    bool
	}{
		{"spec.jwtBearer.keySecretRef", spec.KeySecretRef.Name == name},
		{"spec.jwtBearer.clientSecretRef", spec.ClientSecretRef != nil && spec.ClientSecretRef.Name == name},
		{"spec.caBundleRef", o.object.Spec.CABundleRef != nil && o.object.Spec.CABundleRef.Kind == v1alpha1.BundleSecret && o.object.Spec.CABundleRef.Name == name},
	}
	for _, in := range inputs {
		if in.is {
			o.refuse(v1alpha1.ReasonInvalid, field, "Secret %s is what %s reads, and what is written must be another: choose another name", quoted(name), in.field)
		}
	}
}

// planOutputs gives each output Secret to its first claimant.
func (p *Plan) planOutputs() {
	claimed := map[Ref]Key{}
	for _, o := range p.providers {
		if o.object.Spec.Type != v1alpha1.ProviderJWTBearer || o.object.Spec.JWTBearer == nil || o.object.Spec.JWTBearer.OutputSecretName == "" {
			continue
		}
		ref := Ref{v1alpha1.BundleSecret, o.key.Namespace, o.object.Spec.JWTBearer.OutputSecretName}
		if first, taken := claimed[ref]; taken {
			o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.outputSecretName", "IdentityProvider %s writes Secret %s already: choose another name", first.Name, quoted(ref.Name))
			continue
		}
		claimed[ref] = o.key
	}
}

func jwtBearerReferences(o *providerPlan) []Ref {
	spec := o.object.Spec.JWTBearer
	refs := []Ref{secretRef(&spec.KeySecretRef, o.key.Namespace)}
	if spec.ClientSecretRef != nil {
		refs = append(refs, secretRef(spec.ClientSecretRef, o.key.Namespace))
	}
	if b := o.object.Spec.CABundleRef; b != nil && spec.TokenEndpoint != "" {
		refs = append(refs, bundleRef(b, o.key.Namespace))
	}
	return refs
}
