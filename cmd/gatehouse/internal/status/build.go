// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// NewReport makes a report of what was read.
func NewReport(o *Objects) *Report {
	b := builder{objects: o, events: eventsByObject(o.Events), servers: map[types.NamespacedName]*Server{}}
	for _, s := range o.Servers {
		b.addServer(s)
	}
	for name := range o.named() {
		if b.servers[name] == nil {
			b.addAbsent(name)
		}
	}
	for _, p := range o.Providers {
		b.addProvider(p)
	}
	for _, p := range o.Policies {
		b.addTenant(p)
	}
	b.addPods()
	r := &Report{APIVersion: SchemaVersion, Kind: SchemaKind, Time: o.Time.UTC().Truncate(0), Notes: o.Notes, AuthServers: []Server{}}
	for _, name := range slices.SortedFunc(maps.Keys(b.servers), byName) {
		s := b.servers[name]
		slices.SortFunc(s.IdentityProviders, func(a, b Provider) int { return byPlace(&a.Object, &b.Object) })
		slices.SortFunc(s.TenantJWTPolicies, func(a, b Tenant) int { return byPlace(&a.Object, &b.Object) })
		r.AuthServers = append(r.AuthServers, *s)
	}
	r.count()
	return r
}

func byName(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func byPlace(a, b *Object) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

type builder struct {
	objects *Objects
	events  map[eventKey][]Event
	servers map[types.NamespacedName]*Server
}

func (b *builder) judge(kind string, m *metav1.ObjectMeta, observed int64, conditions []metav1.Condition) Object {
	o := judge(m, observed, conditions, b.objects.Time)
	o.Events = b.events[eventKey{kind, m.Namespace, m.Name}]
	return o
}

func (b *builder) addServer(s *v1alpha1.AuthServer) {
	o := b.judge(v1alpha1.KindAuthServer, &s.ObjectMeta, s.Status.ObservedGeneration, s.Status.Conditions)
	if o.State.ready() {
		o.Problems = append(o.Problems, replicaAdvice(s)...)
	}
	out := &Server{
		Object: o, URL: s.Status.URL, Applied: s.Status.Applied, AppliedReplicas: s.Status.AppliedReplicas,
		Replicas: s.Status.Replicas, WantedReplicas: s.Spec.Replicas, ConfigHash: s.Status.ConfigHash, Store: string(s.Spec.Store.Type),
		ServedIdentityProviders: s.Status.IdentityProviders, ServedTenantJWTPolicies: s.Status.TenantJWTPolicies,
		IdentityProviders: []Provider{}, TenantJWTPolicies: []Tenant{},
		shared: s.Spec.AllowedNamespaces.From != "" && s.Spec.AllowedNamespaces.From != v1alpha1.NamespacesSame,
	}
	for i := range s.Status.SigningKeys {
		k := &s.Status.SigningKeys[i]
		out.SigningKeys = append(out.SigningKeys, SigningKey{
			KeyID: k.KeyID, Algorithm: k.Algorithm, Use: useOf(s.Status.SigningKeys, i, b.objects.Time), ActiveFrom: k.ActiveFrom, RetireAfter: k.RetireAfter,
		})
	}
	b.servers[types.NamespacedName{Namespace: s.Namespace, Name: s.Name}] = out
}

// useOf says what a key is for: the latest that is active signs.
func useOf(keys []v1alpha1.SigningKeyStatus, i int, now time.Time) string {
	if keys[i].ActiveFrom.After(now) {
		return UseNext
	}
	for j := range keys {
		later := keys[j].ActiveFrom.After(keys[i].ActiveFrom.Time) || (j > i && keys[j].ActiveFrom.Equal(&keys[i].ActiveFrom))
		if later && !keys[j].ActiveFrom.After(now) {
			return UseRetiring
		}
	}
	return UseSigning
}

// addAbsent adds an AuthServer that objects name and that was not read.
func (b *builder) addAbsent(name types.NamespacedName) {
	o := Object{Namespace: name.Namespace, Name: name.Name, State: StateMissing}
	if b.objects.Unreadable[name] {
		o.State = StateUnknown
	} else {
		o.Problems = []Problem{{Severity: SeverityError, Reason: string(StateMissing), Message: "objects name it, and it does not exist: create it, or correct their spec.authServerRef"}}
		if name.Name == v1alpha1.DefaultServerName {
			o.Problems[0].Message = "it does not exist yet: the operator creates it for the objects of its namespace that name it"
		}
	}
	b.servers[name] = &Server{Object: o, IdentityProviders: []Provider{}, TenantJWTPolicies: []Tenant{}}
}

func (b *builder) addProvider(p *v1alpha1.IdentityProvider) {
	s := b.servers[serverOf(p.Namespace, p.Spec.AuthServerRef)]
	out := Provider{
		Object: b.judge(v1alpha1.KindIdentityProvider, &p.ObjectMeta, p.Status.ObservedGeneration, p.Status.Conditions),
		Type:   string(p.Spec.Type), DisplayName: p.Spec.DisplayName,
	}
	if p.Spec.JWTBearer != nil {
		out.OutputSecret = p.Spec.JWTBearer.OutputSecretName
	}
	s.IdentityProviders = append(s.IdentityProviders, out)
}

func (b *builder) addTenant(p *v1alpha1.TenantJWTPolicy) {
	s := b.servers[serverOf(p.Namespace, p.Spec.AuthServerRef)]
	s.TenantJWTPolicies = append(s.TenantJWTPolicies, Tenant{
		Object:   b.judge(v1alpha1.KindTenantJWTPolicy, &p.ObjectMeta, p.Status.ObservedGeneration, p.Status.Conditions),
		TenantID: p.Spec.TenantID, Default: p.Spec.Default, KeysFetched: b.keysFetched(p),
	})
}

// keysFetched is the time of the oldest fetch whose keys serve, over the pods that were asked; nil without.
func (b *builder) keysFetched(p *v1alpha1.TenantJWTPolicy) *metav1.Time {
	var oldest *metav1.Time
	for _, answer := range b.objects.Answers {
		m := answer.Objects[v1alpha1.KindTenantJWTPolicy+"/"+p.Namespace+"/"+p.Name][v1alpha1.ConditionUpstreamReady]
		if !m.Fetched.IsZero() && (oldest == nil || m.Fetched.Before(oldest.Time)) {
			oldest = &metav1.Time{Time: m.Fetched}
		}
	}
	return oldest
}

// count counts what is there.
func (r *Report) count() {
	r.Summary = Summary{}
	add := func(c *Count, o *Object) {
		c.Total++
		if o.State.ready() {
			c.Ready++
		}
		for _, p := range o.Problems {
			if p.Severity == SeverityError {
				r.Summary.Errors++
			} else {
				r.Summary.Warnings++
			}
		}
	}
	for i := range r.AuthServers {
		s := &r.AuthServers[i]
		if s.State != StateUnknown && s.State != StateMissing && !s.partial {
			add(&r.Summary.AuthServers, &s.Object)
		}
		for j := range s.IdentityProviders {
			add(&r.Summary.IdentityProviders, &s.IdentityProviders[j].Object)
		}
		for j := range s.TenantJWTPolicies {
			add(&r.Summary.TenantJWTPolicies, &s.TenantJWTPolicies[j].Object)
		}
	}
	r.Ready = r.Summary.Errors == 0
}
