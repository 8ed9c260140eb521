// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Filter chooses objects. The zero Filter chooses all.
type Filter struct{ names []name }

// name is KIND/NAME, or with an empty kind a name of whatever kind, or a tenant ID.
type name struct{ kind, name, given string }

// words are what a kind is called in a filter, in lower case.
var words = map[string]string{
	"as": v1alpha1.KindAuthServer, "authserver": v1alpha1.KindAuthServer, "authservers": v1alpha1.KindAuthServer,
	"idp": v1alpha1.KindIdentityProvider, "identityprovider": v1alpha1.KindIdentityProvider, "identityproviders": v1alpha1.KindIdentityProvider,
	"tjp": v1alpha1.KindTenantJWTPolicy, "tenantjwtpolicy": v1alpha1.KindTenantJWTPolicy, "tenantjwtpolicies": v1alpha1.KindTenantJWTPolicy,
}

// ParseFilter reads names as kubectl takes them: tjp/acme, idp/sso, as/default or their long forms; and acme, which is whatever has that name or tenant ID.
func ParseFilter(args []string) (Filter, error) {
	var f Filter
	for _, arg := range args {
		kind, rest, both := strings.Cut(arg, "/")
		if !both {
			kind, rest = "", arg
		}
		if rest == "" || strings.Contains(rest, "/") {
			return Filter{}, fmt.Errorf("%q is no name: want NAME or KIND/NAME, such as acme or tjp/acme; a namespace goes into -n", arg)
		}
		n := name{name: rest, given: arg}
		if both {
			word := strings.TrimSuffix(strings.ToLower(kind), "."+v1alpha1.GroupVersion.Group)
			known, ok := words[word]
			if !ok {
				return Filter{}, fmt.Errorf("%q is no kind of Gatehouse's: want as (AuthServer), idp (IdentityProvider) or tjp (TenantJWTPolicy)", kind)
			}
			n.kind = known
		}
		f.names = append(f.names, n)
	}
	return f, nil
}

// Empty tells whether the filter chooses all.
func (f Filter) Empty() bool { return len(f.names) == 0 }

func (f Filter) has(kind string, names ...string) bool {
	for _, n := range f.names {
		if n.kind != "" && n.kind != kind {
			continue
		}
		for i, called := range names {
			// A tenant ID is no name of an object: tjp/ID asks for the object.
			if called == n.name && (i == 0 || n.kind == "") {
				return true
			}
		}
	}
	return false
}

// Apply keeps what the filter names: an AuthServer with all that belongs to it, another object beneath its AuthServer. missing are the names that nothing has.
func (f Filter) Apply(r *Report) (missing []string) {
	if f.Empty() {
		return nil
	}
	for _, n := range f.names {
		if !(Filter{[]name{n}}).hits(r) {
			missing = append(missing, n.given)
		}
	}
	kept := []Server{}
	for i := range r.AuthServers {
		s := r.AuthServers[i]
		if f.has(v1alpha1.KindAuthServer, s.Name) {
			kept = append(kept, s)
			continue
		}
		s.IdentityProviders = keep(s.IdentityProviders, func(p *Provider) bool { return f.has(v1alpha1.KindIdentityProvider, p.Name) })
		s.TenantJWTPolicies = keep(s.TenantJWTPolicies, func(t *Tenant) bool { return f.has(v1alpha1.KindTenantJWTPolicy, t.Name, t.TenantID) })
		if len(s.IdentityProviders)+len(s.TenantJWTPolicies) > 0 {
			s.partial = true
			kept = append(kept, s)
		}
	}
	r.AuthServers = kept
	r.count()
	return missing
}

// Details tells whether a report has only objects that were named one by one: then there is room for all of their conditions.
func (f Filter) Details(r *Report) bool {
	for i := range r.AuthServers {
		if !r.AuthServers[i].partial {
			return false
		}
	}
	return !f.Empty()
}

// hits tells whether anything has the filter's names.
func (f Filter) hits(r *Report) bool {
	for i := range r.AuthServers {
		s := &r.AuthServers[i]
		if f.has(v1alpha1.KindAuthServer, s.Name) {
			return true
		}
		for j := range s.IdentityProviders {
			if f.has(v1alpha1.KindIdentityProvider, s.IdentityProviders[j].Name) {
				return true
			}
		}
		for j := range s.TenantJWTPolicies {
			if f.has(v1alpha1.KindTenantJWTPolicy, s.TenantJWTPolicies[j].Name, s.TenantJWTPolicies[j].TenantID) {
				return true
			}
		}
	}
	return false
}

// OnlyProblems keeps what is not right, beneath its AuthServer.
func (r *Report) OnlyProblems() {
	kept := []Server{}
	for i := range r.AuthServers {
		s := r.AuthServers[i]
		s.IdentityProviders = keep(s.IdentityProviders, func(p *Provider) bool { return len(p.Problems) > 0 })
		s.TenantJWTPolicies = keep(s.TenantJWTPolicies, func(t *Tenant) bool { return len(t.Problems) > 0 })
		if len(s.Problems)+len(s.IdentityProviders)+len(s.TenantJWTPolicies) > 0 {
			s.partial = true
			kept = append(kept, s)
		}
	}
	r.AuthServers = kept // the counts stay those of everything
}

func keep[T any](list []T, good func(*T) bool) []T {
	out := []T{}
	for i := range list {
		if good(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}
