// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// exchange is where the token comes from.
func (o *jwtBearerImport) exchange() {
	url, grant := o.s.URL(jbURL), o.grantType()
	if url == "" {
		if grant != "" && grant != v1alpha1.DefaultJWTBearerGrant {
			o.tell(jbGrant, "not carried over: without %s the JWT itself is the bearer token, and nothing is requested", jbURL)
		}
		return
	}
	for claim, key := range map[string]string{"sub": jbSubject, "aud": jbAudience} {
		if _, there := o.replaced[claim]; !there && !o.s.Has(key) {
			o.s.Mistake(jbURL, "a token endpoint needs %s too (RFC 7523 section 3)", key)
		}
	}
	o.spec.SetFrom("tokenEndpoint", url, jbURL)
	if strings.HasPrefix(url, "http:") {
		o.tell(jbURL, "http is only for addresses in spec.outbound.allowedCIDRs of the AuthServer: give the endpoint a certificate, or list its network there")
	}
	if grant != "" && grant != v1alpha1.DefaultJWTBearerGrant {
		o.spec.SetFrom("grantType", grant, jbGrant)
	}
}

// grantType is that of the request options, or of a field beside them.
func (o *jwtBearerImport) grantType() string {
	grant := o.s.Text(jbGrant)
	for _, m := range o.mapping(jbOptions) {
		if jwtBearerField(m.Name) != jbGrant {
			o.tell(jbOptions, "%s is not carried over: the importer does not know it. Other parameters of the request go into parameters", shown(m.Name))
			continue
		}
		if m.Value.Kind != Text || grant != "" && grant != m.Value.Text {
			o.s.Mistake(jbOptions, "Custom Grant Type: want one text, in one place")
			return ""
		}
		grant = strings.TrimSpace(m.Value.Text)
	}
	if strings.ContainsFunc(grant, func(r rune) bool { return r <= ' ' || r > '~' }) || len(grant) > 256 {
		o.s.Mistake(jbGrant, "want one word of printable ASCII, of at most 256 bytes")
		return ""
	}
	return grant
}

// callers says who may have the token, or that nobody may yet.
func (o *jwtBearerImport) callers() {
	output, callers := o.in.Option("output-secret"), o.in.Option("allowed-callers")
	if output != "" {
		o.spec.SetFrom("outputSecretName", output, "--output-secret")
	}
	if callers != "" {
		o.spec.SetFrom("allowedCallers", callers, "--allowed-callers")
	}
	if output == "" && callers == "" {
		o.object.Notes = append(o.object.Notes, Note{Text: "Nobody can have the token yet: set allowedCallers (GET /credentials/" + o.name +
			"), outputSecretName (a Secret for workloads), or upstreamCredential of a TenantJWTPolicy"})
	}
}
