// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// ownPayload is an access token of the server's own that says who p is.
func ownPayload(t testing.TB, p Person) string {
	t.Helper()
	members := map[string]any{"exp": 4102444800, "preferred_username": p.Username}
	if p.Parts != nil {
		members[ClaimUsernameParts] = p.Parts
	}
	if p.Email != "" {
		members["email"] = p.Email
	}
	if len(p.Groups) > 0 {
		members["groups"] = p.Groups
	}
	if p.GroupsUnknown {
		members[ClaimHasGroups] = true
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPersonStaysWhoTheyAre guards that an access token made from somebody's token gives the same identity as that, whatever
// is in its claims and however they are mapped.
func TestPersonStaysWhoTheyAre(t *testing.T) {
	mappings := map[string]config.ClaimRules{
		"claims":      {Username: config.Username{Source: claim("sub")}, Email: claim("email"), Groups: claim("groups")},
		"prefix":      {Username: config.Username{Source: claim("sub"), PrefixWithTenant: true}, Groups: claim("one")},
		"joined":      {Username: config.Username{Source: joined("sub", "oid")}, Email: claim("email"), EmailVerified: "ok"},
		"both":        {Username: config.Username{Source: joined("sub", "oid"), PrefixWithTenant: true}, EmailVerified: "no", Email: claim("email")},
		"expressions": {Username: config.Username{Source: cel("claims.sub + '/x'")}, Email: cel("claims.email"), Groups: cel("claims.groups.map(g, 'x-' + g)")},
	}
	for _, sub := range []string{"bob", "a/b", "tenant-5/bob", "50%", "%2F", "zoë, the 1st", "a\tb\n", "x@y"} {
		payload, err := json.Marshal(map[string]any{"exp": 4102444800, "sub": sub, "oid": "o/" + sub, "email": "b ob@acme.example", "ok": true,
			"groups": []string{"a", "", "b,c", "d/e"}, "one": "ops,dev"})
		if err != nil {
			t.Fatal(err)
		}
		for name, mapping := range mappings {
			r := compile(t, mapping, "tenant-5")
			want, err := r.Identify(Of(read(t, string(payload))))
			if err != nil {
				t.Fatal(err)
			}
			p, ok := r.Person(Of(read(t, string(payload))))
			if !ok {
				t.Fatalf("%s: nobody", name)
			}
			got, err := r.IdentifyOwn(Of(read(t, ownPayload(t, p))), "tenant-5")
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s of %q: %v (-token's own +access token's)\n%s", name, sub, err, diff)
			}
		}
	}
}

// TestPersonOfUnknownGroups guards that whoever is in groups that cannot be read is in groups that cannot be read after an exchange, too: what bars members of
// one lets neither through.
func TestPersonOfUnknownGroups(t *testing.T) {
	ofClaim := config.ClaimRules{Username: config.Username{Source: claim("sub")}, Groups: claim("groups")}
	ofRoles, ofExpression, ofNone, ofTwo := ofClaim, ofClaim, ofClaim, ofClaim
	ofRoles.Groups, ofExpression.Groups, ofNone.Groups, ofTwo.Groups = claim("roles"), cel("claims.groups.map(g, g.name)"), config.Source{}, joined("a", "b")
	barred, err := CompileCallers("!('banned' in groups)")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		rules   config.ClaimRules
		payload string
		known   bool
	}{
		"none":                      {ofClaim, `{"sub":"bob"}`, true},
		"some":                      {ofClaim, `{"sub":"bob","groups":["a"]}`, true},
		"an empty list":             {ofClaim, `{"sub":"bob","groups":[]}`, true},
		"one":                       {ofClaim, `{"sub":"bob","groups":"a"}`, true},
		"too many":                  {ofClaim, `{"sub":"bob","hasgroups":true}`, false},
		"too many, not asked":       {ofNone, `{"sub":"bob","hasgroups":true}`, true},
		"elsewhere":                 {ofClaim, `{"sub":"bob","_claim_names":{"groups":"src1"}}`, false},
		"roles elsewhere":           {ofRoles, `{"sub":"bob","_claim_names":{"roles":"src1"}}`, false},
		"an object":                 {ofClaim, `{"sub":"bob","groups":{"a":true}}`, false},
		"null":                      {ofClaim, `{"sub":"bob","groups":null}`, false},
		"a list with a number":      {ofClaim, `{"sub":"bob","groups":["a",7]}`, false},
		"an expression":             {ofExpression, `{"sub":"bob","groups":[{"name":"a"}]}`, true},
		"an expression that fails":  {ofExpression, `{"sub":"bob","groups":[{"id":"a"}]}`, false},
		"two parts, one of them no": {ofTwo, `{"sub":"bob","a":"x"}`, false},
	} {
		r := compile(t, tt.rules, "acme")
		p, ok := r.Person(Of(read(t, tt.payload)))
		if !ok || p.GroupsUnknown == tt.known || p.GroupsUnknown && len(p.Groups) > 0 {
			t.Errorf("%s: %+v", name, p)
		}
		if before := barred.Admit(r, Of(read(t, tt.payload))); before != tt.known {
			t.Errorf("%s: before the exchange admitted %v", name, before)
		}
		if after := barred.AdmitOwn(r, Of(read(t, ownPayload(t, p))), "acme"); after != tt.known {
			t.Errorf("%s: after the exchange admitted %v", name, after)
		}
	}
}

// TestPersonWithoutAName guards that nobody is let through whom no claim names.
func TestPersonWithoutAName(t *testing.T) {
	for name, tt := range map[string]struct {
		username config.Source
		payload  string
	}{
		"absent":        {claim("upn"), `{}`},
		"empty":         {claim("upn"), `{"upn":""}`},
		"a number":      {claim("upn"), `{"upn":7}`},
		"one of two":    {joined("tid", "oid"), `{"tid":"t"}`},
		"empty of two":  {joined("tid", "oid"), `{"tid":"t","oid":""}`},
		"number of two": {joined("tid", "oid"), `{"tid":"t","oid":7}`},
		"fails":         {cel("claims.upn"), `{}`},
	} {
		if p, ok := compile(t, config.ClaimRules{Username: config.Username{Source: tt.username}}, "acme").Person(Of(read(t, tt.payload))); ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestPartsAreOfOwnTokensOnly guards that no issuer can put a bare slash into a name by that claim.
func TestPartsAreOfOwnTokensOnly(t *testing.T) {
	r := compile(t, config.ClaimRules{}, "acme")
	id, err := r.Identify(Of(read(t, `{"sub":"bob","username_parts":["tenant-5","bob"]}`)))
	if err != nil || id.User != "bob" || id.PreferredUsername != "bob" {
		t.Errorf("%+v, %v", id, err)
	}
}
