// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestUsername guards which claim or expression becomes the name, and what is refused instead of named wrongly.
func TestUsername(t *testing.T) {
	for _, row := range []struct {
		name    string
		from    config.Source
		prefix  bool
		payload string
		user    string // "" if refused
		plain   string
	}{
		{"claim", claim("upn"), false, `{"upn":"bob"}`, "bob", "bob"},
		{"prefix", claim("upn"), true, `{"upn":"bob"}`, "tenant-5/bob", "bob"},
		{"slash from a claim", claim("upn"), false, `{"upn":"a/b"}`, "a%2Fb", "a/b"},
		{"slash behind a prefix", claim("upn"), true, `{"upn":"other/bob"}`, "tenant-5/other%2Fbob", "other/bob"},
		{"absent", claim("upn"), false, `{}`, "", ""},
		{"empty", claim("upn"), false, `{"upn":""}`, "", ""},
		{"number", claim("upn"), false, `{"upn":7}`, "", ""},
		{"null", claim("upn"), false, `{"upn":null}`, "", ""},
		{"list of one", claim("upn"), false, `{"upn":["bob"]}`, "", ""},
		{"object", claim("upn"), false, `{"upn":{"a":"bob"}}`, "", ""},
		{"other case", claim("upn"), false, `{"UPN":"bob"}`, "", ""},
		{"member of an object", claim("a.upn"), false, `{"a":{"upn":"bob"}}`, "", ""},
		{"name with dots", claim("a.upn"), false, `{"a.upn":"bob"}`, "bob", "bob"},
		{"second of two", claim("upn", "mail"), false, `{"mail":"bob"}`, "bob", "bob"},
		{"first of two", claim("upn", "mail"), false, `{"mail":"eve","upn":"bob"}`, "bob", "bob"},
		{"first is empty, second not asked", claim("upn", "mail"), false, `{"upn":"","mail":"eve"}`, "", ""},
		{"first is a number, second not asked", claim("upn", "mail"), false, `{"upn":1,"mail":"eve"}`, "", ""},
		{"first is null, second not asked", claim("upn", "mail"), false, `{"upn":null,"mail":"eve"}`, "", ""},
		{"none of two", claim("upn", "mail"), false, `{}`, "", ""},
		{"joined", joined("tid", "oid"), false, `{"tid":"t1","oid":"o1"}`, "t1/o1", "t1/o1"},
		{"joined with prefix", joined("tid", "oid"), true, `{"tid":"t1","oid":"o1"}`, "tenant-5/t1/o1", "t1/o1"},
		{"joined with slashes inside", joined("tid", "oid"), true, `{"tid":"t/1","oid":"/"}`, "tenant-5/t%2F1/%2F", "t%2F1/%2F"},
		{"joined, one absent", joined("tid", "oid"), false, `{"tid":"t1"}`, "", ""},
		{"joined, one empty", joined("tid", "oid"), false, `{"tid":"","oid":"o1"}`, "", ""},
		{"joined, one a number", joined("tid", "oid"), false, `{"tid":1,"oid":"o1"}`, "", ""},
		{"expression", cel("claims.email.split('@')[0]"), true, `{"email":"bob@a.example"}`, "tenant-5/bob", "bob"},
		{"expression with a slash", cel("claims.a + '/' + claims.b"), true, `{"a":"x","b":"y"}`, "tenant-5/x%2Fy", "x/y"},
		{"expression fails", cel("claims.email.split('@')[0]"), false, `{}`, "", ""},
		{"expression gives an empty string", cel("claims.email.split('@')[0]"), false, `{"email":"@a"}`, "", ""},
		{"expression gives a number", cel("claims.n"), false, `{"n":7}`, "", ""},
		{"expression gives a list", cel("claims.n"), false, `{"n":["bob"]}`, "", ""},
		{"expression gives null", cel("claims.n"), false, `{"n":null}`, "", ""},
	} {
		r := compile(t, config.ClaimRules{Username: config.Username{Source: row.from, PrefixWithTenant: row.prefix}}, "tenant-5")
		id, err := r.Identify(Of(read(t, row.payload)))
		if row.user == "" {
			if e, ok := errors.AsType[*token.Error](err); !ok || e.Reason != ReasonUsername || errors.Is(err, ErrForbidden) {
				t.Errorf("%s: %+v, %v; want a refusal for the username", row.name, id, err)
			}
			continue
		}
		if err != nil || id.User != row.user || id.PreferredUsername != row.plain || id.Tenant != "tenant-5" {
			t.Errorf("%s: %+v, %v; want %s and %s", row.name, id, err, row.user, row.plain)
		}
	}
}

// TestEmail guards that an address counts only as a string, and only if the claim that vouches for it is true.
func TestEmail(t *testing.T) {
	for _, row := range []struct {
		name     string
		from     config.Source
		verified string
		payload  string
		want     string
	}{
		{"none mapped", config.Source{}, "", `{"email":"a@b"}`, ""},
		{"claim", claim("email"), "", `{"email":"a@b"}`, "a@b"},
		{"list", claim("email"), "", `{"email":["a@b"]}`, ""},
		{"number", claim("email"), "", `{"email":1}`, ""},
		{"comma and slash", claim("email"), "", `{"email":"a,b/c@d"}`, "a,b/c@d"},
		{"space", claim("email"), "", `{"email":" a@b"}`, "%20a@b"},
		{"first present", claim("email", "mail"), "", `{"mail":"a@b"}`, "a@b"},
		{"joined", joined("a", "b"), "", `{"a":"x","b":"y/z"}`, "x/y%2Fz"},
		{"expression", cel("claims.emails[0]"), "", `{"emails":["a@b"]}`, "a@b"},
		{"expression fails", cel("claims.emails[0]"), "", `{"emails":[]}`, ""},
		{"expression gives a list", cel("claims.emails"), "", `{"emails":["a@b"]}`, ""},

		{"true", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":true}`, "a@b"},
		{"Entra's 1", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":1}`, "a@b"},
		{`Entra's "1"`, claim("email"), "xms_edov", `{"email":"a@b","xms_edov":"1"}`, "a@b"},
		{`Entra's "true"`, claim("email"), "xms_edov", `{"email":"a@b","xms_edov":"true"}`, "a@b"},
		{"absent", claim("email"), "xms_edov", `{"email":"a@b"}`, ""},
		{"false", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":false}`, ""},
		{"0", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":0}`, ""},
		{`"0"`, claim("email"), "xms_edov", `{"email":"a@b","xms_edov":"0"}`, ""},
		{`"false"`, claim("email"), "xms_edov", `{"email":"a@b","xms_edov":"false"}`, ""},
		{"True", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":"True"}`, ""},
		{"null", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":null}`, ""},
		{"list", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":[true]}`, ""},
		{"2", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":2}`, ""},
		{"1.0", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":1.0}`, ""},
		{"empty", claim("email"), "xms_edov", `{"email":"a@b","xms_edov":""}`, ""},
		{"another claim, true", claim("email"), "email_verified", `{"email":"a@b","email_verified":true}`, "a@b"},
		{`another claim, "true"`, claim("email"), "email_verified", `{"email":"a@b","email_verified":"true"}`, ""},
		{"another claim, 1", claim("email"), "email_verified", `{"email":"a@b","email_verified":1}`, ""},
	} {
		r := compile(t, config.ClaimRules{Email: row.from, EmailVerified: row.verified}, "acme")
		id, err := r.Identify(Of(read(t, named(row.payload))))
		if err != nil || id.Email != row.want {
			t.Errorf("%s: %q, %v; want %q", row.name, id.Email, err, row.want)
		}
	}
}

// TestGroups guards that groups are a string or a list of strings and nothing else, and that no group can pass for two.
func TestGroups(t *testing.T) {
	for _, row := range []struct {
		name    string
		from    config.Source
		payload string
		want    string
	}{
		{"none mapped", config.Source{}, `{"groups":["a"]}`, ""},
		{"list", claim("groups"), `{"groups":["a","b"]}`, "a,b"},
		{"string", claim("groups"), `{"groups":"a"}`, "a"},
		{"comma in a string", claim("groups"), `{"groups":"a,admin"}`, "a%2Cadmin"},
		{"comma in a list", claim("groups"), `{"groups":["a,admin","b"]}`, "a%2Cadmin,b"},
		{"encoded comma", claim("groups"), `{"groups":["a%2Cadmin"]}`, "a%252Cadmin"},
		{"slash", claim("groups"), `{"groups":["a/b"]}`, "a/b"},
		{"empty ones", claim("groups"), `{"groups":["","a","",""]}`, "a"},
		{"none", claim("groups"), `{"groups":[]}`, ""},
		{"one number spoils the list", claim("groups"), `{"groups":["a",1]}`, ""},
		{"nested", claim("groups"), `{"groups":["a",["b"]]}`, ""},
		{"null", claim("groups"), `{"groups":null}`, ""},
		{"number", claim("groups"), `{"groups":7}`, ""},
		{"object", claim("groups"), `{"groups":{"a":"b"}}`, ""},
		{"Entra's overage", claim("groups"), `{"hasgroups":true,"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://graph.example"}}}`, ""},
		{"joined", joined("a", "b"), `{"a":"x,","b":"y"}`, "x%2C/y"},
		{"expression, list", cel("claims.realm_access.roles"), `{"realm_access":{"roles":["a,b","c"]}}`, "a%2Cb,c"},
		{"expression, string", cel("claims.role"), `{"role":"a,b"}`, "a%2Cb"},
		{"expression, number", cel("claims.role"), `{"role":1}`, ""},
		{"expression, list with a number", cel("claims.role"), `{"role":["a",1]}`, ""},
		{"expression fails", cel("claims.role"), `{}`, ""},
	} {
		r := compile(t, config.ClaimRules{Groups: row.from}, "acme")
		id, err := r.Identify(Of(read(t, named(row.payload))))
		if err != nil || id.Groups != row.want {
			t.Errorf("%s: %q, %v; want %q", row.name, id.Groups, err, row.want)
		}
	}
}

// TestHeaders guards what each JSON type becomes, every digit kept, and that every mapped header is there.
func TestHeaders(t *testing.T) {
	for _, row := range []struct {
		name    string
		from    config.Source
		payload string
		want    string
	}{
		{"string", claim("x"), `{"x":"gold"}`, "gold"},
		{"comma outside a list", claim("x"), `{"x":"user,admin"}`, "user%2Cadmin"},
		{"empty", claim("x"), `{"x":""}`, ""},
		{"absent", claim("x"), `{}`, ""},
		{"integer", claim("x"), `{"x":12345678901234567890123456789}`, "12345678901234567890123456789"},
		{"fraction", claim("x"), `{"x":-0.10}`, "-0.10"},
		{"exponent", claim("x"), `{"x":1E+2}`, "1E+2"},
		{"bools", claim("x"), `{"x":[true,false]}`, "true,false"},
		{"bool", claim("x"), `{"x":false}`, "false"},
		{"null", claim("x"), `{"x":null}`, ""},
		{"object", claim("x"), `{"x":{"a":1}}`, ""},
		{"list", claim("x"), `{"x":["a,b",1.50,true,"c"]}`, "a%2Cb,1.50,true,c"},
		{"list of strings", claim("x"), `{"x":["a","b\"c"]}`, `a,b"c`},
		{"list with null", claim("x"), `{"x":["a",null]}`, ""},
		{"list with an object", claim("x"), `{"x":["a",{}]}`, ""},
		{"list with a list", claim("x"), `{"x":["a",["b"]]}`, ""},
		{"no elements", claim("x"), `{"x":[]}`, ""},
		{"empty elements", claim("x"), `{"x":["",1,""]}`, "1"},
		{"second of two", claim("y", "x"), `{"x":1}`, "1"},
		{"joined", joined("a", "b"), `{"a":"x","b":"y"}`, "x/y"},
		{"joined, comma", joined("a", "b"), `{"a":"x,","b":"y"}`, "x%2C/y"},
		{"joined, one absent", joined("a", "b"), `{"a":"x"}`, ""},
		{"expression", cel("claims.x.y"), `{"x":{"y":7}}`, "7"},
		{"expression, list", cel("claims.x"), `{"x":["a,b",1,false]}`, "a%2Cb,1,false"},
		{"expression, bool", cel("claims.x > 1"), `{"x":2}`, "true"},
		{"expression, comma", cel("claims.x"), `{"x":"user,admin"}`, "user%2Cadmin"},
		{"expression, empty list", cel("claims.x"), `{"x":[]}`, ""},
		{"expression, object", cel("claims.x"), `{"x":{}}`, ""},
		{"expression fails", cel("claims.x.y"), `{}`, ""},
	} {
		r := compile(t, config.ClaimRules{Headers: []config.HeaderMapping{{Name: "X-First", Source: claim("sub")}, {Name: "X-Row", Source: row.from}}}, "acme")
		id, err := r.Identify(Of(read(t, named(row.payload))))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if diff := cmp.Diff([]Header{{"X-First", "s"}, {"X-Row", row.want}}, id.Headers); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
		if diff := cmp.Diff([]string{"X-First", "X-Row"}, r.HeaderNames()); diff != "" {
			t.Error(diff)
		}
	}
}

// TestIdentifyOwn guards that an own token's identity is its own claims', with the policy's prefix and headers and nothing
// else of the policy's mapping.
func TestIdentifyOwn(t *testing.T) {
	c := read(t, `{"exp":1,"sub":"u","upn":"upn","preferred_username":"bob/x","email":"b@own","mail":"m@own","groups":["g"],"roles":["r"],"plan":"gold"}`)
	rules := config.ClaimRules{Username: config.Username{Source: claim("upn"), PrefixWithTenant: true}, Email: claim("mail"), EmailVerified: "absent",
		Groups: claim("roles"), Headers: []config.HeaderMapping{{Name: "X-Plan", Source: claim("plan")}}}
	for _, row := range []struct {
		name  string
		rules *Rules
		want  Identity
	}{
		{"no policy", nil, Identity{User: "bob%2Fx", PreferredUsername: "bob/x", Email: "b@own", Groups: "g", Tenant: "acme"}},
		{"policy", compile(t, rules, "acme"), Identity{User: "acme/bob%2Fx", PreferredUsername: "bob/x", Email: "b@own", Groups: "g", Tenant: "acme",
			Headers: []Header{{"X-Plan", "gold"}}}},
	} {
		got, err := row.rules.IdentifyOwn(Of(c), "acme")
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", row.name, err, diff)
		}
	}
	if id, err := (*Rules)(nil).IdentifyOwn(Of(read(t, `{"exp":1,"sub":"u"}`)), "acme"); err == nil {
		t.Errorf("an own token without preferred_username is %+v", id)
	}
	if (*Rules)(nil).Check(Of(c)) != nil || (*Rules)(nil).HeaderNames() != nil {
		t.Error("no rules ask for something")
	}
}

// TestTooLarge guards the bound on what gateways are told: one claim mapped to many headers, or bytes that encoding
// triples.
func TestTooLarge(t *testing.T) {
	headers := make([]config.HeaderMapping, 16)
	for i := range headers {
		headers[i] = config.HeaderMapping{Name: "X-H", Source: claim("big")}
	}
	for _, row := range []struct {
		name  string
		rules config.ClaimRules
		big   string
		fits  bool
	}{
		{"16 headers of 1 KiB", config.ClaimRules{Headers: headers}, strings.Repeat("a", 1<<10), true},
		{"16 headers of 3 KiB", config.ClaimRules{Headers: headers}, strings.Repeat("a", 3<<10), false},
		{"user of 9 KiB, twice", config.ClaimRules{Username: config.Username{Source: claim("big")}}, strings.Repeat("a", 9<<10), true},
		{"user that is encoded", config.ClaimRules{Username: config.Username{Source: claim("big")}}, strings.Repeat(" ", 9<<10), false},
		{"groups that are encoded", config.ClaimRules{Groups: claim("big")}, strings.Repeat("\u00e9", 6<<10), false},
	} {
		_, err := compile(t, row.rules, "acme").Identify(Of(read(t, named(with(t, "big", row.big)))))
		e, refused := errors.AsType[*token.Error](err)
		if row.fits != (err == nil) || err != nil && (!refused || e.Reason != ReasonTooLarge || errors.Is(err, ErrForbidden)) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
