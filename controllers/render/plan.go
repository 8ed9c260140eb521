// SPDX-License-Identifier: Apache-2.0

package render

import (
	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Plan is what is known of a configuration before any Secret is read. It is made by [NewPlan] and not changed afterwards, and
// may be rendered several times.
type Plan struct {
	in        Input
	server    *serverPlan // nil: the AuthServer does not exist
	providers []*providerPlan
	policies  []*policyPlan
	// rejected are objects that name the server but may not attach.
	rejected map[Key]Verdict
}

// NewPlan decides what needs no Secret: who may attach, whose names are whose, and what is wrong inside the specs.
// It does not change the objects and keeps pointers to them.
func NewPlan(in Input) *Plan {
	p := &Plan{in: in, rejected: map[Key]Verdict{}}
	in.Memo.turn()
	if in.Server != nil {
		p.server = planServer(&in)
	}
	for _, o := range in.Providers {
		key := Key{v1alpha1.KindIdentityProvider, o.Namespace, o.Name}
		if ServerOf(o.Spec.AuthServerRef, o.Namespace) == in.Name && p.attaches(key) {
			p.providers = append(p.providers, &providerPlan{key: key, object: o, memo: in.Memo})
		}
	}
	for _, o := range in.Policies {
		key := Key{v1alpha1.KindTenantJWTPolicy, o.Namespace, o.Name}
		if ServerOf(o.Spec.AuthServerRef, o.Namespace) == in.Name && p.attaches(key) {
			p.policies = append(p.policies, &policyPlan{key: key, object: o, memo: in.Memo})
		}
	}
	if p.server != nil {
		p.planProviders()
		p.planPolicies()
	}
	return p
}

// attaches tells whether the object's namespace may use the server, and notes the verdict if not. "No such server" and "not
// allowed" read alike, so that nobody can probe for servers of other namespaces.
func (p *Plan) attaches(key Key) bool {
	if p.server != nil && p.server.allows(key.Namespace) {
		return true
	}
	var f findings
	f.refuse(v1alpha1.ReasonNoMatchingAuthServer, "spec.authServerRef",
		"there is no AuthServer %s that allows namespace %s: create it, correct the reference, or ask its owner for spec.allowedNamespaces",
		p.in.Name, key.Namespace)
	p.rejected[key] = f.verdict()
	return false
}

// References are the Secrets and ConfigMaps that the AuthServer and the accepted objects name, each once, in no particular
// order that callers could rely on. Nothing else may be read.
func (p *Plan) References() []Ref {
	var out []Ref
	seen := map[Ref]bool{}
	add := func(refs []Ref) {
		for _, r := range refs {
			if !seen[r] {
				seen[r] = true
				out = append(out, r)
			}
		}
	}
	if p.server != nil {
		add(p.server.references())
	}
	for _, o := range p.providers {
		add(o.references())
	}
	for _, o := range p.policies {
		add(o.references())
	}
	return out
}
