// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

// TestServedProvidersWork guards the promise of Accepted: no provider that is rendered is one that the server finds misconfigured.
func TestServedProvidersWork(t *testing.T) {
	loader := newLoader(t)
	checked := 0
	for _, name := range []string{"oidc", "oauth2", "providers-mistakes"} {
		out, err := load(t, loader, "testdata/"+name+".yaml").Render(loader, defaultServer, manifests.RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b := base(t, out)
		clients := outbound.NewClients(outbound.Options{})
		set, err := idp.NewSet(nil, b, idp.Options{Clients: clients, Keys: keys.New(keys.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Providers {
			p := set.ByObject(b.Providers[i].Object)
			if p == nil {
				t.Errorf("%s: the server does not have it", b.Providers[i].Object)
			} else if s := p.Status(); s.Reason == idp.ReasonMisconfiguredProvider {
				t.Errorf("%s: %s", b.Providers[i].Object, s.Message)
			}
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("%d providers were checked", checked)
	}
	broken := &config.Base{Providers: []config.Provider{{Object: "x", Name: "x", Type: config.ProviderOIDC, Mappings: &config.ProviderMappings{}, OIDC: &config.OIDC{}}}}
	set, err := idp.NewSet(nil, broken, idp.Options{Clients: outbound.NewClients(outbound.Options{}), Keys: keys.New(keys.Options{})})
	if err != nil || set.Get("x").Status().Reason != idp.ReasonMisconfiguredProvider {
		t.Errorf("what is broken is not told: %v", err)
	}
}
