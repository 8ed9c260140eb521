// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// refused asks the manifest of a section for something that it must refuse, and, so that this says something, for something alike that it must accept.
func refused(t *testing.T, heading, tenant string, good, bad row) {
	t.Helper()
	address := served.Start(t, manifest(t, sections(t)[heading])+cast(t).secrets(t))
	bad.status = 401
	ask(t, address, tenant, good)
	ask(t, address, tenant, bad)
}

// notTaken changes a manifest of the page, or the Secrets beside it, into one that must not be served, for a reason that holds all of the words.
func notTaken(t *testing.T, heading, old, new, secrets string, words ...string) {
	t.Helper()
	text := manifest(t, sections(t)[heading])
	if secrets == "" {
		secrets = cast(t).secrets(t)
	}
	if found := served.Findings(t, text+cast(t).secrets(t)); len(found) > 0 {
		t.Fatalf("the page's own manifest is not taken: %v", found)
	}
	if strings.Count(text, old) != 1 {
		t.Fatalf("the manifest has %q %d times", old, strings.Count(text, old))
	}
	found := strings.Join(served.Findings(t, strings.Replace(text, old, new, 1)+secrets), "\n")
	for _, word := range words {
		if !strings.Contains(found, word) {
			t.Errorf("not refused with %q: %q", word, found)
		}
	}
}

// refusals are a test for each line of the page's last table.
var refusals = map[string]func(*testing.T, *castOf){
	"an audience that only `x-jwt-client-id` asks for": func(t *testing.T, c *castOf) {
		with := func(aud string) string { return c.hs.Sign(t, nil, bob.With(served.Claims{"aud": aud})) }
		refused(t, "Audience", "acme", row{token: with("https://api.acme.example"), user: "bob"},
			row{token: with("https://other.example"), headers: []string{"x-jwt-client-id: https://other.example"}})
	},
	"an issuer that only `x-jwt-issuer` asks for": func(t *testing.T, c *castOf) {
		with := func(iss string) string { return c.hs.Sign(t, nil, bob.With(served.Claims{"iss": iss})) }
		refused(t, "Issuer", "acme", row{token: with(idp), user: "bob"},
			row{token: with("https://other.example"), headers: []string{"x-jwt-issuer: https://other.example"}})
	},
	"claims encrypted with RSA-OAEP and not signed": func(t *testing.T, c *castOf) {
		key := &c.decryption.PublicKey
		refused(t, "RSA-OAEP", "acme", row{token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "JWT", c.rs.Sign(t, nil, bob)), user: "bob"},
			row{token: served.Seal(t, jose.RSA_OAEP, jose.A256GCM, key, "", direct(t, bob))})
		notTaken(t, "RSA-OAEP", "    required: true", "    nestedSignature: Optional\n    required: true", "", "nestedSignature: Optional is for symmetric keys only")
	},
	"an algorithm that the token chooses": func(t *testing.T, c *castOf) {
		good := c.rs.Sign(t, nil, bob)
		_, rest, _ := strings.Cut(good, ".")
		payload, _, _ := strings.Cut(rest, ".")
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "."
		refused(t, "RS256", "acme", row{token: good, user: "bob"}, row{token: none})
		refused(t, "RS256", "acme", row{token: good, user: "bob"}, row{token: served.HMAC("HS256", []byte(c.rs.PEM(t))).Sign(t, nil, bob)})
		refused(t, "Several keys", "acme", row{token: c.rs.As("RS256", "signing").Sign(t, nil, bob), user: "bob"},
			row{token: served.HMAC("HS256", []byte(c.rs.PEM(t))).As("HS256", "signing").Sign(t, nil, bob)})
	},
	"a token without `kid` where there are several keys": func(t *testing.T, c *castOf) {
		refused(t, "Several keys", "acme", row{token: c.rs.As("RS256", "signing").Sign(t, nil, bob), user: "bob"}, row{token: c.rs.Sign(t, nil, bob)})
	},
	"a tenant without a policy": func(t *testing.T, c *castOf) {
		address := served.Start(t, manifest(t, sections(t)["Several tenants"])+c.secrets(t))
		ask(t, address, "", row{token: c.hs.Sign(t, nil, bob), user: "bob"})
		ask(t, address, "initech", row{token: c.hs.Sign(t, nil, bob), status: 401})
	},
	"tokens of any Azure AD directory": func(t *testing.T, _ *castOf) {
		notTaken(t, "Azure AD", "["+directory+"]", "[]", "", "spec.azure.tenantIDs")
		notTaken(t, "Azure AD", directory, "common", "", "spec.azure.tenantIDs[0]", "not a domain name, common, organizations or consumers")
	},
	"a password of less than 32 bytes for HS256": func(t *testing.T, _ *castOf) {
		notTaken(t, "HS256", "tenantID: acme", "tenantID: acme", secret("acme-jwt", map[string]string{"password": "correct horse battery staple"}), "Secret default/acme-jwt", "28 bytes", "use 32 to 1024")
	},
	"a password as AES key": func(t *testing.T, _ *castOf) {
		notTaken(t, "AES", "tenantID: acme", "tenantID: acme", secret("acme-decryption", map[string]string{"key": "correct horse battery staple"}), "Secret default/acme-decryption", "28 bytes")
		notTaken(t, "AES", "dir, A256KW", "PBES2-HS256+A128KW", "", "spec.decryption.keyAlgorithms[0]", "PBES2-HS256+A128KW")
	},
	"`RS246`": func(t *testing.T, c *castOf) {
		notTaken(t, "RS256", "[RS256]", "[RS246]", "", "spec.algorithms[0]", `"RS246"`, `"RS256"`)
		refused(t, "RS256", "acme", row{token: c.rs.Sign(t, nil, bob), user: "bob"}, row{token: c.rs.Sign(t, served.Claims{"alg": "RS246"}, bob)})
	},
	"a token without `exp`": func(t *testing.T, c *castOf) {
		refused(t, "HS256", "acme", row{token: c.hs.Sign(t, nil, bob), user: "bob"}, row{token: c.hs.Sign(t, nil, served.Claims{"upn": "bob", "exp": nil})})
	},
	"a header that is empty or there twice": func(t *testing.T, c *castOf) {
		good := c.hs.Sign(t, nil, bob.With(served.Claims{"iss": idp, "nonce": "n", "aud": "a"}))
		for name, value := range map[string]string{"x-jwt-issuer": idp, "x-jwt-client-id": "a", "x-jwt-nonce": "n"} {
			refused(t, "HS256", "acme", row{token: good, headers: []string{name + ": " + value}, user: "bob"}, row{token: good, headers: twice(name, value)})
			refused(t, "HS256", "acme", row{token: good, user: "bob"}, row{token: good, headers: []string{name + ": "}})
		}
		refused(t, "HS256", "acme", row{headers: []string{"x-jwt-token: " + good}, user: "bob"}, row{headers: twice("x-jwt-token", good)})
		refused(t, "HS256", "", row{token: good, headers: []string{"x-jwt-tenant-id: acme"}, user: "bob"}, row{token: good, headers: twice("x-jwt-tenant-id", "acme")})
	},
	"RSA keys below 2048 bits": func(t *testing.T, _ *castOf) {
		t.Setenv("GODEBUG", "rsa1024min=0")
		small, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&small.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		notTaken(t, "RS256", "tenantID: acme", "tenantID: acme", secret("acme-jwt", map[string]string{"public.pem": text}), "Secret default/acme-jwt", "2048")
	},
	"a user name that looks like another tenant's": func(t *testing.T, c *castOf) {
		address := served.Start(t, manifest(t, sections(t)["tenant-5/bob"])+c.secrets(t))
		ask(t, address, "tenant-5", row{token: c.hs.Sign(t, nil, served.Claims{"username": "tenant-6/eve"}), user: "tenant-5/tenant-6%2Feve"})
	},
}

// TestRefusals guards that each line of the table is true, and that none is without a test.
func TestRefusals(t *testing.T) {
	c := cast(t)
	want := slices.Sorted(maps.Keys(refusals))
	got := lines(sections(t)["What we refuse on purpose"])
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the page's lines (-tests +page):\n%s", diff)
	}
	for line, check := range refusals {
		t.Run(line, func(t *testing.T) { check(t, c) })
	}
}
