// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// policyPlan is one TenantJWTPolicy that may attach.
type policyPlan struct {
	findings
	key    Key
	object *v1alpha1.TenantJWTPolicy
	memo   *Memo
	// algorithms of the policy, the default filled in.
	algorithms []string
	// directories is the number of different spec.azure.tenantIDs.
	directories int
	issuers     []issuerPlan
	claims      config.ClaimRules
	// decryption is what the block says, without keys; nil without one.
	decryption *config.Decryption
	// inline holds the parsed inline keys by issuer and source.
	inline map[[2]int][]*jwk.Key
}

// planPolicies gives each tenant ID, and the default, to its first claimant.
func (p *Plan) planPolicies() {
	slices.SortFunc(p.policies, func(a, b *policyPlan) int { return p.compare(a.object, b.object) })
	tenants := make(map[string]Key, len(p.policies))
	var standard *Key
	for _, o := range p.policies {
		id := o.object.Spec.TenantID
		if !p.owns(o.key.Namespace, id) {
			o.refuse(v1alpha1.ReasonNameNotOwned, "spec.tenantID", "%q is not a name of namespace %s, whose tenant IDs are %q and %q",
				id, o.key.Namespace, o.key.Namespace, o.key.Namespace+".<more>")
		} else if winner, taken := tenants[id]; taken {
			o.refuse(v1alpha1.ReasonTenantConflict, "spec.tenantID", "%q already belongs to %s: choose another tenantID, or delete one of the two",
				id, holder(winner, o.key))
		} else {
			tenants[id] = o.key
		}
		switch {
		case !o.object.Spec.Default:
		case o.key.Namespace != p.in.Name.Namespace:
			o.refuse(v1alpha1.ReasonNameNotOwned, "spec.default", "only a policy of the AuthServer's own namespace may be the default: set it to false")
		case standard != nil:
			o.refuse(v1alpha1.ReasonTenantConflict, "spec.default", "%s is the default already: set default to true in one of the two only", holder(*standard, o.key))
		case !o.bad():
			standard = &o.key
		}
		p.planPolicy(o)
	}
	p.planUpstreamCredentials()
	p.planHeaderNames()
}

// planPolicy checks one spec. The schema checks most of it too; it is done again because an API server lets
// unchanged fields of an older object through, and because one object must never make the files unreadable.
func (p *Plan) planPolicy(o *policyPlan) {
	spec := &o.object.Spec
	if !config.ValidTenantID(spec.TenantID) {
		o.refuse(v1alpha1.ReasonInvalid, "spec.tenantID", "%s must be at most 128 letters, digits, dots, dashes and underscores that begin and end with a letter or digit", quoted(spec.TenantID))
	}
	o.planAlgorithms()
	o.planDecryption()
	if len(spec.Issuers) == 0 && !spec.AcceptIssuedTokens && !o.azure() && spec.Azure == nil && !o.direct() {
		o.refuse(v1alpha1.ReasonInvalid, "spec.issuers", "no token can pass: add an entry, set spec.profile to Azure, or set spec.acceptIssuedTokens to true")
	}
	o.planTimes()
	o.inline = map[[2]int][]*jwk.Key{}
	p.planIssuers(o)
	o.planClaims()
	o.planExamples()
	p.planTokenExchange(o)
	p.warnExchanged(o)
}

// planTimes checks what is a length of time.
func (o *policyPlan) planTimes() {
	spec := &o.object.Spec
	if leeway(spec) < 0 {
		o.refuse(v1alpha1.ReasonInvalid, "spec.leeway", "must not be negative")
	}
	if spec.MaxTokenAge != "" && spec.MaxTokenAge.Value() <= 0 {
		o.refuse(v1alpha1.ReasonInvalid, "spec.maxTokenAge", "must be at least 1s")
	}
	if times := jwksTimes(spec.JWKS); times != nil && (times.RefreshInterval <= 0 || times.StaleIfError < 0) {
		o.refuse(v1alpha1.ReasonInvalid, "spec.jwks", "refreshInterval must be positive, and staleIfError not negative")
	}
}

func (o *policyPlan) planAlgorithms() {
	for i, a := range o.object.Spec.Algorithms {
		if _, ok := jwk.Algorithm(string(a)); !ok {
			o.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("spec.algorithms[%d]", i), "%s is not known: use some of %v", quoted(string(a)), jwk.AlgorithmNames())
			continue
		}
		if !slices.Contains(o.algorithms, string(a)) {
			o.algorithms = append(o.algorithms, string(a))
		}
	}
	if len(o.object.Spec.Algorithms) == 0 {
		o.algorithms = []string{"RS256"}
	}
}

func leeway(spec *v1alpha1.TenantJWTPolicySpec) config.Duration { return duration(spec.Leeway, "30s") }

// jwksTimes are nil where the spec leaves them to the server's defaults.
func jwksTimes(given *v1alpha1.JWKSOptions) *config.JWKSTimes {
	if given == nil {
		return nil
	}
	return &config.JWKSTimes{RefreshInterval: duration(given.RefreshInterval, "10m"), StaleIfError: duration(given.StaleIfError, "24h")}
}

// references are those of an accepted policy.
func (o *policyPlan) references() []Ref {
	if o.bad() {
		return nil
	}
	var refs []Ref
	for i := range o.object.Spec.Issuers {
		for _, source := range o.object.Spec.Issuers[i].Keys {
			if source.SecretRef != nil {
				refs = append(refs, secretRef(source.SecretRef, o.key.Namespace))
			}
		}
	}
	refs = append(refs, o.decryptionReferences()...)
	if b := o.object.Spec.CABundleRef; b != nil {
		refs = append(refs, bundleRef(b, o.key.Namespace))
	}
	return refs
}

// render returns the verdict, and the rendered policy if it is served.
func (o *policyPlan) render(p *Plan, r *resolver) (Verdict, *rendered) {
	f := findings{problems: slices.Clone(o.problems), warnings: slices.Clone(o.warnings)}
	if f.bad() {
		return f.verdict(), nil
	}
	spec := &o.object.Spec
	out := &config.Policy{
		Object: o.key.String(), TenantID: spec.TenantID, Default: spec.Default,
		Audiences: spec.Audiences, Algorithms: o.algorithms, TokenTypes: tokenTypes(spec.TokenTypes),
		Leeway: leeway(spec), MaxTokenAge: config.Duration(spec.MaxTokenAge.Value()), RequiredNonce: spec.RequiredNonce,
		JWKS: jwksTimes(spec.JWKS), Claims: o.claims, AcceptIssuedTokens: spec.AcceptIssuedTokens,
	}
	out.UpstreamCredential, out.TokenExchange = o.upstreamCredential(p), o.tokenExchange()
	out.Issuers = o.renderIssuers(&f, r)
	out.Decryption = o.renderDecryption(&f, r)
	bundle := ""
	if spec.CABundleRef != nil {
		bundle, _ = r.caBundle(&f, "spec.caBundleRef", spec.CABundleRef, o.key.Namespace)
	}
	if bundle != "" {
		out.CABundle = config.Hash([]byte(bundle))
	}
	fingerprint, size := "", 0
	if !f.bad() {
		// Its bundle counts in full, although those who share one share its bytes: what an object may hold must not depend on
		// others.
		fingerprint, size = f.measure(withBundle{out, bundle}, "keep only the keys in use, publish larger sets at a jwksURI, and keep only the CAs in use in the bundle")
	}
	v := f.verdict()
	if f.bad() {
		return v, nil
	}
	v.Fingerprint = fingerprint
	v.FailedExamples = o.failedExamples(out, fingerprint)
	v.ExamplesPassed = examplesPassed(len(spec.Examples), v.FailedExamples)
	return v, &rendered{key: o.key, object: o.object, policy: out, bundle: bundle, size: size - len(bundle)}
}

// renderIssuers puts the keys of each entry into what it was expanded to.
func (o *policyPlan) renderIssuers(f *findings, r *resolver) []config.Issuer {
	keys := make([][]json.RawMessage, len(o.object.Spec.Issuers))
	for i := range keys {
		keys[i] = o.renderKeys(f, r, i)
	}
	var out []config.Issuer
	for _, issuer := range o.issuers {
		if issuer.entry >= 0 {
			issuer.Keys = keys[issuer.entry]
		}
		out = append(out, issuer.Issuer)
	}
	return out
}

// withBundle is a policy and the CA bundle that it names.
type withBundle struct {
	*config.Policy
	Bundle string
}

// tokenTypes are lower-case and without "application/" (RFC 7515 §4.1.9); "" stands for an absent typ.
func tokenTypes(given []string) []string {
	if len(given) == 0 {
		given = []string{v1alpha1.TokenTypeAbsent, "JWT", "at+jwt"}
	}
	var out []string
	for _, t := range given {
		if t == v1alpha1.TokenTypeAbsent {
			t = ""
		}
		if t = strings.TrimPrefix(strings.ToLower(t), "application/"); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
