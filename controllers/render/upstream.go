// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// endpoint is a URL of a provider and the field that it is in.
type endpoint struct{ field, url string }

// planUpstream checks what OIDC and OAuth2 have in common. The endpoints are those that the object names.
func (p *Plan) planUpstream(o *providerPlan, c clientSpec, endpoints []endpoint) {
	spec := &o.object.Spec
	if base := p.server.base; base != nil && !o.disabled && !browsersTrust(base.ExternalURL) {
		o.refuse(v1alpha1.ReasonHTTPSRequired, "spec.type", "browsers log in over https only, and the AuthServer's URL is %s: set its spec.externalURL to an https URL", base.ExternalURL)
	}
	if spec.Linking != "" && spec.Linking != v1alpha1.LinkingNone && o.key.Namespace != p.in.Name.Namespace {
		o.refuse(v1alpha1.ReasonNameNotOwned, "spec.linking", "only objects of the AuthServer's own namespace may link users: leave it out, or name an AuthServer of namespace %s", o.key.Namespace)
	}
	o.planChoices()
	o.planClient(c)
	o.planMappings()
	p.planEndpoints(o, endpoints)
	o.planOpen(endpoints)
	o.warnUsername(endpoints)
	if spec.Icon != nil {
		planImage(&o.findings, "spec.icon", spec.Icon)
	}
}

// planChoices refuses words that no schema would let through.
func (o *providerPlan) planChoices() {
	spec := &o.object.Spec
	for _, c := range []struct {
		field, value string
		known        []string
	}{
		{"spec.userSync", string(spec.UserSync), []string{config.SyncAlways, config.SyncFirstLogin}},
		{"spec.linking", string(spec.Linking), []string{config.LinkingNone, config.LinkingVerifiedEmail}},
	} {
		if c.value != "" && !slices.Contains(c.known, c.value) {
			o.refuse(v1alpha1.ReasonInvalid, c.field, "%s is not known: use %s", quoted(c.value), strings.Join(c.known, " or "))
		}
	}
}

// planEndpoints checks each URL, and tells of those that the server may not dial.
func (p *Plan) planEndpoints(o *providerPlan, endpoints []endpoint) {
	for _, e := range endpoints {
		if err := checkEndpoint(e.url); err != nil {
			o.refuse(v1alpha1.ReasonInvalid, e.field, "%v", err)
			continue
		}
		if browserOnly := strings.HasSuffix(e.field, ".authorizationEndpoint") || strings.HasSuffix(e.field, ".logoutEndpoint") || strings.HasSuffix(e.field, ".endSessionEndpoint"); browserOnly {
			continue // the server itself does not dial it
		}
		if !p.dials(e.url) {
			o.warn(e.field, "http is dialled only inside the AuthServer's spec.outbound.allowedCIDRs, and there are none, so nobody can log in: use https, or have its owner allow the address")
		}
	}
}

// renderUpstream fills in what OIDC and OAuth2 have in common.
func (o *providerPlan) renderUpstream(out *config.Provider, syncLogout *bool) {
	mappings := o.mappings
	out.Mappings = &mappings
	out.Rules = o.rules
	out.UserSync = cmp.Or(string(o.object.Spec.UserSync), config.SyncAlways)
	out.Linking = cmp.Or(string(o.object.Spec.Linking), config.LinkingNone)
	out.SyncLogout = syncLogout != nil && *syncLogout
}

// upstreamReferences are the Secrets and ConfigMaps that an OIDC or OAuth2 provider names.
func (o *providerPlan) upstreamReferences(secret *v1alpha1.SecretKeyReference) []Ref {
	var refs []Ref
	spec := &o.object.Spec
	if spec.Icon != nil && spec.Icon.ConfigMapRef != nil {
		refs = append(refs, imageRef(spec.Icon, o.key.Namespace))
	}
	if spec.CABundleRef != nil {
		refs = append(refs, bundleRef(spec.CABundleRef, o.key.Namespace))
	}
	if secret != nil {
		refs = append(refs, secretRef(secret, o.key.Namespace))
	}
	return refs
}

// browsersTrust tells whether browsers take the URL for a place where cookies may be Secure: https, or http on a loopback host.
func browsersTrust(externalURL string) bool {
	u, err := url.Parse(externalURL)
	if err != nil {
		return false
	}
	return u.Scheme == "https" || isLoopback(u.Hostname())
}

// isLoopback tells whether a host is this machine by its name or address.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// given keeps the endpoints that are there.
func given(endpoints ...endpoint) []endpoint {
	return slices.DeleteFunc(endpoints, func(e endpoint) bool { return e.url == "" })
}
