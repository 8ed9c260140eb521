// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestPolicyIsCheckedAgain guards the server against objects that an API server let through before a rule existed: each row breaks a rule of the
// schema, and is told as if it had been made offline.
func TestPolicyIsCheckedAgain(t *testing.T) {
	directory := "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	azure := func(s *v1alpha1.TenantJWTPolicySpec, a v1alpha1.Azure) {
		s.Profile, s.Issuers, s.Azure = v1alpha1.ProfileAzure, nil, &a
	}
	decryption := func(s *v1alpha1.TenantJWTPolicySpec, change func(*v1alpha1.Decryption)) {
		s.Decryption = &v1alpha1.Decryption{KeyAlgorithms: []v1alpha1.KeyAlgorithm{"A256KW"},
			Keys: []v1alpha1.DecryptionKeySource{{SecretRef: v1alpha1.SecretKeyReference{Name: "s", Key: "k"}, Format: v1alpha1.KeyFormatSymmetric}}}
		change(s.Decryption)
	}
	header := func(s *v1alpha1.TenantJWTPolicySpec, h ...v1alpha1.HeaderMapping) {
		s.ClaimMappings = &v1alpha1.ClaimMappings{Headers: h}
	}
	rule := func(s *v1alpha1.TenantJWTPolicySpec, r v1alpha1.ClaimValidationRule) {
		s.ClaimValidationRules = []v1alpha1.ClaimValidationRule{r}
	}
	example := func(s *v1alpha1.TenantJWTPolicySpec, claims string, change func(*v1alpha1.PolicyExample)) {
		s.Examples = []v1alpha1.PolicyExample{{Claims: apiextensionsv1.JSON{Raw: []byte(claims)}, Expect: v1alpha1.ExampleOutcome{Rejected: true}}}
		change(&s.Examples[0])
	}
	nothing := func(*v1alpha1.PolicyExample) {}
	for name, c := range map[string]struct {
		spoil func(*v1alpha1.TenantJWTPolicySpec)
		want  string
	}{
		"no issuers":            {func(s *v1alpha1.TenantJWTPolicySpec) { s.Issuers = nil }, "spec.issuers: no token can pass: add an entry, set spec.profile to Azure, or set spec.acceptIssuedTokens to true"},
		"unknown profile":       {func(s *v1alpha1.TenantJWTPolicySpec) { s.Profile = "AWS" }, `spec.profile: "AWS" is not known: use Custom or Azure`},
		"azure without profile": {func(s *v1alpha1.TenantJWTPolicySpec) { s.Azure = &v1alpha1.Azure{TenantIDs: []string{directory}} }, "spec.azure: it goes with profile: Azure: set both or neither"},
		"profile without azure": {func(s *v1alpha1.TenantJWTPolicySpec) { s.Profile = v1alpha1.ProfileAzure }, "spec.azure: it goes with profile: Azure: set both or neither"},
		"no directories":        {func(s *v1alpha1.TenantJWTPolicySpec) { azure(s, v1alpha1.Azure{}) }, "spec.azure.tenantIDs: it is required: without it a token of every directory would pass"},
		"common": {func(s *v1alpha1.TenantJWTPolicySpec) { azure(s, v1alpha1.Azure{TenantIDs: []string{"common"}}) },
			"spec.azure.tenantIDs[0]: must be the directory's ID, a GUID such as aaaabbbb-0000-cccc-1111-dddd2222eeee: not a domain name, common, organizations or consumers"},
		"authority with a path": {func(s *v1alpha1.TenantJWTPolicySpec) {
			azure(s, v1alpha1.Azure{TenantIDs: []string{directory}, AuthorityHost: "https://login.example/a"})
		},
			"spec.azure.authorityHost: must be a host name such as login.microsoftonline.com, or an https URL without a path"},
		"two sources of keys": {func(s *v1alpha1.TenantJWTPolicySpec) { s.Issuers[0].DiscoveryURL = "https://a.example" },
			"spec.issuers[0]: set at most one of jwksURI, discoveryURL and keys; with none, keys come from <issuer>/.well-known/openid-configuration"},
		"a URL of no scheme":    {func(s *v1alpha1.TenantJWTPolicySpec) { s.Issuers[0].JWKSURI = "a.example" }, "spec.issuers[0].jwksURI: must be an https URL such as https://idp.example/keys"},
		"a URL of no such port": {func(s *v1alpha1.TenantJWTPolicySpec) { s.Issuers[0].JWKSURI = "https://a.example:65536/" }, "spec.issuers[0].jwksURI: must have a port from 1 to 65535, or none"},
		"a URL with a user":     {func(s *v1alpha1.TenantJWTPolicySpec) { s.Issuers[0].JWKSURI = "https://a@a.example/" }, "spec.issuers[0].jwksURI: must not hold a fragment, user or password"},
		"an age of nothing":     {func(s *v1alpha1.TenantJWTPolicySpec) { s.MaxTokenAge = "0s" }, "spec.maxTokenAge: must be at least 1s"},
		"an age in days":        {func(s *v1alpha1.TenantJWTPolicySpec) { s.MaxTokenAge = "1d" }, "spec.maxTokenAge: must be at least 1s"},
		"never refreshed":       {func(s *v1alpha1.TenantJWTPolicySpec) { s.JWKS = &v1alpha1.JWKSOptions{RefreshInterval: "0s"} }, "spec.jwks: refreshInterval must be positive, and staleIfError not negative"},

		"RSA1_5": {func(s *v1alpha1.TenantJWTPolicySpec) {
			decryption(s, func(d *v1alpha1.Decryption) { d.KeyAlgorithms[0] = "RSA1_5" })
		}, `spec.decryption.keyAlgorithms[0]: "RSA1_5" is not known: use some of [RSA-OAEP`},
		"no content": {func(s *v1alpha1.TenantJWTPolicySpec) {
			decryption(s, func(d *v1alpha1.Decryption) { d.ContentAlgorithms = []v1alpha1.ContentAlgorithm{"none"} })
		}, `spec.decryption.contentAlgorithms[0]: "none" is not known: use some of [A128GCM`},
		"direct RSA": {func(s *v1alpha1.TenantJWTPolicySpec) {
			decryption(s, func(d *v1alpha1.Decryption) {
				d.KeyAlgorithms[0], d.NestedSignature = "RSA-OAEP", v1alpha1.NestedSignatureOptional
			})
		}, "spec.decryption.nestedSignature: Optional is for symmetric keys only"},
		"nesting": {func(s *v1alpha1.TenantJWTPolicySpec) {
			decryption(s, func(d *v1alpha1.Decryption) { d.NestedSignature = "None" })
		}, `spec.decryption.nestedSignature: "None" is not known: use Required or Optional`},
		"no keys": {func(s *v1alpha1.TenantJWTPolicySpec) { decryption(s, func(d *v1alpha1.Decryption) { d.Keys = nil }) }, "spec.decryption: keyAlgorithms and keys are required"},
		"format": {func(s *v1alpha1.TenantJWTPolicySpec) {
			decryption(s, func(d *v1alpha1.Decryption) { d.Keys[0].Format = "" })
		}, "spec.decryption.keys[0].format: set it to JWKS, PEM or Symmetric"},
		"named set": {func(s *v1alpha1.TenantJWTPolicySpec) {
			decryption(s, func(d *v1alpha1.Decryption) { d.Keys[0].Format, d.Keys[0].KeyID = v1alpha1.KeyFormatJWKS, "k" })
		}, "spec.decryption.keys[0]: a JWKS names its own kid and alg: leave keyID and algorithm out"},

		"two usernames": {func(s *v1alpha1.TenantJWTPolicySpec) {
			s.ClaimMappings = &v1alpha1.ClaimMappings{Username: v1alpha1.UsernameMapping{Claim: "a", Expression: "claims.a"}}
		}, "spec.claimMappings.username: set exactly one of claim and expression"},
		"no email": {func(s *v1alpha1.TenantJWTPolicySpec) {
			s.ClaimMappings = &v1alpha1.ClaimMappings{Email: &v1alpha1.ClaimSource{}}
		}, "spec.claimMappings.email: set exactly one of claim and expression"},
		"header of ours": {func(s *v1alpha1.TenantJWTPolicySpec) {
			header(s, v1alpha1.HeaderMapping{Name: "x-auth-request-user", Claim: "a"})
		}, "spec.claimMappings.headers[0].name: must not begin with X-Auth-, X-Forwarded-, X-Real-, X-Original-, X-Jwt-"},
		"header of two lines": {func(s *v1alpha1.TenantJWTPolicySpec) {
			header(s, v1alpha1.HeaderMapping{Name: "X-A\r\nX-B", Claim: "a"})
		}, `spec.claimMappings.headers[0].name: "X-A\r\nX-B" must be a header name such as X-Acme-Plan`},
		"hop-by-hop header": {func(s *v1alpha1.TenantJWTPolicySpec) {
			header(s, v1alpha1.HeaderMapping{Name: "Connection", Claim: "a"})
		}, `spec.claimMappings.headers[0].name: "Connection" must be a header name such as X-Acme-Plan`},
		"header twice": {func(s *v1alpha1.TenantJWTPolicySpec) {
			header(s, v1alpha1.HeaderMapping{Name: "X-A", Claim: "a"}, v1alpha1.HeaderMapping{Name: "x-a", Claim: "b"})
		}, "spec.claimMappings.headers[1].name: another entry has the same name: header names do not differ by case"},
		"header of nothing":     {func(s *v1alpha1.TenantJWTPolicySpec) { header(s, v1alpha1.HeaderMapping{Name: "X-A"}) }, "spec.claimMappings.headers[0]: set exactly one of claim and expression"},
		"rule of nothing":       {func(s *v1alpha1.TenantJWTPolicySpec) { rule(s, v1alpha1.ClaimValidationRule{}) }, "spec.claimValidationRules[0]: set exactly one of claim (with requiredValue) and expression"},
		"rule without value":    {func(s *v1alpha1.TenantJWTPolicySpec) { rule(s, v1alpha1.ClaimValidationRule{Claim: "a"}) }, "spec.claimValidationRules[0]: claim and requiredValue go together"},
		"rule that is no rule":  {func(s *v1alpha1.TenantJWTPolicySpec) { rule(s, v1alpha1.ClaimValidationRule{Expression: "claims.a +"}) }, "spec.claimValidationRules[0].expression: line 1, column "},
		"claims that are none":  {func(s *v1alpha1.TenantJWTPolicySpec) { example(s, "null", nothing) }, `spec.examples[0].claims: must be an object such as {"sub": "bob"}`},
		"claims of two objects": {func(s *v1alpha1.TenantJWTPolicySpec) { example(s, "{}{}", nothing) }, `spec.examples[0].claims: must be an object such as {"sub": "bob"}`},
		"claims of 9 KiB": {func(s *v1alpha1.TenantJWTPolicySpec) {
			example(s, fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 9<<10)), nothing)
		}, "spec.examples[0].claims: has 9224 bytes as JSON, at most 8192 are allowed"},
		"claims nine deep": {func(s *v1alpha1.TenantJWTPolicySpec) {
			example(s, strings.Repeat(`{"a":`, 9)+"1"+strings.Repeat("}", 9), nothing)
		}, "spec.examples[0].claims: is nested deeper than 8 levels"},
		"expecting both": {func(s *v1alpha1.TenantJWTPolicySpec) {
			example(s, "{}", func(e *v1alpha1.PolicyExample) { e.Expect.Username = "bob" })
		}, "spec.examples[0].expect: set exactly one of username and rejected: true"},
	} {
		t.Run(name, func(t *testing.T) {
			p, other := policy("default", "spoiled", "spoiled"), policy("default", "other", "other")
			c.spoil(&p.Spec)
			out := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p, other}}, nil)
			v := out.Verdicts[keyOf(p)]
			if v.Served || v.Accepted.Status || v.Accepted.Reason != v1alpha1.ReasonInvalid || !strings.Contains(v.Accepted.Message, c.want) {
				t.Errorf("served %v, %s: %s\nwant %s", v.Served, v.Accepted.Reason, v.Accepted.Message, c.want)
			}
			if !out.Verdicts[keyOf(other)].Served {
				t.Error("the other policy is not served")
			}
		})
	}
}

// TestHeaderNames guards DESIGN §4: the answers of one server bear at most 64 mapped names. The policies beyond are refused in the order of
// claims, one that names nothing new is not, and neither does one with a mistake of its own take names from others.
func TestHeaderNames(t *testing.T) {
	naming := func(name string, from, to int) *v1alpha1.TenantJWTPolicy {
		p := policy("default", name, name)
		p.Spec.ClaimMappings = &v1alpha1.ClaimMappings{}
		for i := from; i < to; i++ {
			p.Spec.ClaimMappings.Headers = append(p.Spec.ClaimMappings.Headers, v1alpha1.HeaderMapping{Name: fmt.Sprintf("x-n%d", i), Claim: "a"})
		}
		return p
	}
	bad := naming("a-bad", 500, 516)
	bad.Spec.Issuers[0].JWKSURI = "no URL"
	policies := []*v1alpha1.TenantJWTPolicy{bad, naming("b", 0, 16), naming("c", 16, 32), naming("d", 32, 48), naming("e", 48, 62),
		naming("f-beyond", 60, 66), naming("g-known", 0, 16), naming("h-fits", 62, 64), naming("i-beyond", 64, 65)}
	out := mustRender(t, render.Input{Policies: policies}, nil)
	for _, p := range policies[1:] {
		v := out.Verdicts[keyOf(p)]
		beyond := strings.HasSuffix(p.Name, "beyond")
		if v.Served == beyond || beyond != (v.Accepted.Reason == v1alpha1.ReasonTooLarge) {
			t.Errorf("%s: served %v, %s: %s", p.Name, v.Served, v.Accepted.Reason, v.Accepted.Message)
		}
	}
	want := "spec.claimMappings.headers: the policies of one AuthServer may name 64 different headers together, older ones name 62, and these are more: X-N62, X-N63, X-N64, X-N65. " +
		"Use names that others use too, or another AuthServer"
	if got := out.Verdicts[keyOf(policies[5])].Accepted.Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestMemoChangesNothing guards that what is remembered between plans is what would be judged again, also after a change and back.
func TestMemoChangesNothing(t *testing.T) {
	at := func(expression, username string) []*v1alpha1.TenantJWTPolicy {
		p := policy("default", "a", "a")
		p.Spec.ClaimMappings = &v1alpha1.ClaimMappings{Username: v1alpha1.UsernameMapping{Expression: expression}}
		p.Spec.Examples = []v1alpha1.PolicyExample{{Claims: apiextensionsv1.JSON{Raw: []byte(`{"iss":"https://a.example","sub":"bob","upn":"ann"}`)},
			Expect: v1alpha1.ExampleOutcome{Username: username}}}
		return []*v1alpha1.TenantJWTPolicy{p}
	}
	memo := &render.Memo{}
	for i, c := range []struct{ expression, username string }{
		{"claims.sub", "bob"}, {"claims.sub", "bob"}, {"claims.upn", "bob"}, {"claims.sub", "ann"}, {"claims.sub +", "bob"}, {"claims.sub +", "bob"}, {"claims.sub", "bob"},
	} {
		policies := at(c.expression, c.username)
		fresh := mustRender(t, render.Input{Policies: policies}, nil)
		remembered := mustRender(t, render.Input{Policies: policies, Memo: memo}, nil)
		if a, b := fresh.Verdicts[keyOf(policies[0])], remembered.Verdicts[keyOf(policies[0])]; fmt.Sprint(a) != fmt.Sprint(b) || fresh.Hash != remembered.Hash {
			t.Errorf("%d: %+v\nwith a memo %+v", i, a, b)
		}
	}
}
