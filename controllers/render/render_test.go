// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestReferences guards that only what accepted objects name is read: a refused object must not make the operator read a
// Secret.
func TestReferences(t *testing.T) {
	withKey := func(p *v1alpha1.TenantJWTPolicy, name string) *v1alpha1.TenantJWTPolicy {
		p.Spec.Issuers = []v1alpha1.Issuer{{Issuer: "a", Keys: []v1alpha1.KeySource{
			{SecretRef: &v1alpha1.SecretKeyReference{Name: name, Key: "k"}, Format: v1alpha1.KeyFormatPEM}}}}
		return p
	}
	off := provider("b-off", "of-a-disabled-one")
	off.Spec.Enabled = new(bool)
	s := server()
	s.Spec.Outbound = &v1alpha1.Outbound{CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "roots"}}
	plan := render.NewPlan(render.Input{
		Name: defaultServer, Server: s,
		Providers: []*v1alpha1.IdentityProvider{provider("a", "users"), off, provider("c-conflict", "of-a-rival")},
		Policies: []*v1alpha1.TenantJWTPolicy{
			withKey(policy("default", "a", "a"), "keys"), withKey(policy("default", "a2", "a2"), "keys"),
			withKey(policy("default", "b", "a"), "of-a-rival"), withKey(policy("team", "c", "foreign"), "of-a-thief"),
		},
	})
	got := plan.References()
	want := []render.Ref{{Kind: v1alpha1.BundleConfigMap, Namespace: "default", Name: "roots"}, secret("users"), secret("keys")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := plan.Render(map[render.Ref]render.Resolved{secret("users"): {}}); err == nil {
		t.Error("a reference that was not gathered is no error: an object would be left out on no definite answer")
	}
}

// TestSecretRules guards DESIGN §2's rules on Secrets that the golden cases cannot show offline.
func TestSecretRules(t *testing.T) {
	users := "[]"
	cases := []struct {
		name    string
		require bool
		secret  render.Resolved
		reason  string
		want    string
	}{
		{"forbidden", false, render.Resolved{Forbidden: true}, v1alpha1.ReasonRefNotPermitted,
			"the operator's own rights do not let it read Secret default/users: its namespace needs the Role that the installation describes"},
		{"owned", false, render.Resolved{Found: true, OwnedByGatehouse: true, Data: map[string][]byte{"users.yaml": []byte(users)}},
			v1alpha1.ReasonRefNotPermitted, "Secret default/users belongs to Gatehouse itself: name a Secret of your own"},
		{"unlabelled", true, found("users.yaml", users), v1alpha1.ReasonRefNotPermitted,
			`Secret default/users lacks the label auth.gatehouse.dev/allow: "true", which this installation demands`},
		{"labelled", true, render.Resolved{Found: true, Labels: map[string]string{v1alpha1.LabelAllow: "true"}, Type: corev1.SecretTypeBasicAuth,
			Data: map[string][]byte{"users.yaml": []byte(users)}}, v1alpha1.ReasonResolvedRefs, ""},
		{"empty", false, render.Resolved{Found: true}, v1alpha1.ReasonRefNotFound, `Secret default/users has no key "users.yaml": it is empty`},
		{"large", false, found("users.yaml", strings.Repeat("#", config.MaxObject+1)), "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out := mustRender(t, render.Input{RequireSecretLabel: c.require, Providers: []*v1alpha1.IdentityProvider{provider("staff", "users")}},
				map[render.Ref]render.Resolved{secret("users"): c.secret})
			v := out.Verdicts[render.Key{Kind: v1alpha1.KindIdentityProvider, Namespace: "default", Name: "staff"}]
			if v.ResolvedRefs.Reason != c.reason {
				t.Errorf("reason %q, want %q", v.ResolvedRefs.Reason, c.reason)
			}
			if want := "spec.password.usersSecretRef: " + c.want; c.want != "" && v.ResolvedRefs.Message != want {
				t.Errorf("got  %s\nwant %s", v.ResolvedRefs.Message, want)
			}
			if c.name == "large" && (v.Accepted.Reason != v1alpha1.ReasonTooLarge || v.Served) {
				t.Errorf("%+v, want %s", v.Accepted, v1alpha1.ReasonTooLarge)
			}
		})
	}
}

// TestTooLarge guards the bound of one object and its message: a 900 KB JWKS in a Secret is told, and others are served.
func TestTooLarge(t *testing.T) {
	big := policy("default", "big", "big")
	big.Spec.Issuers = []v1alpha1.Issuer{{Issuer: "a", Keys: []v1alpha1.KeySource{
		{SecretRef: &v1alpha1.SecretKeyReference{Name: "keys", Key: "jwks.json"}, Format: v1alpha1.KeyFormatJWKS}}}}
	other := policy("default", "other", "other")
	jwks := `{"keys":[` + strings.Repeat(" ", 900_000) + `]}`
	out := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{big, other}}, map[render.Ref]render.Resolved{secret("keys"): found("jwks.json", jwks)})
	want := `spec.issuers[0].keys[0].secretRef: key "jwks.json" of Secret default/keys has 900011 bytes, at most 524288 are read: ` +
		`keep only the keys in use (a public key takes less than 1 KiB), or publish the set at a URL and set jwksURI`
	if v := out.Verdicts[keyOf(big)]; v.ResolvedRefs.Message != want || v.ResolvedRefs.Reason != v1alpha1.ReasonRefInvalid {
		t.Errorf("got  %+v\nwant %s", v.ResolvedRefs, want)
	}
	if !out.Verdicts[keyOf(other)].Served {
		t.Error("the other policy is not served")
	}
}

// TestRenderedTooLarge guards DESIGN §3's 128 KiB for an object whose sources are each within their own bounds.
func TestRenderedTooLarge(t *testing.T) {
	p := policy("default", "big", "big")
	refs := map[render.Ref]render.Resolved{}
	p.Spec.Algorithms = []v1alpha1.SignatureAlgorithm{"HS256"}
	p.Spec.Issuers = []v1alpha1.Issuer{{Issuer: "a"}}
	for i := range 16 {
		name := fmt.Sprintf("keys%d", i)
		var keys []string
		for j := range 100 {
			k := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%064d", i*100+j))
			keys = append(keys, fmt.Sprintf(`{"kty":"oct","kid":"%d-%d","k":%q}`, i, j, k))
		}
		refs[secret(name)] = found("k", `{"keys":[`+strings.Join(keys, ",")+`]}`)
		p.Spec.Issuers[0].Keys = append(p.Spec.Issuers[0].Keys, v1alpha1.KeySource{
			SecretRef: &v1alpha1.SecretKeyReference{Name: name, Key: "k"}, Format: v1alpha1.KeyFormatJWKS})
	}
	out := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}}, refs)
	v := out.Verdicts[keyOf(p)]
	if v.Accepted.Reason != v1alpha1.ReasonTooLarge || v.Served || v.Fingerprint != "" {
		t.Errorf("served %v, accepted %+v", v.Served, v.Accepted)
	}
	if !strings.Contains(v.Accepted.Message, "at most 131072 are allowed: keep only the keys in use") {
		t.Errorf("message %q", v.Accepted.Message)
	}
}

// TestHeldServer guards what is served while the AuthServer itself is not usable: its last good settings, with objects coming and
// going as ever; and nothing where there are none.
func TestHeldServer(t *testing.T) {
	good := server()
	before := mustRender(t, render.Input{Server: good, Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "a", "a")}}, nil)
	cases := map[string]func(*v1alpha1.AuthServer){
		"a bundle that does not exist": func(s *v1alpha1.AuthServer) {
			s.Spec.Outbound = &v1alpha1.Outbound{CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "none"}}
		},
		"a network with host bits": func(s *v1alpha1.AuthServer) {
			s.Spec.Outbound = &v1alpha1.Outbound{AllowedCIDRs: []v1alpha1.CIDR{"10.0.0.7/8"}}
			s.Spec.ExternalURL = "https://new.example.com"
		},
		"an external URL with a path": func(s *v1alpha1.AuthServer) { s.Spec.ExternalURL = "https://auth.example.com/path" },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			bad := server()
			change(bad)
			b := policy("default", "b", "b")
			in := render.Input{Server: bad, Policies: []*v1alpha1.TenantJWTPolicy{b}}
			if out := mustRender(t, in, nil); out.Files != nil || !out.Held || out.Verdicts[keyOf(b)].Served || out.Hash != "" {
				t.Errorf("without a last configuration: files %d, held %v", len(out.Files), out.Held)
			}
			in.LastBase = before.Files[config.FileBase]
			out := mustRender(t, in, nil)
			if diff := cmp.Diff(string(before.Files[config.FileBase]), string(out.Files[config.FileBase])); diff != "" {
				t.Errorf("base.json changed: %s", diff)
			}
			if !out.Held || !out.Verdicts[keyOf(b)].Served || out.Verdicts[render.Key{Kind: v1alpha1.KindAuthServer, Namespace: "default", Name: "default"}].Served {
				t.Errorf("held %v, verdicts %+v", out.Held, out.Verdicts)
			}
			in.Name, in.LastBase = defaultServer, []byte(strings.Replace(string(in.LastBase), "default/default", "default/other", 1))
			if out := mustRender(t, in, nil); out.Files != nil {
				t.Error("another server's base.json was taken")
			}
		})
	}
}

// TestSelectorFailsClosed guards allowedNamespaces: what cannot be evaluated admits nobody.
func TestSelectorFailsClosed(t *testing.T) {
	s := server()
	s.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesSelector}
	p := policy("team", "a", "team")
	out := mustRender(t, render.Input{Server: s, Policies: []*v1alpha1.TenantJWTPolicy{p}}, nil)
	if v := out.Verdicts[keyOf(p)]; v.Accepted.Reason != v1alpha1.ReasonNoMatchingAuthServer {
		t.Errorf("%+v", v.Accepted)
	}
	v := out.Verdicts[render.Key{Kind: v1alpha1.KindAuthServer, Namespace: "default", Name: "default"}]
	if want := "spec.allowedNamespaces.from: Selector needs the cluster-wide install, as this one cannot read namespaces: use Same or All"; v.Accepted.Message != want {
		t.Errorf("got %+v", v.Accepted)
	}
}

// TestPlanRendersTwice guards that a plan is not changed by a render: the reconciler may render again.
func TestPlanRendersTwice(t *testing.T) {
	plan := render.NewPlan(render.Input{Name: defaultServer, Server: server(), Providers: []*v1alpha1.IdentityProvider{provider("staff", "users")},
		Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "a", "a")}})
	with := map[render.Ref]render.Resolved{secret("users"): found("users.yaml", "[]")}
	first, err := plan.Render(with)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Render(map[render.Ref]render.Resolved{secret("users"): {}}); err != nil {
		t.Fatal(err)
	}
	again, err := plan.Render(with)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("-first +again:\n%s", diff)
	}
}

// TestOrderOfInputDoesNotCount guards the bytes: lists of a cache come in any order.
func TestOrderOfInputDoesNotCount(t *testing.T) {
	var policies []*v1alpha1.TenantJWTPolicy
	for i := range 20 {
		policies = append(policies, policy("default", fmt.Sprintf("p%d", i), fmt.Sprintf("t%d", i%15)))
	}
	a := mustRender(t, render.Input{Policies: policies}, nil)
	slices.Reverse(policies)
	b := mustRender(t, render.Input{Policies: policies}, nil)
	if a.Hash != b.Hash || a.Hash == "" {
		t.Errorf("hashes %s and %s", a.Hash, b.Hash)
	}
	if diff := cmp.Diff(a.Verdicts, b.Verdicts); diff != "" {
		t.Error(diff)
	}
}
