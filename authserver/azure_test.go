// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/entratest"
)

const (
	contoso  = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
	fabrikam = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	stranger = "11111111-2222-3333-4444-555555555555"
	webshop  = "api://shop"
)

var (
	ada  = entratest.User{ObjectID: "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb", Name: "Ada", UPN: "ada@contoso.example", Roles: []string{"Buyer", "Auditor"}}
	mail = entratest.User{ObjectID: "bbbbbbbb-1111-2222-3333-cccccccccccc", Name: "Mal", UPN: "mal@contoso.example", Email: "ceo@contoso.example"}
)

// azure is a fake Entra ID and the policies that the operator renders for it.
type azure struct {
	*entratest.Cloud
	url                         string
	contoso, fabrikam, stranger *entratest.Directory
}

func newAzure(t *testing.T) *azure {
	t.Helper()
	cloud, err := entratest.New(entratest.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	cloud.SetAuthority(server.URL)
	return &azure{cloud, server.URL, cloud.Directory(contoso), cloud.Directory(fabrikam), cloud.Directory(stranger)}
}

// policy is what profile Azure renders to for these directories. common takes the metadata that are for all directories.
func (a *azure) policy(tenant string, common bool, directories ...string) config.Policy {
	return policyOf(tenant, func(p *config.Policy) {
		for _, id := range directories {
			at := a.url + "/" + id
			if common {
				at = a.url + "/common"
			}
			p.Issuers = append(p.Issuers,
				config.Issuer{Issuer: a.url + "/" + id + "/v2.0", Discovery: at + "/v2.0/.well-known/openid-configuration", Directory: id},
				config.Issuer{Issuer: entratest.DefaultTokenService + id + "/", Discovery: at + "/.well-known/openid-configuration", Directory: id})
		}
		p.Audiences = []string{webshop}
		p.Claims.Username.Claims = []string{"upn", "preferred_username"}
		if len(directories) > 1 {
			p.Claims.Username.Source = config.Source{Joined: []string{"tid", "oid"}}
		}
		p.Claims.Email.Claims, p.Claims.EmailVerified = []string{"email"}, "xms_edov"
		p.Claims.Groups.Claims = []string{"roles"}
	})
}

// TestAzure: tokens of the allowed directories pass in both versions, and nobody else's do, whoever's key they bear.
func TestAzure(t *testing.T) {
	a := newAzure(t)
	l := newLab(t, render(t, baseOf(loopback), 1, a.policy("one", false, contoso), a.policy("common", true, contoso), a.policy("two", false, contoso, fabrikam)))
	token := func(d *entratest.Directory, version string, u entratest.User, changes obj) string {
		return must(d.Token(version, webshop, u, changes))
	}
	passes := row{user: ada.UPN, preferred: ada.UPN, groups: "Buyer,Auditor"}
	joined := func(id string) row {
		name := id + "/" + ada.ObjectID
		return row{user: name, preferred: name, groups: "Buyer,Auditor"}
	}
	verified, unverified, texted := mail, mail, row{user: mail.UPN, preferred: mail.UPN, email: mail.Email}
	verified.Verified = true
	for _, tt := range []struct {
		name, tenant, token string
		row
	}{
		{"v2.0", "one", token(a.contoso, entratest.V2, ada, nil), passes},
		{"v1.0", "one", token(a.contoso, entratest.V1, ada, nil), passes},
		{"v2.0, common metadata", "common", token(a.contoso, entratest.V2, ada, nil), passes},
		{"v1.0, common metadata", "common", token(a.contoso, entratest.V1, ada, nil), passes},
		{"v2.0 of one of two", "two", token(a.contoso, entratest.V2, ada, nil), joined(contoso)},
		{"v1.0 of the other", "two", token(a.fabrikam, entratest.V1, ada, nil), joined(fabrikam)},

		{"v2.0 of another directory", "one", token(a.stranger, entratest.V2, ada, nil), row{status: 401, reason: "issuer_not_allowed"}},
		{"v1.0 of another directory", "one", token(a.stranger, entratest.V1, ada, nil), row{status: 401, reason: "issuer_not_allowed"}},
		{"another directory that claims to be ours", "one", token(a.stranger, entratest.V2, ada, obj{"iss": a.contoso.Issuer(entratest.V2)}), row{status: 401, reason: "directory"}},
		{"another directory with our tid", "one", token(a.stranger, entratest.V2, ada, obj{"tid": contoso}), row{status: 401, reason: "issuer_not_allowed"}},
		{"v1.0 of another directory that claims to be ours", "one", token(a.stranger, entratest.V1, ada, obj{"iss": a.contoso.Issuer(entratest.V1)}), row{status: 401, reason: "directory"}},
		{"two directories, iss and tid crossed", "two", token(a.contoso, entratest.V2, ada, obj{"tid": fabrikam}), row{status: 401, reason: "directory"}},
		{"no tid", "one", token(a.contoso, entratest.V2, ada, obj{"tid": nil}), row{status: 401, reason: "directory"}},
		{"tid is no string", "one", token(a.contoso, entratest.V2, ada, obj{"tid": []string{contoso}}), row{status: 401, reason: "directory"}},
		{"the template for an issuer", "one", token(a.contoso, entratest.V2, ada, obj{"iss": a.url + "/{tenantid}/v2.0"}), row{status: 401, reason: "issuer_not_allowed"}},
		{"the issuer of common", "common", token(a.contoso, entratest.V2, ada, obj{"iss": a.url + "/common/v2.0"}), row{status: 401, reason: "issuer_not_allowed"}},
		{"another application", "one", must(a.contoso.Token(entratest.V2, "api://other", ada, nil)), row{status: 401, reason: "audience_not_allowed"}},
		{"key of personal accounts", "one", must(a.contoso.TokenOfConsumersKey(entratest.V2, webshop, ada, nil)), row{status: 401, reason: "key_of_another_directory"}},
		{"key of personal accounts, common metadata", "common", must(a.contoso.TokenOfConsumersKey(entratest.V2, webshop, ada, nil)), row{status: 401, reason: "key_of_another_directory"}},
		{"expired", "one", token(a.contoso, entratest.V2, ada, obj{"exp": now.Add(-time.Hour).Unix()}), row{status: 401, reason: "expired"}},

		{"email of a verified domain", "one", token(a.contoso, entratest.V2, verified, nil), texted},
		{"email that an administrator wrote", "one", token(a.contoso, entratest.V2, unverified, nil), row{user: mail.UPN, preferred: mail.UPN}},
		{"email that is said not to be verified", "one", token(a.contoso, entratest.V2, unverified, obj{"xms_edov": false}), row{user: mail.UPN, preferred: mail.UPN}},
		{"upn before preferred_username", "one", token(a.contoso, entratest.V1, ada, obj{"preferred_username": "x"}), passes},
		{"nobody", "one", token(a.contoso, entratest.V2, entratest.User{ObjectID: "1"}, obj{"preferred_username": nil}), row{status: 401, reason: "bad_username"}},
		{"a slash in an oid", "two", token(a.contoso, entratest.V2, entratest.User{ObjectID: "x/y", UPN: "x"}, nil), row{user: contoso + "/x%2Fy", preferred: contoso + "/x%2Fy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // cold and warm
				r := tt.row
				r.target, r.headers = "/verify/"+tt.tenant, []string{x(tt.token)}
				if r.status == 0 {
					r.tenant = tt.tenant
				}
				l.check(t, &r)
			}
		})
	}
	for _, tenant := range []string{"one", "common", "two"} {
		if c := l.upstream(t, tenant); c.Status != "True" {
			t.Errorf("%s: %+v", tenant, c)
		}
	}
}

// TestAzureReadyByOneVersion: a directory whose applications get tokens of one version only is ready all the same, one that
// nobody has asked for is not known.
func TestAzureReadyByOneVersion(t *testing.T) {
	a := newAzure(t)
	l := newLab(t, render(t, baseOf(loopback), 1, a.policy("one", false, contoso), a.policy("two", false, contoso, fabrikam)))
	if got := l.status(t, "one", must(a.contoso.Token(entratest.V1, webshop, ada, nil))); got != 200 {
		t.Fatal(got)
	}
	if c := l.upstream(t, "one"); c.Status != "True" || c.Reason != "Ready" || c.Message != "1 key" || c.Since.IsZero() {
		t.Errorf("one: %+v", c)
	}
	if c := l.upstream(t, "two"); c.Status != "Unknown" || c.Reason != "NotYetFetched" {
		t.Errorf("two: %+v", c)
	}
}

// TestAzureRotation: the directory signs with a new key, and requests pass at once.
func TestAzureRotation(t *testing.T) {
	a := newAzure(t)
	l := newLab(t, render(t, baseOf(loopback), 1, a.policy("one", false, contoso)))
	for i := range 2 {
		if got := l.status(t, "one", must(a.contoso.Token(entratest.V2, webshop, ada, nil))); got != 200 {
			t.Errorf("key %d: %d", i, got)
		}
		if err := a.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAzureConditions: what an author did wrong is told with the fix, and by the issuer that it is about.
func TestAzureConditions(t *testing.T) {
	a := newAzure(t)
	for name, tt := range map[string]struct {
		change func(*config.Policy)
		base   func(*config.Base)
		token  string
		status int
		want   condition
	}{
		"a directory that does not exist": {
			change: func(p *config.Policy) {
				p.Issuers[0].Discovery = strings.Replace(p.Issuers[0].Discovery, contoso, "99999999-2222-3333-4444-555555555555", 1)
			},
			token: must(a.contoso.Token(entratest.V2, webshop, ada, nil)), status: 503,
			want: condition{Status: "False", Reason: "BadStatus", Message: `issuer "` + a.url + "/" + contoso + `/v2.0": 127.0.0.1:`},
		},
		"metadata of another directory": {
			change: func(p *config.Policy) {
				p.Issuers[0].Discovery = strings.Replace(p.Issuers[0].Discovery, contoso, fabrikam, 1)
			},
			token: must(a.contoso.Token(entratest.V2, webshop, ada, nil)), status: 503,
			want: condition{Status: "False", Reason: "IssuerMismatch", Message: `name another issuer than "` + a.url + "/" + contoso + `/v2.0": set issuer`},
		},
		"an authority inside the cluster": {
			base: func(*config.Base) {}, token: must(a.contoso.Token(entratest.V2, webshop, ada, nil)), status: 503,
			want: condition{Status: "False", Reason: "AddressNotAllowed", Message: "add 127.0.0.1/32, or the network it belongs to, to AuthServer spec.outbound.allowedCIDRs"},
		},
		"an algorithm that it has no key for": {
			change: func(p *config.Policy) { p.Algorithms = []string{"ES256", "EdDSA"} },
			token:  cast().initech.sign(t, nil, obj{"iss": a.url + "/" + contoso + "/v2.0", "exp": now.Add(time.Hour).Unix()}), status: 401,
			want: condition{Status: "False", Reason: "NoUsableKey", Message: "no key fits spec.algorithms (ES256, EdDSA): the keys there are for RS256, RS384, RS512, PS256"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, base := a.policy("one", false, contoso), loopback
			if tt.change != nil {
				tt.change(&p)
			}
			if tt.base != nil {
				base = tt.base
			}
			l := newLab(t, render(t, baseOf(base), 1, p))
			if got := l.status(t, "one", tt.token); got != tt.status {
				t.Errorf("status %d", got)
			}
			got := l.upstream(t, "one")
			if got.Status != tt.want.Status || got.Reason != tt.want.Reason || !strings.Contains(got.Message, tt.want.Message) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
