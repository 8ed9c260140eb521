// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// FuzzRender guards what must hold of any set of objects, also of ones that no schema would let through: no panic, output that the
// server's parser reads (Render runs it and returns its error), a verdict for each object, and good objects rendered
// alike whatever bad ones stand beside them.
func FuzzRender(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint8(12), "acme", "https://idp.example", `{"keys":[]}`)
	}
	f.Add(uint64(1), uint8(3), "\xff", "", "-----BEGIN PUBLIC KEY-----")
	f.Add(uint64(2), uint8(23), "acme", "https://idp.example", "claims.a.map(b, b + claims.c)")
	f.Add(uint64(3), uint8(23), "acme", "{tenantid}", "X-A{tenantid}")
	f.Add(uint64(4), uint8(23), "acme", "https://idp.example", `{"keys":[{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZg"}]}`)
	f.Add(uint64(5), uint8(23), "acme", "https://idp.example", "MDEyMzQ1Njc4OWFiY2RlZg-MDEyMzQ1Njc4OWFiY2RlZg-MDEyMzQ1Njc4OWFiY2RlZg")
	f.Add(uint64(6), uint8(23), "acme", "https://idp.example", `{"a":12345678901234567890,"b":{"a":1,"a":2},"c":"\ud800"}`)
	f.Fuzz(func(t *testing.T, seed uint64, n uint8, name, issuer, value string) {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		pick := func(of ...string) string { return of[r.IntN(len(of))] }
		good := []*v1alpha1.TenantJWTPolicy{policy("default", "good-1", "good-1"), policy("default", "good-2", "good-2")}
		alone := mustRender(t, render.Input{Policies: good}, nil)

		in := render.Input{Policies: good, ShardCount: r.IntN(3)}
		refs := map[render.Ref]render.Resolved{}
		for i := range int(n % 24) {
			refs[secret(fmt.Sprint("s", i%4))] = render.Resolved{Found: r.IntN(4) > 0, Data: map[string][]byte{"k": []byte(value), "users.yaml": []byte(value)}}
			p := policy(pick("default", "team", name), fmt.Sprint("x", i), pick(name, "team", "team.x", "x"))
			p.CreationTimestamp = metav1.Unix(r.Int64N(100), 0)
			p.Spec.Default = r.IntN(6) == 0 && p.Namespace != "default"
			p.Spec.Leeway = v1alpha1.Duration(pick("", "1s", "-1s", value))
			p.Spec.TokenTypes = []string{pick("absent", "JWT", value)}
			p.Spec.Algorithms = []v1alpha1.SignatureAlgorithm{v1alpha1.SignatureAlgorithm(pick("RS256", "HS256", "none", value))}
			p.Spec.Issuers = append(p.Spec.Issuers, v1alpha1.Issuer{Issuer: pick(issuer, "https://auth.example.com", "a"), JWKSURI: pick("", "", value)})
			source := v1alpha1.KeySource{KeyID: pick("", name), Algorithm: v1alpha1.SignatureAlgorithm(pick("", "RS256", value))}
			switch r.IntN(3) {
			case 0:
				source.JWKS = value
			case 1:
				source.PEM = value
			default:
				source.SecretRef = &v1alpha1.SecretKeyReference{Name: fmt.Sprint("s", r.IntN(4)), Key: "k"}
				source.Format = v1alpha1.KeyFormat(pick("JWKS", "PEM", "Symmetric", value))
			}
			p.Spec.Issuers = append(p.Spec.Issuers, v1alpha1.Issuer{Issuer: issuer, Keys: []v1alpha1.KeySource{source}})
			spoil(r, &p.Spec, value)
			p.Spec.UpstreamCredential = pick("", fmt.Sprint("p", r.IntN(24)), value)
			p.Spec.TokenExchange = &v1alpha1.TokenExchange{Enabled: r.IntN(2) == 0, Scopes: []v1alpha1.Scope{v1alpha1.Scope(pick("read", value))}}
			in.Policies = append(in.Policies, p)
			o := provider(fmt.Sprint("p", i), fmt.Sprint("s", r.IntN(4)))
			o.Spec.Organization = pick("", name)
			o.Spec.Type = v1alpha1.ProviderType(pick("Password", value))
			if r.IntN(3) == 0 {
				o.Spec.Password = nil
			}
			switch r.IntN(4) {
			case 0, 1:
				spoilUpstream(r, &o.Spec, issuer, value)
			case 2:
				spoilBearer(r, &o.Spec, issuer, value)
			}
			in.Providers = append(in.Providers, o)
		}
		out := mustRender(t, in, refs)
		if len(out.Verdicts) < len(in.Policies)+1 && name != "default" && name != "team" {
			t.Errorf("%d verdicts for %d policies", len(out.Verdicts), len(in.Policies))
		}
		for _, p := range good {
			if out.Verdicts[keyOf(p)].Fingerprint != alone.Verdicts[keyOf(p)].Fingerprint {
				t.Fatalf("%s is rendered differently beside others: %+v", p.Name, out.Verdicts[keyOf(p)])
			}
		}
	})
}

// spoil gives a policy odd values in the fields for directories, encryption and claims.
func spoil(r *rand.Rand, s *v1alpha1.TenantJWTPolicySpec, value string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	if r.IntN(3) == 0 {
		s.Profile = v1alpha1.PolicyProfile(pick("Azure", "Azure", "Custom", value))
		s.Azure = &v1alpha1.Azure{TenantIDs: []string{pick("aaaabbbb-0000-cccc-1111-dddd2222eeee", "common", value)}, AuthorityHost: pick("", "login.example", value)}
		s.Issuers = s.Issuers[:r.IntN(len(s.Issuers)+1)]
		for i := range s.Issuers {
			s.Issuers[i].Issuer = pick("https://login.example/{tenantid}", s.Issuers[i].Issuer, value)
			s.Issuers[i].DiscoveryURL = pick("", "https://login.example/{tenantid}/metadata", value)
		}
	}
	if r.IntN(3) == 0 {
		s.Decryption = &v1alpha1.Decryption{
			KeyAlgorithms:     []v1alpha1.KeyAlgorithm{v1alpha1.KeyAlgorithm(pick("dir", "RSA-OAEP", "A256KW", value))},
			ContentAlgorithms: []v1alpha1.ContentAlgorithm{v1alpha1.ContentAlgorithm(pick("A256GCM", value))},
			NestedSignature:   v1alpha1.NestedSignature(pick("", "Optional", value)),
			Keys: []v1alpha1.DecryptionKeySource{{SecretRef: v1alpha1.SecretKeyReference{Name: fmt.Sprint("s", r.IntN(4)), Key: "k"},
				Format: v1alpha1.KeyFormat(pick("JWKS", "PEM", "Symmetric", value)), KeyID: pick("", value)}},
		}
	}
	s.MaxTokenAge, s.RequiredNonce = v1alpha1.Duration(pick("", "1h", "-1s", value)), pick("", value)
	s.JWKS = &v1alpha1.JWKSOptions{RefreshInterval: v1alpha1.Duration(pick("", "1m", value)), StaleIfError: v1alpha1.Duration(pick("", "-1s", value))}
	s.ClaimMappings = &v1alpha1.ClaimMappings{
		Username: v1alpha1.UsernameMapping{Claim: pick("", "sub", value), Expression: pick("", "claims.sub", value)},
		Headers:  []v1alpha1.HeaderMapping{{Name: pick("X-A", "x-b", value), Claim: pick("", value), Expression: pick("", "claims.a", value)}},
	}
	s.ClaimValidationRules = []v1alpha1.ClaimValidationRule{{Expression: pick("true", "claims.a == 'b'", value)}}
	s.Examples = []v1alpha1.PolicyExample{{Claims: apiextensionsv1.JSON{Raw: []byte(pick("{}", `{"sub":"bob"}`, "null", value))},
		Now: pick("", "2026-01-02T15:04:05Z", value), Expect: v1alpha1.ExampleOutcome{Username: pick("", "bob", value), Rejected: r.IntN(2) == 0}}}
}

// spoilUpstream makes a provider one of OIDC or OAuth2, with odd values.
func spoilUpstream(r *rand.Rand, s *v1alpha1.IdentityProviderSpec, issuer, value string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	url := func() v1alpha1.EndpointURL {
		return v1alpha1.EndpointURL(pick("https://idp.example/a", "https://github.com", issuer, value, ""))
	}
	source := func() *v1alpha1.ProviderClaimSource {
		return &v1alpha1.ProviderClaimSource{Claim: pick("", "sub", value), Expression: pick("", "claims.sub", value)}
	}
	s.Type = v1alpha1.ProviderType(pick("OIDC", "OAuth2"))
	method := v1alpha1.ClientAuthenticationMethod(pick("", "PrivateKeyJWT", "ClientSecretPost", "None", value))
	var secret *v1alpha1.SecretKeyReference
	if r.IntN(2) == 0 {
		secret = &v1alpha1.SecretKeyReference{Name: fmt.Sprint("s", r.IntN(4)), Key: "k"}
	}
	if r.IntN(8) > 0 {
		s.OIDC = &v1alpha1.OIDCProvider{Issuer: url(), DiscoveryURL: url(), ClientID: pick("a", value), ClientSecretRef: secret, ClientAuthenticationMethod: method,
			Scopes: []v1alpha1.Scope{v1alpha1.Scope(pick("openid", value))}, SigningAlgorithms: []v1alpha1.SignatureAlgorithm{v1alpha1.SignatureAlgorithm(pick("RS256", "HS256", value))},
			UsernameClaim: pick("", "sub", value), AuthorizationEndpoint: url(), TokenEndpoint: url(), JWKSEndpoint: url(), PKCE: v1alpha1.PKCE(pick("", "Off", value)),
			ExtraAuthorizationParameters: []v1alpha1.AuthorizationParameter{{Name: pick("a", "state", value), Value: value}}}
		s.OAuth2 = &v1alpha1.OAuth2Provider{ClientID: pick("a", value), ClientSecretRef: secret, ClientAuthenticationMethod: method, AuthorizationEndpoint: url(), TokenEndpoint: url(),
			UserInfoEndpoint: url(), EmailsEndpoint: url(), SubjectAttribute: pick("id", value), LogoutEndpoint: url(),
			GroupsEndpoint: &v1alpha1.GroupsEndpoint{URL: url(), Expression: pick("groups", value)}}
	}
	s.ClaimMappings = &v1alpha1.ProviderClaimMappings{Email: source(), Groups: source()}
	if r.IntN(2) == 0 {
		s.ClaimMappings = nil
	}
	s.UserSync, s.Linking = v1alpha1.UserSync(pick("", "FirstLogin", value)), v1alpha1.Linking(pick("", "VerifiedEmail", value))
	s.DisplayName, s.Icon = pick("", value), &v1alpha1.Image{URL: pick("https://a.example/i.png", value)}
	s.ClaimValidationRules = []v1alpha1.ProviderValidationRule{{Expression: pick("true", value), Message: value}}
}

// spoilBearer makes a provider one of JWTBearer, with odd values.
func spoilBearer(r *rand.Rand, s *v1alpha1.IdentityProviderSpec, issuer, value string) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	ref := func() *v1alpha1.SecretKeyReference {
		return &v1alpha1.SecretKeyReference{Name: fmt.Sprint("s", r.IntN(4)), Key: "k"}
	}
	anyJSON := func() *apiextensionsv1.JSON {
		return &apiextensionsv1.JSON{Raw: []byte(pick("", "{}", `{"typ":"JWT","kid":"a"}`, `{"scope":["a"],"n":1.5}`, "null", `{"a":1,"a":2}`, value))}
	}
	s.Type = v1alpha1.ProviderJWTBearer
	if r.IntN(8) == 0 {
		return
	}
	s.JWTBearer = &v1alpha1.JWTBearerProvider{
		KeySecretRef: *ref(), KeyID: pick("", "a", value), Algorithm: v1alpha1.SignatureAlgorithm(pick("HS256", "HS256", "RS256", value)), Issuer: pick("a", "a", issuer, value),
		Subject: pick("a", "", value), Audience: pick("a", "", value), Lifetime: v1alpha1.Duration(pick("", "1h", "9s", value)), Headers: anyJSON(), AdditionalClaims: anyJSON(),
		TokenEndpoint: v1alpha1.EndpointURL(pick("", "https://idp.example/token", issuer, value)), GrantType: pick("", "", value), ClientID: pick("", "a", value),
		ClientAuthenticationMethod: v1alpha1.ClientAuthenticationMethod(pick("", "", "PrivateKeyJWT", value)), OutputSecretName: pick("", "out", "s1", value),
		AllowedCallers: pick("", "true", "tenant == 'acme'", value),
	}
	if r.IntN(3) == 0 {
		s.JWTBearer.ClientSecretRef, s.CABundleRef = ref(), &v1alpha1.CABundleReference{Kind: v1alpha1.BundleSecret, Name: "s1", Key: "k"}
	}
	if r.IntN(3) == 0 {
		s.JWTBearer.Parameters = []v1alpha1.TokenParameter{{Name: pick("scope", "assertion", value), Value: value}}
	}
}

// TestBadObjectsChangeNoByte is the same for whole files: with only bad objects added, the files stay as they were.
func TestBadObjectsChangeNoByte(t *testing.T) {
	var good []*v1alpha1.TenantJWTPolicy
	for i := range 30 {
		good = append(good, policy("default", fmt.Sprintf("p%d", i), fmt.Sprintf("t%d", i)))
	}
	want := mustRender(t, render.Input{Policies: good}, nil)
	bad := map[string]func(*v1alpha1.TenantJWTPolicy){
		"conflict":  func(p *v1alpha1.TenantJWTPolicy) { p.Spec.TenantID = "t1" },
		"not owned": func(p *v1alpha1.TenantJWTPolicy) { p.Namespace = "team" },
		"no issuer": func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Issuers = nil },
		"reserved":  func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Issuers[0].Issuer = "https://auth.example.com" },
		"no secret": func(p *v1alpha1.TenantJWTPolicy) {
			p.Spec.Issuers = []v1alpha1.Issuer{{Issuer: "a", Keys: []v1alpha1.KeySource{
				{SecretRef: &v1alpha1.SecretKeyReference{Name: "none", Key: "k"}, Format: "PEM"}}}}
		},
		"no such server": func(p *v1alpha1.TenantJWTPolicy) { p.Spec.AuthServerRef.Name = "other" },
	}
	for name, spoil := range bad {
		p := policy("default", "zz-bad", "zz")
		spoil(p)
		got := mustRender(t, render.Input{Policies: append([]*v1alpha1.TenantJWTPolicy{p}, good...)}, nil)
		if diff := cmp.Diff(want.Files, got.Files); diff != "" {
			t.Errorf("%s: the files changed: %s", name, diff)
		}
		if got.Verdicts[keyOf(p)].Served {
			t.Errorf("%s: it is served", name)
		}
	}
}

// TestOneShardChanges guards DESIGN §3: a change to one tenant writes one file.
func TestOneShardChanges(t *testing.T) {
	var policies []*v1alpha1.TenantJWTPolicy
	for i := range 100 {
		policies = append(policies, policy("default", fmt.Sprintf("p%d", i), fmt.Sprintf("t%d", i)))
	}
	before := mustRender(t, render.Input{Policies: policies, ShardCount: 8}, nil)
	policies[42] = policies[42].DeepCopy()
	policies[42].Spec.Audiences = []string{"https://new.example"}
	after := mustRender(t, render.Input{Policies: policies, ShardCount: 8}, nil)
	for name := range after.Files {
		changed := string(before.Files[name]) != string(after.Files[name])
		if should := name == config.TenantsFile(8, config.ShardOf("t42", 8)); changed != should {
			t.Errorf("%s changed: %v", name, changed)
		}
	}
}

// benchPEM is an RSA public key made for this benchmark.
const benchPEM = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0Uhk2uneZTQ3+EwVZPzi
iOXn7tIOBYAOjKOgSpyJyIAmnCf4rXthgypEEqQDyknUbLaeVXYvBkZQfI9+3mhZ
jhSLbr9ISau7T6I2u/Q8zGvPfd1qJvKkMgJFkmkQSzTshtLa2ObR/7801hTi75Ye
JTANrvC0U7kviaRmJc7w6QWsoFWJBHC0ou+S9N/w6RaFfFJ/xdQEDcaCIJ5gwU3j
jq/qTa3r3IdZqSd1JwXqaFq6t1Ex9HX/zBkJEd7L9ImqtOuay/kpIn/IOH2wR28x
kH1eeK3wxuIZfK+9cIge3/TGciNQ6I2HOTImAYqHu5/vfwhd6qnny0j9nSSXGeV9
jwIDAQAB
-----END PUBLIC KEY-----`

// BenchmarkRender is one pass of a reconciler, half of the policies with a PEM key and half with a URL; with claims, each also has expressions of
// its own and an example, which the pass before has seen.
func BenchmarkRender(b *testing.B) {
	for name, n := range map[string]int{"1000": 1000, "10000": 10000, "1000 with claims": 1000, "10000 with claims": 10000} {
		b.Run(name, func(b *testing.B) {
			in := render.Input{Name: defaultServer, Server: server()}
			for i := range n {
				p := policy("default", fmt.Sprintf("p%d", i), fmt.Sprintf("t%d", i))
				if i%2 == 0 {
					p.Spec.Issuers = []v1alpha1.Issuer{{Issuer: "a", Keys: []v1alpha1.KeySource{{PEM: benchPEM}}}}
				}
				if strings.HasSuffix(name, "claims") {
					p.Spec.ClaimMappings = &v1alpha1.ClaimMappings{Username: v1alpha1.UsernameMapping{Expression: fmt.Sprintf("claims.sub + '@%d'", i)}}
					p.Spec.ClaimValidationRules = []v1alpha1.ClaimValidationRule{{Expression: fmt.Sprintf("claims.plan in ['gold', '%d']", i)}}
					p.Spec.Examples = []v1alpha1.PolicyExample{{Claims: apiextensionsv1.JSON{Raw: []byte(`{"sub":"bob"}`)}, Expect: v1alpha1.ExampleOutcome{Rejected: true}}}
				}
				in.Policies = append(in.Policies, p)
			}
			in.Memo = &render.Memo{}
			if _, err := render.NewPlan(in).Render(nil); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				out, err := render.NewPlan(in).Render(nil)
				if err != nil || len(out.Verdicts) != n+1 {
					b.Fatal(err)
				}
			}
		})
	}
}
