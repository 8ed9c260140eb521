// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

const hmacSecret = "0123456789abcdef0123456789abcdef"

// bearer is a good JWTBearer provider of the AuthServer default/default, whose key is in Secret key.
func bearer(namespace, name string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.IdentityProviderSpec{
			AuthServerRef: v1alpha1.AuthServerReference{Name: "default", Namespace: "default"}, Type: v1alpha1.ProviderJWTBearer,
			JWTBearer: &v1alpha1.JWTBearerProvider{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "k"}, Algorithm: "HS256", Issuer: "app"},
		},
	}
}

var keySecrets = map[render.Ref]render.Resolved{
	secret("key"): found("k", hmacSecret),
	{Kind: v1alpha1.BundleSecret, Namespace: "team", Name: "key"}: found("k", hmacSecret),
}

// TestServedCredentialsWork guards the promise of Accepted: the server compiles whatever is rendered of the goldens.
func TestServedCredentialsWork(t *testing.T) {
	loader := newLoader(t)
	checked := 0
	for _, name := range []string{"credentials", "credential-mistakes"} {
		out, err := load(t, loader, "testdata/"+name+".yaml").Render(loader, defaultServer, manifests.RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range tenants(t, out).Credentials {
			if _, err := assertion.Compile(&c); err != nil {
				t.Errorf("%s: %v", c.Object, err)
			}
			if c.AllowedCallers != "" {
				if _, err := claims.CompileCallers(c.AllowedCallers); err != nil {
					t.Errorf("%s: %v", c.Object, err)
				}
			}
			checked++
		}
	}
	if checked < 7 {
		t.Errorf("%d credentials were checked", checked)
	}
}

// tenants is the only tenants file of an output.
func tenants(t *testing.T, out *render.Output) *config.Tenants {
	t.Helper()
	name := config.TenantsFile(1, 0)
	parsed, err := config.ParseTenants(name, out.Files[name])
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestLongJWTIsRefused guards that what only the server's compiler sees is told before a request meets it.
func TestLongJWTIsRefused(t *testing.T) {
	o := bearer("default", "api")
	long := fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 8000))
	o.Spec.JWTBearer.Headers, o.Spec.JWTBearer.AdditionalClaims = &apiextensionsv1.JSON{Raw: []byte(long)}, &apiextensionsv1.JSON{Raw: []byte(long)}
	for _, memo := range []*render.Memo{nil, {}} {
		v := mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{o}, Memo: memo}, keySecrets).Verdicts[providerKey(o)]
		if v.Served || v.Accepted.Reason != v1alpha1.ReasonInvalid || !strings.Contains(v.Accepted.Message, "spec.jwtBearer.additionalClaims: the JWT would have") || v.Fingerprint != "" {
			t.Errorf("%+v", v)
		}
	}
}

// TestPolicyFollowsItsCredential guards that a policy tells of its credential's state and is not rendered anew for it.
func TestPolicyFollowsItsCredential(t *testing.T) {
	p := policy("default", "acme", "acme")
	p.Spec.UpstreamCredential = "api"
	off := false
	states := map[string]struct {
		change func(*v1alpha1.IdentityProvider)
		refs   map[render.Ref]render.Resolved
		warns  bool
	}{
		"served":        {func(*v1alpha1.IdentityProvider) {}, keySecrets, false},
		"no Secret":     {func(*v1alpha1.IdentityProvider) {}, nil, true},
		"disabled":      {func(o *v1alpha1.IdentityProvider) { o.Spec.Enabled = &off }, keySecrets, true},
		"invalid":       {func(o *v1alpha1.IdentityProvider) { o.Spec.JWTBearer.Issuer = "" }, keySecrets, true},
		"without block": {func(o *v1alpha1.IdentityProvider) { o.Spec.JWTBearer = nil }, keySecrets, true},
	}
	good := bearer("default", "api")
	want := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}, Providers: []*v1alpha1.IdentityProvider{good}}, keySecrets).Verdicts[keyOf(p)].Fingerprint
	for name, state := range states {
		o := bearer("default", "api")
		state.change(o)
		memo := &render.Memo{}
		for range 2 { // and back, with what the memo holds
			v := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}, Providers: []*v1alpha1.IdentityProvider{o}, Memo: memo}, state.refs).Verdicts[keyOf(p)]
			if !v.Served || v.Fingerprint != want || strings.Contains(v.Accepted.Message, "answered with 503") != state.warns || (len(v.Warnings) == 2) != state.warns ||
				!strings.Contains(v.Accepted.Message, "reads the provider's token") {
				t.Errorf("%s: %+v", name, v)
			}
			v = mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}, Providers: []*v1alpha1.IdentityProvider{good}, Memo: memo}, keySecrets).Verdicts[keyOf(p)]
			if !v.Served || v.Fingerprint != want || len(v.Warnings) != 1 {
				t.Errorf("%s and back: %+v", name, v)
			}
		}
	}
	v := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}}, nil).Verdicts[keyOf(p)]
	if v.Served || v.ResolvedRefs.Reason != v1alpha1.ReasonRefNotFound {
		t.Errorf("without a provider: %+v", v)
	}
}

// TestCredentialsAreOfTheirNamespace guards that a policy gets no token of another namespace, and that /credentials tells both apart.
func TestCredentialsAreOfTheirNamespace(t *testing.T) {
	own, theirs := bearer("default", "api"), bearer("team", "api")
	foreign := policy("team", "t", "team")
	foreign.Spec.UpstreamCredential = "api"
	out := mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{own, theirs}, Policies: []*v1alpha1.TenantJWTPolicy{foreign}}, keySecrets)
	parsed := tenants(t, out)
	if parsed.Policies[0].UpstreamCredential != "team_api" || parsed.Credentials[0].Name != "api" || parsed.Credentials[1].Name != "team_api" {
		t.Errorf("%+v", parsed)
	}
	v := mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{own}, Policies: []*v1alpha1.TenantJWTPolicy{foreign}}, keySecrets).Verdicts[keyOf(foreign)]
	if v.Served || v.ResolvedRefs.Reason != v1alpha1.ReasonRefNotFound {
		t.Errorf("a credential of another namespace is named: %+v", v)
	}
}

// TestOneCredentialChangesOneFile guards DESIGN §3 for credentials: no base.json, no other shard, no other object.
func TestOneCredentialChangesOneFile(t *testing.T) {
	in := render.Input{ShardCount: 8}
	for i := range 40 {
		in.Providers = append(in.Providers, bearer("default", fmt.Sprintf("c%d", i)))
		in.Policies = append(in.Policies, policy("default", fmt.Sprintf("p%d", i), fmt.Sprintf("t%d", i)))
	}
	before := mustRender(t, in, keySecrets)
	in.Providers[7] = in.Providers[7].DeepCopy()
	in.Providers[7].Spec.JWTBearer.Subject = "new"
	after := mustRender(t, in, keySecrets)
	for name := range after.Files {
		changed := string(before.Files[name]) != string(after.Files[name])
		if should := name == config.TenantsFile(8, config.ShardOf("c7", 8)); changed != should {
			t.Errorf("%s changed: %v", name, changed)
		}
	}
	for key, v := range after.Verdicts {
		if changed := v.Fingerprint != before.Verdicts[key].Fingerprint; changed != (key == providerKey(in.Providers[7])) {
			t.Errorf("%s: fingerprint changed: %v", key, changed)
		}
	}
	if v := after.Verdicts[providerKey(in.Providers[7])]; v.File != config.TenantsFile(8, config.ShardOf("c7", 8)) || !v.Served {
		t.Errorf("%+v", v)
	}
}

// TestCredentialAlone guards what the operator renders for an output Secret: the same credential, with the rules for what may be dialled.
func TestCredentialAlone(t *testing.T) {
	ca := configMap("ca")
	bundle := authority(t, 500)
	o := bearer("default", "api")
	o.Spec.JWTBearer.TokenEndpoint, o.Spec.JWTBearer.Subject, o.Spec.JWTBearer.Audience = "https://idp.example/token", "a", "b"
	s := server()
	s.Spec.Outbound = &v1alpha1.Outbound{AllowedCIDRs: []v1alpha1.CIDR{"10.0.0.0/8"}, CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "ca"}}
	s.Spec.Store = v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{DSNSecretRef: v1alpha1.SecretKeyReference{Name: "dsn", Key: "dsn"}}}
	refs := map[render.Ref]render.Resolved{secret("key"): found("k", hmacSecret), ca: found("ca.crt", bundle), secret("dsn"): found("dsn", "postgres://a@b/c?sslmode=disable")}
	in := render.Input{Name: defaultServer, Server: s, Providers: []*v1alpha1.IdentityProvider{o}}
	plan := render.NewPlan(in)
	if diff := cmp.Diff([]render.Ref{secret("key"), ca}, plan.CredentialReferences(providerKey(o))); diff != "" {
		t.Errorf("what is read is not what is needed: %s", diff)
	}
	got, err := plan.Credential(providerKey(o), refs)
	if err != nil || got.Credential == nil || !got.Verdict.Accepted.Status || !got.Verdict.ResolvedRefs.Status {
		t.Fatalf("%+v, %v", got, err)
	}
	whole := tenants(t, mustRender(t, in, refs)).Credentials[0]
	if diff := cmp.Diff(whole, *got.Credential); diff != "" {
		t.Errorf("alone it is another: %s", diff)
	}
	if diff := cmp.Diff(config.Outbound{AllowedCIDRs: []string{"10.0.0.0/8"}, CABundle: bundle}, got.Outbound); diff != "" {
		t.Error(diff)
	}
	if _, err := plan.Credential(providerKey(o), nil); err == nil {
		t.Error("what was not gathered is taken for absent")
	}
	if _, err := plan.Credential(providerKey(bearer("default", "other")), refs); err == nil {
		t.Error("a provider that the plan lacks is rendered")
	}
}

// TestNoCredentialAlone lists what keeps the operator from making a token.
func TestNoCredentialAlone(t *testing.T) {
	off := false
	for name, tt := range map[string]struct {
		change func(*v1alpha1.IdentityProvider, *v1alpha1.AuthServer)
		good   bool
	}{
		"disabled": {func(o *v1alpha1.IdentityProvider, _ *v1alpha1.AuthServer) { o.Spec.Enabled = &off }, true},
		"invalid":  {func(o *v1alpha1.IdentityProvider, _ *v1alpha1.AuthServer) { o.Spec.JWTBearer.Issuer = "" }, false},
		"no key":   {func(o *v1alpha1.IdentityProvider, _ *v1alpha1.AuthServer) { o.Spec.JWTBearer.KeySecretRef.Name = "no" }, false},
		"may not attach": {func(o *v1alpha1.IdentityProvider, s *v1alpha1.AuthServer) {
			o.Namespace, s.Spec.AllowedNamespaces.From = "team", "Same"
		}, false},
		"server is not usable": {func(_ *v1alpha1.IdentityProvider, s *v1alpha1.AuthServer) { s.Spec.ExternalURL = "x" }, true},
		"no CA bundle": {func(_ *v1alpha1.IdentityProvider, s *v1alpha1.AuthServer) {
			s.Spec.Outbound = &v1alpha1.Outbound{CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "no"}}
		}, true},
	} {
		o, s := bearer("default", "api"), server()
		tt.change(o, s)
		plan := render.NewPlan(render.Input{Name: defaultServer, Server: s, Providers: []*v1alpha1.IdentityProvider{o}})
		refs := map[render.Ref]render.Resolved{}
		for _, ref := range plan.CredentialReferences(providerKey(o)) {
			refs[ref] = keySecrets[ref]
		}
		got, err := plan.Credential(providerKey(o), refs)
		if err != nil || got.Credential != nil || (len(got.Verdict.Problems) == 0) != tt.good {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestCredentialsShareTheRoom guards the memory of a server: endpoints may give tokens as long as they are taken, and the youngest of policies and credentials
// go without room.
func TestCredentialsShareTheRoom(t *testing.T) {
	const n = 3500
	in := render.Input{}
	at := func(o metav1.Object, second int) { o.SetCreationTimestamp(metav1.Unix(int64(second), 0)) }
	for i := range n {
		o := bearer("default", fmt.Sprintf("c%04d", i))
		o.Spec.JWTBearer.TokenEndpoint, o.Spec.JWTBearer.Subject, o.Spec.JWTBearer.Audience = "https://idp.example/token", "a", "b"
		at(o, i+10)
		in.Providers = append(in.Providers, o)
	}
	first, last := policy("default", "first", "first"), policy("default", "last", "last")
	at(first, 1)
	at(last, n+100)
	in.Policies = []*v1alpha1.TenantJWTPolicy{last, first}
	out := mustRender(t, in, keySecrets)
	served := 0
	for i, o := range in.Providers {
		v := out.Verdicts[providerKey(o)]
		if v.Served && i > served {
			t.Fatalf("%s is served and one before it is not", o.Name)
		}
		if v.Served {
			served++
		} else if v.Accepted.Reason != v1alpha1.ReasonTooLarge || v.File == "" {
			t.Fatalf("%s: %+v", o.Name, v)
		}
	}
	if least, most := 1000, (64<<20)/(16<<10); served < least || served > most || served == n {
		t.Errorf("%d of %d credentials are served", served, n)
	}
	if !out.Verdicts[keyOf(first)].Served || out.Verdicts[keyOf(last)].Accepted.Reason != v1alpha1.ReasonTooLarge {
		t.Errorf("first %+v\nlast %+v", out.Verdicts[keyOf(first)], out.Verdicts[keyOf(last)])
	}
}

// TestOutputIsNotTheOperators guards the operator's own Secrets where no schema stands before render.
func TestOutputIsNotTheOperators(t *testing.T) {
	for name, served := range map[string]bool{"gatehouse-default-keys": false, "gatehouse-default-config": false, "my-gatehouse-token": true} {
		o := bearer("default", "api")
		o.Spec.JWTBearer.OutputSecretName = name
		v := mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{o}}, keySecrets).Verdicts[providerKey(o)]
		if v.Served != served || !served && !strings.Contains(v.Accepted.Message, "are the operator's own") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestCredentialParameters guards the request to the token endpoint where no schema stands before render.
func TestCredentialParameters(t *testing.T) {
	for _, names := range [][]string{{"assertion"}, {"client_secret"}, {"grant_type"}, {""}, {"scope", "scope"}} {
		o := bearer("default", "api")
		o.Spec.JWTBearer.TokenEndpoint, o.Spec.JWTBearer.Subject, o.Spec.JWTBearer.Audience = "https://idp.example/token", "a", "b"
		for _, name := range names {
			o.Spec.JWTBearer.Parameters = append(o.Spec.JWTBearer.Parameters, v1alpha1.TokenParameter{Name: name, Value: "x"})
		}
		v := mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{o}}, keySecrets).Verdicts[providerKey(o)]
		if field := fmt.Sprintf("spec.jwtBearer.parameters[%d].name", len(names)-1); v.Served || !strings.Contains(v.Accepted.Message, field) {
			t.Errorf("%q: %+v", names, v)
		}
	}
}

// BenchmarkRenderCredentials is one pass of a reconciler over 1,000 credentials with keys of 2048 bits, which are read anew each time: no pass keeps them.
func BenchmarkRenderCredentials(b *testing.B) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	in := render.Input{Name: defaultServer, Server: server(), Memo: &render.Memo{}}
	for i := range 1000 {
		o := bearer("default", fmt.Sprintf("c%d", i))
		o.Spec.JWTBearer.Algorithm, o.Spec.JWTBearer.AllowedCallers = "RS256", fmt.Sprintf("tenant == 't%d'", i)
		in.Providers = append(in.Providers, o)
	}
	refs := map[render.Ref]render.Resolved{secret("key"): found("k", string(text))}
	if _, err := render.NewPlan(in).Render(refs); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		out, err := render.NewPlan(in).Render(refs)
		if err != nil || len(out.Verdicts) != 1001 {
			b.Fatal(err)
		}
	}
}
