// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// TestFilter guards which objects a name means.
func TestFilter(t *testing.T) {
	objects := &Objects{
		Time: now, Servers: []*v1alpha1.AuthServer{server("default"), server("edge")},
		Providers: []*v1alpha1.IdentityProvider{provider("default", "acme", "OIDC", good())},
		Policies:  []*v1alpha1.TenantJWTPolicy{policy("default", "acme", good()), policy("default", "globex", good())},
	}
	objects.Policies[1].Spec.TenantID = "globex-corp"
	cases := []struct {
		args          []string
		want, missing []string
		details       bool
	}{
		{args: nil, want: []string{"as/default", "idp/acme", "tjp/acme", "tjp/globex", "as/edge"}},
		{args: []string{"default"}, want: []string{"as/default", "idp/acme", "tjp/acme", "tjp/globex"}},
		{args: []string{"as/edge"}, want: []string{"as/edge"}},
		{args: []string{"acme"}, want: []string{"as/default", "idp/acme", "tjp/acme"}, details: true},
		{args: []string{"tjp/acme"}, want: []string{"as/default", "tjp/acme"}, details: true},
		{args: []string{"tenantjwtpolicies.auth.gatehouse.dev/acme"}, want: []string{"as/default", "tjp/acme"}, details: true},
		{args: []string{"globex-corp"}, want: []string{"as/default", "tjp/globex"}, details: true},
		{args: []string{"tjp/globex-corp", "idp/absent", "edge"}, want: []string{"as/edge"}, missing: []string{"tjp/globex-corp", "idp/absent"}},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			f, err := ParseFilter(c.args)
			if err != nil {
				t.Fatal(err)
			}
			r := NewReport(objects)
			missing := f.Apply(r)
			if diff := cmp.Diff(c.want, listed(r)); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.missing, missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if got := f.Details(r); got != c.details {
				t.Errorf("Details is %v, want %v", got, c.details)
			}
		})
	}
}

func listed(r *Report) (out []string) {
	for _, s := range r.AuthServers {
		out = append(out, "as/"+s.Name)
		for _, p := range s.IdentityProviders {
			out = append(out, "idp/"+p.Name)
		}
		for _, p := range s.TenantJWTPolicies {
			out = append(out, "tjp/"+p.Name)
		}
	}
	return out
}

// TestFilterMistakes guards that a name that is none says what one looks like.
func TestFilterMistakes(t *testing.T) {
	for arg, want := range map[string]string{
		"pod/acme": `"pod" is no kind of Gatehouse's: want as (AuthServer), idp (IdentityProvider) or tjp (TenantJWTPolicy)`,
		"tjp/":     `"tjp/" is no name: want NAME or KIND/NAME, such as acme or tjp/acme; a namespace goes into -n`,
		"a/b/c":    `"a/b/c" is no name: want NAME or KIND/NAME, such as acme or tjp/acme; a namespace goes into -n`,
		"":         `"" is no name: want NAME or KIND/NAME, such as acme or tjp/acme; a namespace goes into -n`,
	} {
		if _, err := ParseFilter([]string{arg}); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", arg, err, want)
		}
	}
}

// TestFilterIgnoresOthers guards that a named object that is ready does not fail for its AuthServer or siblings.
func TestFilterIgnoresOthers(t *testing.T) {
	r := NewReport(&Objects{
		Time: now, Servers: []*v1alpha1.AuthServer{server("default")},
		Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "acme", good()), policy("default", "globex", refused("Accepted", "Invalid", "no"))},
	})
	f, err := ParseFilter([]string{"acme"})
	if err != nil || r.Ready {
		t.Fatal(err, r.Ready)
	}
	f.Apply(r)
	if !r.Ready || r.Summary.TenantJWTPolicies != (Count{1, 1}) || r.Summary.AuthServers != (Count{}) {
		t.Errorf("ready %v, summary %+v", r.Ready, r.Summary)
	}
}
