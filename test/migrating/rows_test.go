// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/entratest"
	"github.com/gatehouse-auth/gatehouse/test/served"
)

const (
	directory   = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	application = "00001111-aaaa-2222-bbbb-3333cccc4444"
	idp         = "https://idp.acme.example"
)

// bob is what tokens say of him unless a case needs more.
var bob = served.Claims{"upn": "bob"}

// cases are the requests that each of the page's manifests must decide, by heading.
var cases = map[string]func(*testing.T, *castOf) []row{
	"HS256": func(t *testing.T, c *castOf) []row {
		return []row{
			{name: "signed with the password", token: c.hs.Sign(t, nil, bob), user: "bob"},
			{name: "as Bearer", headers: []string{"authorization: Bearer " + c.hs.Sign(t, nil, bob)}, user: "bob"},
			{name: "another password", token: served.HMAC("HS256", append([]byte("x"), c.password...)).Sign(t, nil, bob), status: 401},
			{name: "HS512", token: served.HMAC("HS512", c.password).Sign(t, nil, bob), status: 401},
			{name: "RS256", token: c.rs.Sign(t, nil, bob), status: 401},
			{name: "encrypted", token: served.Seal(t, jose.DIRECT, jose.A256GCM, c.aes, "JWT", c.hs.Sign(t, nil, bob)), status: 401},
			{name: "no user", token: c.hs.Sign(t, nil, served.Claims{"sub": "bob"}), status: 401},
		}
	},
	"RS256": func(t *testing.T, c *castOf) []row {
		return []row{
			{name: "signed with the key", token: c.rs.Sign(t, nil, bob), user: "bob"},
			{name: "another key", token: c.mallory.Sign(t, nil, bob), status: 401},
			{name: "PS256 by the same key", token: c.rs.As("PS256", "").Sign(t, nil, bob), status: 401},
			{name: "RS246", token: c.rs.Sign(t, served.Claims{"alg": "RS246"}, bob), status: 401},
		}
	},
	"RSA-OAEP": func(t *testing.T, c *castOf) []row {
		inside, key := c.rs.Sign(t, nil, bob), &c.decryption.PublicKey
		return []row{
			{name: "a signed token inside", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "JWT", inside), user: "bob"},
			{name: "by A128CBC-HS256", token: served.Seal(t, jose.RSA_OAEP, jose.A128CBC_HS256, key, "", inside), user: "bob"},
			{name: "signed only", token: inside, status: 401},
			{name: "claims inside, which anybody could encrypt", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "", direct(t, bob)), status: 401},
			{name: "a token inside that another signed", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "JWT", c.mallory.Sign(t, nil, bob)), status: 401},
			{name: "an expired token inside", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "JWT", c.rs.Sign(t, nil, bob.With(served.Claims{"exp": 1}))), status: 401},
			{name: "RSA-OAEP-256", token: served.Seal(t, jose.RSA_OAEP_256, jose.A256GCM, key, "JWT", inside), status: 401},
			{name: "A128GCM", token: served.Seal(t, jose.RSA_OAEP, jose.A128GCM, key, "JWT", inside), status: 401},
		}
	},
	"AES": func(t *testing.T, c *castOf) []row {
		claims := bob.With(served.Claims{"iss": idp})
		return []row{
			{name: "dir", token: served.Seal(t, jose.DIRECT, jose.A256GCM, c.aes, "", direct(t, claims)), user: "bob"},
			{name: "A256KW", token: served.Seal(t, jose.A256KW, jose.A256GCM, c.aes, "", direct(t, claims)), user: "bob"},
			{name: "another key", token: served.Seal(t, jose.DIRECT, jose.A256GCM, append(c.aes[1:32:32], 0), "", direct(t, claims)), status: 401},
			{name: "expired", token: served.Seal(t, jose.DIRECT, jose.A256GCM, c.aes, "", direct(t, claims.With(served.Claims{"exp": 1}))), status: 401},
			{name: "another issuer", token: served.Seal(t, jose.DIRECT, jose.A256GCM, c.aes, "", direct(t, bob.With(served.Claims{"iss": "https://evil.example"}))), status: 403},
			{name: "no issuer", token: served.Seal(t, jose.DIRECT, jose.A256GCM, c.aes, "", direct(t, bob)), status: 403},
			{name: "signed only, with the AES key", token: served.HMAC("HS256", c.aes).Sign(t, nil, claims), status: 401},
		}
	},
	"Several algorithms": func(t *testing.T, c *castOf) []row {
		key := &c.decryption.PublicKey
		return []row{
			{name: "RS256", token: c.rs.Sign(t, nil, bob), user: "bob"},
			{name: "RSA-OAEP with RS256 inside", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "JWT", c.rs.Sign(t, nil, bob)), user: "bob"},
			{name: "RSA-OAEP with HS256 inside", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "JWT", c.hs.Sign(t, nil, bob)), status: 401},
			{name: "RSA-OAEP with claims inside", token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "", direct(t, bob)), status: 401},
			{name: "RS384 by the same key", token: c.rs.As("RS384", "").Sign(t, nil, bob), status: 401},
		}
	},
	"Several keys": func(t *testing.T, c *castOf) []row {
		shared, signing := c.hs.As("HS256", "shared"), c.rs.As("RS256", "signing")
		return []row{
			{name: "HS256", token: shared.Sign(t, nil, bob), user: "bob"},
			{name: "RS256", token: signing.Sign(t, nil, bob), user: "bob"},
			{name: "RS256 without kid", token: c.rs.Sign(t, nil, bob), status: 401},
			{name: "HS256 by the kid of the other", token: c.hs.As("HS256", "signing").Sign(t, nil, bob), status: 401},
			{name: "HS256 with the public key as password", token: served.HMAC("HS256", []byte(c.rs.PEM(t))).As("HS256", "signing").Sign(t, nil, bob), status: 401},
		}
	},
	"Audience": func(t *testing.T, c *castOf) []row {
		with := func(aud any) string { return c.hs.Sign(t, nil, bob.With(served.Claims{"aud": aud})) }
		return []row{
			{name: "the audience", token: with("https://api.acme.example"), user: "bob"},
			{name: "in a list", token: with([]string{"https://other.example", "https://two.acme.example"}), user: "bob"},
			{name: "another", token: with("https://other.example"), status: 401},
			{name: "none", token: with(nil), status: 401},
			{name: "narrowed to one of both", token: with([]string{"https://api.acme.example", "x"}), headers: []string{"x-jwt-client-id: https://api.acme.example"}, user: "bob"},
			{name: "narrowed to one that the token lacks", token: with("https://api.acme.example"), headers: []string{"x-jwt-client-id: https://two.acme.example"}, status: 401},
			{name: "widened by the header", token: with("https://other.example"), headers: []string{"x-jwt-client-id: https://other.example"}, status: 401},
			{name: "one that the policy lacks", token: with([]string{"https://api.acme.example", "x"}), headers: []string{"x-jwt-client-id: x"}, status: 401},
		}
	},
	"User name": func(t *testing.T, c *castOf) []row {
		return []row{
			{name: "e-mail address", token: c.hs.Sign(t, nil, served.Claims{"email": "bob@acme.example", "upn": "other"}), user: "bob@acme.example",
				told: map[string]string{"X-Auth-Request-Email": "bob@acme.example", "X-Auth-Request-Preferred-Username": "bob@acme.example", "X-Auth-Tenant": "acme"}},
			{name: "none", token: c.hs.Sign(t, nil, bob), status: 401},
			{name: "a list", token: c.hs.Sign(t, nil, served.Claims{"email": []string{"bob@acme.example"}}), status: 401},
		}
	},
	"Issuer": func(t *testing.T, c *castOf) []row {
		with := func(iss any) string { return c.hs.Sign(t, nil, bob.With(served.Claims{"iss": iss})) }
		return []row{
			{name: "the issuer", token: with(idp), user: "bob"},
			{name: "the header agrees", token: with(idp), headers: []string{"x-jwt-issuer: " + idp}, user: "bob"},
			{name: "a slash more", token: with(idp + "/"), status: 401},
			{name: "in capitals", token: with(strings.ToUpper(idp)), status: 401},
			{name: "none", token: with(nil), status: 401},
			{name: "the header differs", token: with(idp), headers: []string{"x-jwt-issuer: https://evil.example"}, status: 401},
			{name: "another, and the header asks for it", token: with("https://evil.example"), headers: []string{"x-jwt-issuer: https://evil.example"}, status: 401},
		}
	},
	"tenant-5/bob": func(t *testing.T, c *castOf) []row {
		return []row{
			{name: "bob", token: c.hs.Sign(t, nil, served.Claims{"username": "bob"}), user: "tenant-5/bob",
				told: map[string]string{"X-Auth-Request-Preferred-Username": "bob", "X-Auth-Tenant": "tenant-5"}},
			{name: "the nonce agrees", token: c.hs.Sign(t, nil, served.Claims{"username": "bob", "nonce": "n-1"}), headers: []string{"x-jwt-nonce: n-1"}, user: "tenant-5/bob"},
			{name: "the nonce differs", token: c.hs.Sign(t, nil, served.Claims{"username": "bob", "nonce": "n-1"}), headers: []string{"x-jwt-nonce: n-2"}, status: 401},
			{name: "a nonce that the token lacks", token: c.hs.Sign(t, nil, served.Claims{"username": "bob"}), headers: []string{"x-jwt-nonce: n-1"}, status: 401},
			{name: "a name that looks like another tenant's", token: c.hs.Sign(t, nil, served.Claims{"username": "tenant-6/eve"}), user: "tenant-5/tenant-6%2Feve"},
			{name: "upn is not the claim", token: c.hs.Sign(t, nil, bob), status: 401},
		}
	},
}

// TestRows guards that each manifest of the page does what its line promises.
func TestRows(t *testing.T) {
	c := cast(t)
	all := sections(t)
	for heading, rows := range cases {
		t.Run(heading, func(t *testing.T) {
			text := manifest(t, all[heading])
			if text == "" {
				t.Fatal("the page has no such manifest")
			}
			tenant := "acme"
			if strings.Contains(text, "tenantID: tenant-5") {
				tenant = "tenant-5"
			}
			address := served.Start(t, text+c.secrets(t))
			for _, r := range rows(t, c) {
				t.Run(r.name, func(t *testing.T) { ask(t, address, tenant, r) })
			}
			t.Run("no token", func(t *testing.T) { ask(t, address, tenant, row{status: 401}) })
			t.Run("no tenant", func(t *testing.T) { ask(t, address, "", row{token: c.hs.Sign(t, nil, bob), status: 401}) })
		})
	}
	for heading, body := range all {
		if _, ok := cases[heading]; !ok && manifest(t, body) != "" && heading != "Several tenants" && heading != "Azure AD" {
			t.Errorf("the manifest of %s has no cases", heading)
		}
	}
}

// TestSeveralTenants guards that each tenant is decided by its own settings alone, and the default where none is named.
func TestSeveralTenants(t *testing.T) {
	c := cast(t)
	address := served.Start(t, manifest(t, sections(t)["Several tenants"])+c.secrets(t))
	acme, globex := c.hs.Sign(t, nil, bob), c.rs.Sign(t, nil, served.Claims{"upn": "carol", "aud": "https://api.globex.example"})
	for _, r := range []struct {
		tenant string
		row
	}{
		{"acme", row{name: "acme", token: acme, user: "bob", told: map[string]string{"X-Auth-Tenant": "acme"}}},
		{"", row{name: "the default", token: acme, user: "bob", told: map[string]string{"X-Auth-Tenant": "acme"}}},
		{"globex", row{name: "globex", token: globex, user: "carol", told: map[string]string{"X-Auth-Tenant": "globex"}}},
		{"globex", row{name: "JWT_<TENANT_ID>_ALGORITHM: the default's does not count", token: acme, status: 401}},
		{"globex", row{name: "JWT_<TENANT_ID>_AUDIENCE", token: c.rs.Sign(t, nil, served.Claims{"upn": "carol", "aud": "https://api.acme.example"}), status: 401}},
		{"globex", row{name: "no audience", token: c.rs.Sign(t, nil, served.Claims{"upn": "carol"}), status: 401}},
		{"acme", row{name: "another's token", token: globex, status: 401}},
		{"", row{name: "another's token for the default", token: globex, status: 401}},
		{"initech", row{name: "a tenant without a policy does not get the default's", token: acme, status: 401}},
	} {
		t.Run(r.name, func(t *testing.T) { ask(t, address, r.tenant, r.row) })
	}
}

// TestAzureAD guards JWT_TYPE=azure, against a fake that issues tokens and publishes keys as Entra ID does.
func TestAzureAD(t *testing.T) {
	cloud, err := entratest.New(entratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(cloud)
	t.Cleanup(web.Close)
	cloud.SetAuthority(web.URL)
	text := manifest(t, sections(t)["Azure AD"])
	at := "\n  azure:\n"
	if strings.Count(text, at) != 1 || !strings.Contains(text, directory) || !strings.Contains(text, application) {
		t.Fatal("the manifest names another directory or application")
	}
	address := served.Start(t, strings.Replace(text, at, at+"    authorityHost: "+web.URL+"\n", 1))
	ours, other := cloud.Directory(directory), cloud.Directory("99999999-0000-cccc-1111-dddd2222eeee")
	user := entratest.User{ObjectID: "11112222-3333-4444-5555-666677778888", UPN: "bob@acme.example", Email: "boss@acme.example"}
	token := func(d *entratest.Directory, version, audience string, changes served.Claims) string {
		raw, err := d.Token(version, audience, user, maps.Clone(changes))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	unverified := map[string]string{"X-Auth-Request-Email": "", "X-Auth-Tenant": "acme"}
	for _, r := range []row{
		{name: "v1.0", token: token(ours, entratest.V1, "api://acme", nil), user: "bob@acme.example", told: unverified},
		{name: "v2.0", token: token(ours, entratest.V2, application, nil), user: "bob@acme.example", told: unverified},
		{name: "v2.0, an e-mail address of a domain that was shown to be theirs", token: token(ours, entratest.V2, application, served.Claims{"xms_edov": true}), user: "bob@acme.example",
			told: map[string]string{"X-Auth-Request-Email": "boss@acme.example"}},
		{name: "v2.0, narrowed", token: token(ours, entratest.V2, application, nil), headers: []string{"x-jwt-client-id: " + application, "x-jwt-issuer: " + ours.Issuer(entratest.V2)}, user: "bob@acme.example"},
		{name: "another directory", token: token(other, entratest.V2, application, nil), status: 401},
		{name: "another directory that says it is ours", token: token(other, entratest.V2, application, served.Claims{"iss": ours.Issuer(entratest.V2)}), status: 401},
		{name: "our directory's tid, another's issuer", token: token(other, entratest.V1, "api://acme", served.Claims{"tid": directory}), status: 401},
		{name: "another application", token: token(ours, entratest.V2, "99999999-aaaa-2222-bbbb-3333cccc4444", nil), status: 401},
		{name: "expired", token: token(ours, entratest.V1, "api://acme", served.Claims{"exp": 1}), status: 401},
	} {
		t.Run(r.name, func(t *testing.T) { ask(t, address, "acme", r) })
	}
}
