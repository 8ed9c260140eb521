// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// RenderedCredential is one JWTBearer provider rendered alone.
type RenderedCredential struct {
	Verdict Verdict
	// Credential is nil unless the verdict is good and enabled, and while nothing tells the AuthServer's rules for outbound connections: it is not usable itself, and
	// there is no Input.LastBase.
	Credential *config.Credential
	// Outbound are those rules, with the CA bundle that counts for the credential's token endpoint.
	Outbound config.Outbound
}

// CredentialReferences are the Secrets and ConfigMaps that [Plan.Credential] needs of the provider: its own, and the AuthServer's CA bundle. Nothing else may be read.
func (p *Plan) CredentialReferences(key Key) []Ref {
	o := p.jwtBearer(key)
	if o == nil {
		return nil
	}
	refs := o.references()
	if b := p.server.bundle(); b != nil && len(refs) > 0 {
		refs = append(refs, bundleRef(b, p.in.Name.Namespace))
	}
	return refs
}

// Credential renders one JWTBearer provider of the plan alone: what the operator needs to keep an output Secret. refs must hold every entry of
// [Plan.CredentialReferences]; a missing one is an error, and so is a key that is not of such a provider.
func (p *Plan) Credential(key Key, refs map[Ref]Resolved) (*RenderedCredential, error) {
	if v, ok := p.rejected[key]; ok {
		return &RenderedCredential{Verdict: v}, nil
	}
	o := p.jwtBearer(key)
	if o == nil {
		return nil, fmt.Errorf("rendering %s alone: the plan has no such provider of type %s", key, v1alpha1.ProviderJWTBearer)
	}
	r := &resolver{refs: refs, requireLabel: p.in.RequireSecretLabel, bundles: map[bundleKey]normalized{}}
	verdict, credential := o.renderCredential(p, r)
	out := &RenderedCredential{Verdict: verdict}
	if credential != nil {
		rules, known := p.server.outbound(r)
		rules.CABundle = cmp.Or(credential.bundle, rules.CABundle)
		if known {
			out.Credential, out.Outbound = credential.credential, rules
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

// outbound are the rules in force for what the server dials; ok is false when none are known.
func (s *serverPlan) outbound(r *resolver) (config.Outbound, bool) {
	if s.base == nil {
		return config.Outbound{}, false
	}
	out := s.base.Outbound
	b := s.bundle()
	switch {
	case s.held:
		return out, true
	case b == nil:
		out.CABundle = ""
		return out, true
	}
	var f findings // those of the AuthServer are its own to tell
	pem, ok := r.caBundle(&f, "spec.outbound.caBundleRef", b, s.object.Namespace)
	if !ok && s.last != nil {
		pem, ok = s.last.Outbound.CABundle, true
	}
	out.CABundle = pem
	return out, ok
}

// jwtBearer finds a provider of the plan.
func (p *Plan) jwtBearer(key Key) *providerPlan {
	for _, o := range p.providers {
		if o.key == key && o.isCredential() {
			return o
		}
	}
	return nil
}

// renderCredential returns the verdict, and what is rendered if it is served.
func (o *providerPlan) renderCredential(p *Plan, r *resolver) (Verdict, *rendered) {
	f := o.found()
	var out *rendered
	fingerprint := ""
	if !f.bad() && !o.disabled {
		out = o.fillCredential(p, r, &f)
	}
	if out != nil && !f.bad() {
		fingerprint, out.size = f.measure(credentialWithBundle{out.credential, out.bundle}, "keep only the CAs in use in the bundle")
		out.size -= len(out.bundle)
		o.compile(&f, out.credential, fingerprint)
	}
	v := o.conclude(&f, fingerprint, "nobody is given its token")
	if f.bad() {
		return v, nil
	}
	return v, out
}

// compile runs the server's own compiler over what was rendered, so that nothing is written that a server would refuse.
func (o *providerPlan) compile(f *findings, credential *config.Credential, fingerprint string) {
	if f.bad() {
		return
	}
	wrong := o.memo.recall(func() string {
		if _, err := assertion.Compile(credential); err != nil {
			return err.Error() // begins with a field of the block
		}
		return ""
	}, "credential", fingerprint)
	if wrong != "" {
		f.refuse(v1alpha1.ReasonInvalid, "", "spec.jwtBearer.%s", wrong)
	}
}

// credentialWithBundle is a credential and the CA bundle that it names: what an object may hold must not depend on who shares its bundle.
type credentialWithBundle struct {
	*config.Credential
	Bundle string
}

// fillCredential makes the credential as the server reads it.
func (o *providerPlan) fillCredential(p *Plan, r *resolver, f *findings) *rendered {
	spec := o.object.Spec.JWTBearer
	out := &config.Credential{
		Object: o.key.String(), Name: p.providerName(o.key), Algorithm: string(spec.Algorithm),
		Issuer: spec.Issuer, Subject: spec.Subject, Audience: spec.Audience, Lifetime: duration(spec.Lifetime, defaultJWTLifetime),
		Headers: maps.Clone(o.jwtHeaders), Claims: o.jwtClaims, AllowedCallers: spec.AllowedCallers,
	}
	delete(out.Headers, "alg") // it equals the field
	delete(out.Headers, "kid")
	o.renderSigningKey(f, r, out)
	bundle := ""
	if spec.TokenEndpoint != "" {
		bundle = o.fillExchange(r, f, out)
	}
	return &rendered{key: o.key, object: o.object, credential: out, bundle: bundle}
}

// fillExchange adds what is for the token endpoint and returns its CA bundle.
func (o *providerPlan) fillExchange(r *resolver, f *findings, out *config.Credential) string {
	spec := o.object.Spec.JWTBearer
	out.TokenEndpoint, out.GrantType = string(spec.TokenEndpoint), cmp.Or(spec.GrantType, v1alpha1.DefaultJWTBearerGrant)
	if spec.ClientID != "" {
		client := o.renderClient(f, r, jwtBearerClient(spec))
		client.PKCE = false
		out.Client = &client
	}
	for _, param := range spec.Parameters {
		out.Parameters = append(out.Parameters, config.Parameter{Name: param.Name, Value: param.Value})
	}
	if o.object.Spec.CABundleRef == nil {
		return ""
	}
	bundle, ok := r.caBundle(f, "spec.caBundleRef", o.object.Spec.CABundleRef, o.key.Namespace)
	if !ok {
		return ""
	}
	out.CABundle = config.Hash([]byte(bundle))
	return bundle
}

// renderSigningKey reads the key, which must be one that signs with the algorithm.
func (o *providerPlan) renderSigningKey(f *findings, r *resolver, out *config.Credential) {
	const field = "spec.jwtBearer.keySecretRef"
	spec := o.object.Spec.JWTBearer
	ref := secretRef(&spec.KeySecretRef, o.key.Namespace)
	data, ok := r.value(f, field, ref, spec.KeySecretRef.Key)
	if !ok {
		return
	}
	key, err := assertion.ParseKeyFor(data, string(spec.Algorithm), spec.KeyID)
	if err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "key %q of %s: %v", spec.KeySecretRef.Key, ref, err)
		return
	}
	if kid, there := o.jwtHeaders["kid"]; there {
		if text, _ := textOf(kid); text != key.ID() {
			f.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.headers.kid", "must equal the key's ID: set spec.jwtBearer.keyID instead")
		}
	}
	text, err := key.JWK()
	if err != nil { // cannot happen for a key that was accepted
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "key %q of %s cannot be written as a JWK", spec.KeySecretRef.Key, ref)
		return
	}
	out.Key, out.KeyID = text, key.ID()
}
