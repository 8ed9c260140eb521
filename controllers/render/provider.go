// SPDX-License-Identifier: Apache-2.0

package render

import (
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
}

// providerType is what render knows of one type.
type providerType struct {
	// plan checks the block without Secrets.
	plan func(p *Plan, o *providerPlan)
	// references are the Secrets and ConfigMaps that the block names.
	references func(o *providerPlan) []Ref
	// render fills the block of out.
	render func(o *providerPlan, f *findings, r *resolver, out *config.Provider)
}

// providerTypes is the registration of provider types.
var providerTypes = map[v1alpha1.ProviderType]*providerType{
	v1alpha1.ProviderPassword: {plan: planPassword, references: passwordReferences, render: renderPassword},
}

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
}

func (p *Plan) planProvider(o *providerPlan) {
	spec := &o.object.Spec
	if organization := p.organization(o); !p.owns(o.key.Namespace, organization) {
		o.refuse(v1alpha1.ReasonNameNotOwned, "spec.organization", "%q is not a name of namespace %s, whose organizations are %q and %q",
			organization, o.key.Namespace, o.key.Namespace, o.key.Namespace+".<more>")
	} else if !config.ValidTenantID(organization) {
		o.refuse(v1alpha1.ReasonInvalid, "spec.organization", "%q must be at most 128 letters, digits, dots, dashes and underscores that begin and end with a letter or digit", organization)
	}
	if o.kind = providerTypes[spec.Type]; o.kind == nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.type", "%q is not known: use %s", spec.Type, v1alpha1.ProviderPassword)
		return
	}
	o.kind.plan(p, o)
	o.disabled = spec.Enabled != nil && !*spec.Enabled
	if base := p.server.base; base != nil && base.Store.Type == config.StoreNone && !o.disabled {
		o.refuse(v1alpha1.ReasonStoreRequired, "spec.type",
			"nobody can log in at an AuthServer with spec.store.type None: set it to Embedded, or name another AuthServer")
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

// references are those of providers that will be served if the Secrets are good.
func (o *providerPlan) references() []Ref {
	if o.bad() || o.disabled {
		return nil
	}
	return o.kind.references(o)
}

// render returns the verdict, and the rendered provider if it is served.
func (o *providerPlan) render(p *Plan, r *resolver) (Verdict, *config.Provider) {
	f := findings{problems: slices.Clone(o.problems), warnings: slices.Clone(o.warnings)}
	var out *config.Provider
	if !f.bad() && !o.disabled {
		out = &config.Provider{
			Object: o.key.String(), Name: o.key.Name, Type: string(o.object.Spec.Type),
			DisplayName: o.object.Spec.DisplayName, Organization: p.organization(o),
		}
		if o.key.Namespace != p.in.Name.Namespace {
			out.Name = o.key.Namespace + "_" + o.key.Name
		}
		o.kind.render(o, &f, r, out)
	}
	fingerprint := ""
	if out != nil && !f.bad() {
		fingerprint, _ = f.measure(out, "keep fewer users in the Secret, or shorten their groups")
	}
	v := f.verdict()
	if v.File = config.FileBase; f.bad() {
		return v, nil
	}
	if o.disabled {
		v.Disabled = true
		v.Accepted.Reason, v.Accepted.Message = v1alpha1.ReasonDisabled, "the spec is valid, and spec.enabled is false: nobody can log in through this provider"
		v.ResolvedRefs.Message = "spec.enabled is false: the Secrets that the spec names are not read"
		return v, nil
	}
	v.Fingerprint = fingerprint
	return v, out
}
