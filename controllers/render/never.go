// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// entraAlgorithm is the one that Entra ID signs with.
const entraAlgorithm = "RS256"

// warnNever tells of issuers none of whose tokens can pass, although each field by itself is in order.
func (p *Plan) warnNever(o *policyPlan) {
	told := map[string]bool{}
	for n := range o.issuers {
		issuer := &o.issuers[n]
		address, field := cmp.Or(issuer.JWKSURI, issuer.Discovery), o.addressField(issuer.entry)
		if address == "" || told[field] { // a template has become several issuers with one mistake
			continue
		}
		told[field] = true
		if !p.dials(address) {
			o.warn(field, "http is dialled only inside the AuthServer's spec.outbound.allowedCIDRs, and there are none, so no keys can be fetched: use https, or have its owner allow the address")
		}
		if !o.azure() && o.symmetricOnly() {
			o.warn(field, "no signed token of this issuer can pass: spec.algorithms has only %s, and a symmetric key that anybody can fetch never counts. "+
				"Add the algorithm that it signs with, such as RS256, or give the secret under keys", strings.Join(o.algorithms, ", "))
		}
	}
	if o.azure() && len(told) > 0 && len(o.algorithms) > 0 && !slices.Contains(o.algorithms, entraAlgorithm) {
		o.warn("spec.algorithms", "no token of Entra ID can pass: it signs with %s, which is not among them: add that", entraAlgorithm)
	}
}

// addressField is where the address came from at which an entry's keys are.
func (o *policyPlan) addressField(entry int) string {
	if entry < 0 {
		return "spec.azure.authorityHost"
	}
	field := issuerField(entry)
	switch issuer := &o.object.Spec.Issuers[entry]; {
	case issuer.JWKSURI != "":
		return field + ".jwksURI"
	case issuer.DiscoveryURL != "":
		return field + ".discoveryURL"
	}
	return field + ".issuer"
}

// dials tells whether the server may dial the address at all, as far as its scheme decides.
func (p *Plan) dials(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || p.server.base == nil || len(p.server.base.Outbound.AllowedCIDRs) > 0 {
		return true // or it is told already
	}
	if !p.in.Loopback {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.IsLoopback()
}

// symmetricOnly tells whether every one of the policy's algorithms needs a shared secret.
func (o *policyPlan) symmetricOnly() bool {
	return len(o.algorithms) > 0 && !slices.ContainsFunc(o.algorithms, func(a string) bool { return !strings.HasPrefix(a, "HS") })
}

// planNamedDirectory checks an issuer of Entra ID without the template: its path begins with the directory's ID, and tokens of other directories
// than tenantIDs never pass.
func (o *policyPlan) planNamedDirectory(i int, directories []string) bool {
	u, err := url.Parse(strings.ToLower(o.object.Spec.Issuers[i].Issuer))
	if err != nil { // addIssuer tells
		return true
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	field := issuerField(i) + ".issuer"
	switch {
	case slices.Contains([]string{"common", "organizations", "consumers"}, name):
		o.warn(field, "no token of Entra ID names %s as its issuer: write %s in its place", name, template)
	case directoryID.MatchString(name) && len(directories) > 0 && !slices.Contains(directories, name):
		o.refuse(v1alpha1.ReasonInvalid, field, "it is of directory %s, which is not in spec.azure.tenantIDs: add it there if its users belong to this tenant, or write %s in its place",
			name, template)
		return false
	}
	return true
}
