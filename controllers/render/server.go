// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"net/url"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// serverPlan is the AuthServer's part of a plan.
type serverPlan struct {
	findings
	object   *v1alpha1.AuthServer
	selector labels.Selector // of namespaces, with from: Selector; nil matches none
	labels   func(string) (map[string]string, bool)
	// base has the settings in force, without providers; nil when there are none.
	base *config.Base
	last *config.Base
	held bool
}

func planServer(in *Input) *serverPlan {
	s := &serverPlan{object: in.Server, labels: in.NamespaceLabels, last: lastBase(in)}
	s.planSelector()
	base := s.settings(in)
	if s.bad() {
		s.held, base = true, s.last
	}
	if base != nil {
		kept := *base
		kept.Providers, kept.Bundles = nil, nil
		s.base = &kept
	}
	return s
}

// lastBase is the base.json in force, if it is this server's and can be read.
func lastBase(in *Input) *config.Base {
	if in.LastBase == nil {
		return nil
	}
	b, err := config.ParseBase(in.LastBase)
	if err != nil || b.Server != in.Name.String() {
		return nil
	}
	return b
}

func (s *serverPlan) planSelector() {
	allowed := &s.object.Spec.AllowedNamespaces
	if allowed.From != v1alpha1.NamespacesSelector {
		return
	}
	const field = "spec.allowedNamespaces.selector"
	if s.labels == nil {
		s.refuse(v1alpha1.ReasonInvalid, "spec.allowedNamespaces.from",
			"Selector needs the cluster-wide install, as this one cannot read namespaces: use Same or All")
		return
	}
	if allowed.Selector == nil {
		s.refuse(v1alpha1.ReasonInvalid, field, "from: Selector needs a selector")
		return
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	if err != nil {
		s.refuse(v1alpha1.ReasonInvalid, field, "%v", err)
		return
	}
	s.selector = selector
}

// allows tells whether objects of the namespace may attach.
func (s *serverPlan) allows(namespace string) bool {
	if namespace == s.object.Namespace {
		return true
	}
	switch s.object.Spec.AllowedNamespaces.From {
	case v1alpha1.NamespacesAll:
		return true
	case v1alpha1.NamespacesSelector:
		if s.selector == nil {
			return false
		}
		found, ok := s.labels(namespace)
		return ok && s.selector.Matches(labels.Set(found))
	default:
		return false
	}
}

// settings are the AuthServer's fields as the server reads them. The schema's defaults stand in for empty fields, so that an
// object from before a default existed renders too.
func (s *serverPlan) settings(in *Input) *config.Base {
	spec := &s.object.Spec
	b := &config.Base{Version: config.Version, Server: in.Name.String(), ExternalURL: spec.ExternalURL}
	if b.ExternalURL == "" {
		b.ExternalURL = DefaultExternalURL(in.Name)
	}
	if err := checkExternalURL(b.ExternalURL); err != nil {
		s.refuse(v1alpha1.ReasonInvalid, "spec.externalURL", "%q %v", b.ExternalURL, err)
	}
	b.Tokens.Audience = spec.Tokens.Audience
	if len(b.Tokens.Audience) == 0 {
		b.Tokens.Audience = []string{b.ExternalURL}
	}
	b.Tokens.AccessTokenLifetime = duration(spec.Tokens.AccessTokenLifetime, "15m")
	b.Tokens.RefreshTokenLifetime = duration(spec.Tokens.RefreshTokenLifetime, "720h")
	if b.Tokens.AccessTokenLifetime <= 0 || b.Tokens.RefreshTokenLifetime < b.Tokens.AccessTokenLifetime {
		s.refuse(v1alpha1.ReasonInvalid, "spec.tokens", "accessTokenLifetime must be positive and not exceed refreshTokenLifetime")
	}
	b.Store = s.store()
	b.Login = s.login(b.ExternalURL)
	if spec.Outbound != nil {
		b.Outbound.AllowedCIDRs = s.cidrs("spec.outbound.allowedCIDRs", spec.Outbound.AllowedCIDRs)
	}
	b.Monitoring.TenantSeries = s.tenantSeries()
	return b
}

// Bounds of monitoring.tenantSeries.
const (
	defaultTenantSeries = 100
	maxTenantSeries     = 1000
)

func (s *serverPlan) tenantSeries() int {
	given := s.object.Spec.Monitoring.TenantSeries
	if given == nil {
		return defaultTenantSeries
	}
	n := int(*given)
	if n < 0 || n > maxTenantSeries {
		s.refuse(v1alpha1.ReasonInvalid, "spec.monitoring.tenantSeries", "must be 0 to %d", maxTenantSeries)
		return defaultTenantSeries
	}
	return n
}

// cidrs runs the server's own reader over each network, which refuses host bits: 10.0.0.7/8 is more likely a slip for
// 10.0.0.7/32 than a wish for 10.0.0.0/8.
func (s *serverPlan) cidrs(field string, list []v1alpha1.CIDR) []string {
	out := make([]string, 0, len(list))
	for i, c := range list {
		parsed, err := outbound.ParseCIDRs([]string{string(c)})
		if err != nil {
			s.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("%s[%d]", field, i), "%v", errors.Unwrap(err))
			continue
		}
		out = append(out, parsed[0].String())
	}
	return out
}

func checkExternalURL(s string) error {
	const want = "must be scheme and host only, such as https://auth.example.com"
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.Scheme+"://"+u.Host != s {
		return errors.New(want)
	}
	if !validPort(u.Port()) {
		return fmt.Errorf("has no valid port: %s", want)
	}
	return nil
}

func duration(d, standard v1alpha1.Duration) config.Duration {
	if d == "" {
		d = standard
	}
	return config.Duration(d.Value())
}

func (s *serverPlan) bundle() *v1alpha1.CABundleReference {
	if s.object.Spec.Outbound == nil {
		return nil
	}
	return s.object.Spec.Outbound.CABundleRef
}

// references are read also while the AuthServer is not accepted, so that all its mistakes are told at once.
func (s *serverPlan) references() []Ref {
	var refs []Ref
	if dsn := s.dsnRef(); dsn != nil {
		refs = append(refs, secretRef(dsn, s.object.Namespace))
	}
	if b := s.dsnBundle(); b != nil {
		refs = append(refs, bundleRef(b, s.object.Namespace))
	}
	if logo := s.object.Spec.Login.Theme.Logo; logo != nil && logo.ConfigMapRef != nil {
		refs = append(refs, imageRef(logo, s.object.Namespace))
	}
	if b := s.bundle(); b != nil {
		refs = append(refs, bundleRef(b, s.object.Namespace))
	}
	return refs
}

// render returns the verdict and the base without providers, nil when there is nothing to serve by. What the AuthServer refers to and
// cannot be used stays as it was last.
func (s *serverPlan) render(r *resolver) (Verdict, *config.Base, bool) {
	f := findings{problems: s.problems, warnings: s.warnings}
	held, base := s.held, s.base
	var last config.Base
	if s.last != nil {
		last = *s.last
	}
	resolved := config.Base{Outbound: last.Outbound, Store: last.Store, Login: last.Login}
	ok := s.resolve(&f, r, &resolved)
	switch {
	case held:
	case !ok && s.last == nil:
		held, base = true, nil
	default:
		held = !ok
		kept := *base
		kept.Outbound.CABundle, kept.Login.Logo = resolved.Outbound.CABundle, resolved.Login.Logo
		if kept.Store.Type == config.StorePostgreSQL {
			kept.Store = resolved.Store
		}
		base = &kept
	}
	v := f.verdict()
	v.File, v.Served = config.FileBase, base != nil && !held
	return v, base, held
}

// resolve puts what the AuthServer refers to into out, where it can be used.
func (s *serverPlan) resolve(f *findings, r *resolver, out *config.Base) bool {
	good := true
	if s.dsnRef() != nil {
		store, ok := s.database(f, r)
		if good = ok; ok {
			out.Store = store
		}
	}
	problems := len(f.problems)
	logo := r.image(f, "spec.login.theme.logo", s.object.Spec.Login.Theme.Logo, s.object.Namespace)
	if len(f.problems) == problems {
		out.Login.Logo = logo
	} else {
		good = false
	}
	b := s.bundle()
	if b == nil {
		out.Outbound.CABundle = ""
		return good
	}
	pem, ok := r.caBundle(f, "spec.outbound.caBundleRef", b, s.object.Namespace)
	if ok {
		out.Outbound.CABundle = pem
	}
	return good && ok
}
