// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"slices"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// providerPlan is one IdentityProvider that may attach.
type providerPlan struct {
	findings
	key      Key
	object   *v1alpha1.IdentityProvider
	disabled bool
	kind     *providerType
	memo     *Memo
	// mappings and rules are what the spec says where a user's attributes come from, and what must hold of whoever logs in.
	mappings config.ProviderMappings
	rules    []config.ClaimRule
	// jwtHeaders and jwtClaims are what a JWTBearer provider adds to each JWT.
	jwtHeaders, jwtClaims map[string]json.RawMessage
}

// providerType is what render knows of one type.
type providerType struct {
	// plan checks the block without Secrets.
	plan func(p *Plan, o *providerPlan)
	// references are the Secrets and ConfigMaps that the block names.
	references func(o *providerPlan) []Ref
	// render fills the block of out; nil for a credential, at which nobody logs in and which is rendered in credential.go.
	render func(o *providerPlan, f *findings, r *resolver, out *config.Provider)
}

// providerTypes is the registration of provider types.
var providerTypes = map[v1alpha1.ProviderType]*providerType{
	v1alpha1.ProviderPassword:  {plan: planPassword, references: passwordReferences, render: renderPassword},
	v1alpha1.ProviderOIDC:      {plan: planOIDC, references: oidcReferences, render: renderOIDC},
	v1alpha1.ProviderOAuth2:    {plan: planOAuth2, references: oauth2References, render: renderOAuth2},
	v1alpha1.ProviderJWTBearer: {plan: planJWTBearer, references: jwtBearerReferences},
}

// isCredential tells whether the provider is a credential, at which nobody logs in.
func (o *providerPlan) isCredential() bool { return o.kind != nil && o.kind.render == nil }

func (p *Plan) planProviders() {
	slices.SortFunc(p.providers, func(a, b *providerPlan) int { return p.compare(a.object, b.object) })
	var holding *providerPlan // the one Password provider
	for _, o := range p.providers {
		p.planProvider(o)
		if o.object.Spec.Type != v1alpha1.ProviderPassword || o.disabled || o.key.Namespace != p.in.Name.Namespace {
			continue
		}
		if holding == nil {
			holding = o
			continue
		}
		o.refuse(v1alpha1.ReasonPasswordProviderConflict, "spec.type",
			"an AuthServer serves one Password provider, and IdentityProvider %s is first: merge the users, disable one, or name another AuthServer",
			holding.key.Name)
	}
	p.planOutputs()
}

func (p *Plan) planProvider(o *providerPlan) {
	spec := &o.object.Spec
	if o.kind = providerTypes[spec.Type]; o.kind == nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.type", "%s is not known: use %s, %s, %s or %s", quoted(string(spec.Type)),
			v1alpha1.ProviderPassword, v1alpha1.ProviderOIDC, v1alpha1.ProviderOAuth2, v1alpha1.ProviderJWTBearer)
		return
	}
	o.disabled = spec.Enabled != nil && !*spec.Enabled
	if o.isCredential() {
		o.kind.plan(p, o)
		return
	}
	p.planOrganization(o)
	o.kind.plan(p, o)
	if base := p.server.base; base != nil && base.Store.Type == config.StoreNone && !o.disabled {
		o.refuse(v1alpha1.ReasonStoreRequired, "spec.type",
			"nobody can log in at an AuthServer with spec.store.type None: set it to Embedded or PostgreSQL, or name another AuthServer")
	}
}

func (p *Plan) planOrganization(o *providerPlan) {
	if organization := p.organization(o); !p.owns(o.key.Namespace, organization) {
		o.refuse(v1alpha1.ReasonNameNotOwned, "spec.organization", "%q is not a name of namespace %s, whose organizations are %q and %q",
			organization, o.key.Namespace, o.key.Namespace, o.key.Namespace+".<more>")
	} else if !config.ValidTenantID(organization) {
		o.refuse(v1alpha1.ReasonInvalid, "spec.organization", "%q must be at most 128 letters, digits, dots, dashes and underscores that begin and end with a letter or digit", organization)
	}
}

// organization of a provider's users: computed where the object names none.
func (p *Plan) organization(o *providerPlan) string {
	switch {
	case o.object.Spec.Organization != "":
		return o.object.Spec.Organization
	case o.key.Namespace == p.in.Name.Namespace:
		return "default"
	default:
		return o.key.Namespace
	}
}

// providerName is that of URLs.
func (p *Plan) providerName(key Key) string {
	if key.Namespace == p.in.Name.Namespace {
		return key.Name
	}
	return key.Namespace + "_" + key.Name
}

// displayName is what people read on the login page.
func (o *providerPlan) displayName() string {
	switch spec := &o.object.Spec; {
	case spec.DisplayName != "":
		return spec.DisplayName
	case spec.Type == v1alpha1.ProviderOIDC:
		return "OIDC"
	default:
		return o.key.Name
	}
}

// references are those of providers that will be served if the Secrets are good.
func (o *providerPlan) references() []Ref {
	if o.bad() || o.disabled {
		return nil
	}
	return o.kind.references(o)
}

// renderedProvider is one provider that is to be served.
type renderedProvider struct {
	key      Key
	provider *config.Provider
	bundle   string // that the provider names, in PEM; "" for none
	size     int    // of the provider as JSON without its bundle, in bytes
}

// render returns the verdict, and the rendered provider if it is served.
func (o *providerPlan) render(p *Plan, r *resolver) (Verdict, *renderedProvider) {
	f := o.found()
	var out *renderedProvider
	fingerprint := ""
	if !f.bad() && !o.disabled {
		out = o.fill(p, r, &f)
	}
	if out != nil && !f.bad() {
		fingerprint, out.size = f.measure(providerWithBundle{out.provider, out.bundle}, "keep fewer users in the Secret, use a smaller icon or icon.url, and keep only the CAs in use in the bundle")
		out.size -= len(out.bundle)
	}
	v := o.conclude(&f, fingerprint, "nobody can log in through this provider")
	if v.File = config.FileBase; f.bad() {
		return v, nil
	}
	return v, out
}

// found are the findings on the spec itself, as a copy to which those on its Secrets can be added.
func (o *providerPlan) found() findings {
	return findings{problems: slices.Clone(o.problems), warnings: slices.Clone(o.warnings)}
}

// conclude makes the verdict on a provider of any type. disabled says what follows from spec.enabled: false.
func (o *providerPlan) conclude(f *findings, fingerprint, disabled string) Verdict {
	v := f.verdict()
	switch {
	case f.bad():
	case o.disabled:
		v.Disabled = true
		v.Accepted.Reason, v.Accepted.Message = v1alpha1.ReasonDisabled, "the spec is valid, and spec.enabled is false: "+disabled
		v.ResolvedRefs.Message = "spec.enabled is false: the Secrets that the spec names are not read"
	default:
		v.Fingerprint = fingerprint
	}
	return v
}

// providerWithBundle is a provider and the CA bundle that it names: what an object may hold must not depend on who shares its bundle.
type providerWithBundle struct {
	*config.Provider
	Bundle string
}

// fill makes the provider as the server reads it.
func (o *providerPlan) fill(p *Plan, r *resolver, f *findings) *renderedProvider {
	spec := &o.object.Spec
	out := &config.Provider{
		Object: o.key.String(), Name: p.providerName(o.key), Type: string(spec.Type),
		DisplayName: o.displayName(), Organization: p.organization(o), OnLoginPage: o.key.Namespace == p.in.Name.Namespace,
	}
	out.Icon = r.image(f, "spec.icon", spec.Icon, o.key.Namespace)
	bundle := ""
	if spec.CABundleRef != nil {
		if bundle, _ = r.caBundle(f, "spec.caBundleRef", spec.CABundleRef, o.key.Namespace); bundle != "" {
			out.CABundle = config.Hash([]byte(bundle))
		}
	}
	o.kind.render(o, f, r, out)
	return &renderedProvider{key: o.key, provider: out, bundle: bundle}
}
