// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// group is one kind beneath a server.
type group struct {
	title     string
	rows      []row
	elsewhere int // how many the server serves of namespaces that were not read
}

// row is one object beneath a server.
type row struct {
	*Object
	label, what, note string
	// brief says that the AuthServer's own lines tell what is wrong with the object.
	brief bool
}

func (w *writer) groups(r *Report, s *Server) []group {
	var out []group
	idps := group{title: "IdentityProviders"}
	for i := range s.IdentityProviders {
		p := &s.IdentityProviders[i]
		idps.rows = append(idps.rows, newRow(s, &p.Object, safe(p.Type), providerNote(p)))
	}
	tenants := group{title: "TenantJWTPolicies"}
	for i := range s.TenantJWTPolicies {
		t := &s.TenantJWTPolicies[i]
		what := "tenant " + safe(t.TenantID)
		if t.Default {
			what += " (default)"
		}
		tenants.rows = append(tenants.rows, newRow(s, &t.Object, what, w.tenantNote(t)))
	}
	if r.Namespace != "" && s.shared && !s.partial && s.State == StateReady {
		idps.elsewhere = int(s.ServedIdentityProviders) - served(idps.rows)
		tenants.elsewhere = int(s.ServedTenantJWTPolicies) - served(tenants.rows)
	}
	for _, g := range []group{idps, tenants} {
		if len(g.rows) > 0 || g.elsewhere > 0 {
			slices.SortStableFunc(g.rows, func(a, b row) int { return cmp.Compare(urgency(a.Object), urgency(b.Object)) })
			out = append(out, g)
		}
	}
	return out
}

// served is how many objects the server serves, by what their conditions say.
func served(rows []row) (n int) {
	for i := range rows {
		accepted, resolved := findCondition(rows[i].Conditions, v1alpha1.ConditionAccepted), findCondition(rows[i].Conditions, v1alpha1.ConditionResolvedRefs)
		if accepted != nil && accepted.Status == "True" && resolved != nil && resolved.Status == "True" && rows[i].State != StateDisabled {
			n++
		}
	}
	return n
}

// newRow makes a row beneath s. An object's name has its namespace where that is not the server's.
func newRow(s *Server, o *Object, what, note string) row {
	r := row{Object: o, label: safe(o.Name), what: what, note: note}
	if o.Namespace != s.Namespace {
		r.label = safe(o.Namespace + "/" + o.Name)
	}
	missing := s.State == StateMissing && o.Reason == v1alpha1.ReasonNoMatchingAuthServer && o.Namespace == s.Namespace
	down := !o.State.ready() && o.Reason == v1alpha1.ReasonNoReadyReplicas && s.Reason == o.Reason && len(o.Problems) == 1
	if missing || down {
		r.brief, r.note = true, safe(o.Reason)
	}
	return r
}

// urgency orders objects by how much they need somebody.
func urgency(o *Object) int {
	switch {
	case o.State == StateStalled, o.State == StateNotReady:
		return 0
	case !o.State.ready():
		return 1
	case len(o.Problems) > 0:
		return 2
	}
	return 3
}

// providerNote tells of a provider's upstream and credential, where there is no problem to tell.
func providerNote(p *Provider) string {
	if c := findCondition(p.Conditions, v1alpha1.ConditionCredentialReady); c != nil && c.Status == metav1.ConditionTrue && c.Reason == v1alpha1.ReasonIssued {
		return safe(c.Message)
	}
	if c := findCondition(p.Conditions, v1alpha1.ConditionUpstreamReady); c != nil && c.Status == metav1.ConditionUnknown && p.State == StateReady {
		return "upstream not asked yet"
	}
	return ""
}

// tenantNote tells of a tenant's keys, where there is no problem to tell.
func (w *writer) tenantNote(t *Tenant) string {
	if t.KeysFetched != nil {
		return "keys fetched " + w.age(t.KeysFetched.Time) + " ago"
	}
	c := findCondition(t.Conditions, v1alpha1.ConditionUpstreamReady)
	switch {
	case c == nil || t.State != StateReady:
		return ""
	case c.Status == metav1.ConditionUnknown:
		return "keys not fetched yet"
	case c.Status == metav1.ConditionTrue:
		return "keys fetched without fail for " + w.age(c.LastTransitionTime.Time)
	}
	return ""
}
