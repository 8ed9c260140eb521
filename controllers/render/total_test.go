// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// authority is a CA certificate of about n bytes in PEM.
func authority(t *testing.T, n int) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	filler := make([]byte, n*3/4)
	_, _ = rand.Read(filler) // never fails
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: filler}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func configMap(name string) render.Ref {
	return render.Ref{Kind: v1alpha1.BundleConfigMap, Namespace: "default", Name: name}
}

// trusting is a policy with a CA bundle.
func trusting(i int, bundle string) *v1alpha1.TenantJWTPolicy {
	p := policy("default", fmt.Sprintf("p%04d", i), fmt.Sprintf("t%d", i))
	p.Spec.CABundleRef = &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: bundle}
	return p
}

// TestBundlesAreShared guards the server's memory: what policies share, a file holds once, without what stands between the
// certificates. Three thousand policies and one ConfigMap once made 183 MiB.
func TestBundlesAreShared(t *testing.T) {
	ca := authority(t, 25_000)
	var policies []*v1alpha1.TenantJWTPolicy
	for i := range 3000 {
		policies = append(policies, trusting(i, []string{"plain", "commented"}[i%2]))
	}
	out := mustRender(t, render.Input{Policies: policies, ShardCount: 1}, map[render.Ref]render.Resolved{
		configMap("plain"):     found("ca.crt", ca),
		configMap("commented"): found("ca.crt", strings.Repeat("# acme\n", 1000)+ca+"the end\n"+ca),
	})
	if out.ShardCount != 1 {
		t.Fatalf("%d shards", out.ShardCount)
	}
	tenants, err := config.ParseTenants(config.TenantsFile(1, 0), out.Files[config.TenantsFile(1, 0)])
	if err != nil {
		t.Fatal(err)
	}
	if len(tenants.Policies) != len(policies) || len(tenants.Bundles) != 1 || tenants.Bundles[config.Hash([]byte(ca))] != ca {
		t.Errorf("%d policies, %d bundles", len(tenants.Policies), len(tenants.Bundles))
	}
}

// TestBundleCountsForItsPolicy guards the bound of one object: its bundle is a part of it, although a file holds it apart.
func TestBundleCountsForItsPolicy(t *testing.T) {
	p := trusting(0, "ca")
	for i := range 180 {
		p.Spec.Audiences = append(p.Spec.Audiences, fmt.Sprintf("%0500d", i))
	}
	refs := map[render.Ref]render.Resolved{configMap("ca"): found("ca.crt", authority(t, 44_000))}
	if v := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}}, refs).Verdicts[keyOf(p)]; v.Served || v.Accepted.Reason != v1alpha1.ReasonTooLarge {
		t.Errorf("with its bundle: %+v", v.Accepted)
	}
	before := p.DeepCopy()
	before.Spec.CABundleRef = nil
	if v := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{before}}, nil).Verdicts[keyOf(before)]; !v.Served {
		t.Errorf("without: %+v", v.Accepted)
	}
	// Another bundle is another policy, although only the name of the bundle changes in it.
	one, other := trusting(1, "ca"), trusting(1, "ca")
	a := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{one}}, refs).Verdicts[keyOf(one)].Fingerprint
	refs[configMap("ca")] = found("ca.crt", authority(t, 100))
	if b := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{other}}, refs).Verdicts[keyOf(other)].Fingerprint; a == b || a == "" {
		t.Errorf("fingerprints %q and %q", a, b)
	}
}

// TestServerIsFull guards the other tenants against whoever may write policies without end: the last claimants are left
// out, whatever the number of shards, by each of the things that take memory.
func TestServerIsFull(t *testing.T) {
	cas := map[render.Ref]render.Resolved{}
	for name, fill := range map[string]func(int, *v1alpha1.TenantJWTPolicy){
		"URLs": func(i int, p *v1alpha1.TenantJWTPolicy) {
			p.Spec.Issuers = nil
			for j := range 64 {
				url := fmt.Sprintf("https://p%d-%d.example", i, j)
				p.Spec.Issuers = append(p.Spec.Issuers, v1alpha1.Issuer{Issuer: url, JWKSURI: url})
			}
		},
		"directories": func(i int, p *v1alpha1.TenantJWTPolicy) {
			p.Spec.Issuers, p.Spec.Profile, p.Spec.Azure = nil, v1alpha1.ProfileAzure, &v1alpha1.Azure{}
			for j := range 16 {
				p.Spec.Azure.TenantIDs = append(p.Spec.Azure.TenantIDs, fmt.Sprintf("aaaabbbb-0000-cccc-%04d-dddd2222%04d", j, i))
			}
		},
		"bundles": func(i int, p *v1alpha1.TenantJWTPolicy) {
			*p = *trusting(i, fmt.Sprintf("own%d", i))
			cas[configMap(p.Spec.CABundleRef.Name)] = found("ca.crt", authority(t, 60_000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			policies := make([]*v1alpha1.TenantJWTPolicy, 600)
			for i := range policies {
				policies[i] = policy("default", fmt.Sprintf("p%04d", i), fmt.Sprintf("t%d", i))
				fill(i, policies[i])
			}
			served := func(in render.Input) (n int) {
				out := mustRender(t, in, cas)
				for i, p := range policies {
					v := out.Verdicts[keyOf(p)]
					switch {
					case v.Served && n == i:
						n++
					case v.Served:
						t.Errorf("%s is served, an older one is not", p.Name)
					case v.Accepted.Reason != v1alpha1.ReasonTooLarge || !strings.Contains(v.Accepted.Message, "the AuthServer is full: its policies and credentials may take 64 MiB of its memory together") || v.Fingerprint != "":
						t.Fatalf("%s: %+v", p.Name, v)
					}
				}
				return n
			}
			few := served(render.Input{Policies: policies, ShardCount: 64})
			if few < 100 || few == len(policies) {
				t.Errorf("%d policies are served", few)
			}
			if many := served(render.Input{Policies: policies, ShardCount: 128}); many != few {
				t.Errorf("%d policies are served from 128 shards, %d from fewer", many, few)
			}
		})
	}
}
