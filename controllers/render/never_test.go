// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestHTTPIsWarnedAbout guards that the warning about http is given where no keys can be fetched, and nowhere else; that it does not keep the policy
// from being served. What else never passes is in testdata/never.yaml.
func TestHTTPIsWarnedAbout(t *testing.T) {
	for _, c := range []struct {
		url      string
		cidr     v1alpha1.CIDR
		loopback bool
		warned   bool
	}{
		{"http://idp.example/keys", "", false, true},
		{"http://idp.example/keys", "10.0.0.0/8", false, false},
		{"https://idp.example/keys", "", false, false},
		{"http://localhost:8080/keys", "", false, true},
		{"http://localhost:8080/keys", "", true, false},
		{"http://127.0.0.1:8080/keys", "", true, false},
		{"http://[::1]:8080/keys", "", true, false},
		{"http://10.0.0.1/keys", "", true, true},
		{"http://localhost.example/keys", "", true, true},
	} {
		p, s := policy("default", "a", "a"), server()
		p.Spec.Issuers[0].JWKSURI = c.url
		if c.cidr != "" {
			s.Spec.Outbound = &v1alpha1.Outbound{AllowedCIDRs: []v1alpha1.CIDR{c.cidr}}
		}
		v := mustRender(t, render.Input{Server: s, Policies: []*v1alpha1.TenantJWTPolicy{p}, Loopback: c.loopback}, nil).Verdicts[keyOf(p)]
		warned := strings.Contains(v.Accepted.Message, "spec.issuers[0].jwksURI: http is dialled only inside")
		if !v.Served || warned != c.warned || warned != (len(v.Warnings) == 1) {
			t.Errorf("%s with %q, loopback %v: served %v, %s", c.url, c.cidr, c.loopback, v.Served, v.Accepted.Message)
		}
	}
}

// TestAzureIsToldOnce guards that half of profile Azure gets the one message that helps, and none that asks for what is there.
func TestAzureIsToldOnce(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.TenantJWTPolicySpec){
		"only the profile": func(s *v1alpha1.TenantJWTPolicySpec) { s.Profile = v1alpha1.ProfileAzure },
		"only the block": func(s *v1alpha1.TenantJWTPolicySpec) {
			s.Azure = &v1alpha1.Azure{TenantIDs: []string{"aaaabbbb-0000-cccc-1111-dddd2222eeee"}}
		},
	} {
		p := policy("default", "a", "a")
		p.Spec.Issuers = nil
		change(&p.Spec)
		v := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{p}}, nil).Verdicts[keyOf(p)]
		if want := "spec.azure: it goes with profile: Azure: set both or neither"; v.Accepted.Message != want {
			t.Errorf("%s: %s", name, v.Accepted.Message)
		}
	}
}
