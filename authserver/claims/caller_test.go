// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestCallers guards who an expression over a caller sees: the mapped names, not encoded and without prefix, and never groups that could not be read as none.
func TestCallers(t *testing.T) {
	mapped := config.ClaimRules{
		Username: config.Username{Source: claim("sub"), PrefixWithTenant: true},
		Groups:   claim("groups"),
	}
	computed := mapped
	computed.Groups = config.Source{Expression: "claims.roles.map(r, r.name)"}
	joined := mapped
	joined.Username.Source = config.Source{Joined: []string{"tid", "oid"}}
	for _, row := range []struct {
		name, expression, payload string
		rules                     config.ClaimRules
		want                      bool
	}{
		{"all four", "tenant == 'acme' && username == 'Jörg %/x' && groups == ['a,b', 'c'] && claims.plan == 'gold'", `{"sub":"Jörg %/x","groups":["a,b","c"],"plan":"gold"}`, mapped, true},
		{"no prefix", "username.startsWith('acme')", `{"sub":"bob"}`, mapped, false},
		{"what the token says of them does not count", "username == 'root' || tenant == 'root'", `{"sub":"bob","username":"root","tenant":"root"}`, mapped, false},
		{"one group as a string", "groups == ['ci']", `{"sub":"bob","groups":"ci"}`, mapped, true},
		{"no groups", "groups.size() == 0", `{"sub":"bob"}`, mapped, true},
		{"an empty one", "groups.size() == 0", `{"sub":"bob","groups":""}`, mapped, true},
		{"groups of another type", "!('banned' in groups)", `{"sub":"bob","groups":7}`, mapped, false},
		{"a list with another type", "!('banned' in groups)", `{"sub":"bob","groups":["a",7]}`, mapped, false},
		{"null", "!('banned' in groups)", `{"sub":"bob","groups":null}`, mapped, false},
		{"too many for the token", "!('banned' in groups)", `{"sub":"bob","hasgroups":true}`, mapped, false},
		{"to be asked for elsewhere", "!('banned' in groups)", `{"sub":"bob","_claim_names":{"groups":"src1"}}`, mapped, false},
		{"others elsewhere", "!('banned' in groups)", `{"sub":"bob","_claim_names":{"address":"src1"},"hasgroups":false}`, mapped, true},
		{"elsewhere, nobody knows what", "!('banned' in groups)", `{"sub":"bob","_claim_names":"groups"}`, mapped, false},
		{"computed groups", "groups == ['a']", `{"sub":"bob","roles":[{"name":"a"}]}`, computed, true},
		{"computed groups that fail", "!('banned' in groups)", `{"sub":"bob","roles":[{"id":"a"}]}`, computed, false},
		{"computed groups that nobody reads", "username == 'bob'", `{"sub":"bob","roles":[{"id":"a"}]}`, computed, true},
		{"a joined name", "username == 'a%2Fb/c'", `{"sub":"x","tid":"a/b","oid":"c"}`, joined, true},
		{"a joined name that is not whole", "true", `{"sub":"x","tid":"a"}`, joined, false},
		{"no name", "true", `{"groups":["a"]}`, mapped, false},
		{"an expression that fails", "claims.plan == 'gold'", `{"sub":"bob"}`, mapped, false},
	} {
		callers, err := CompileCallers(row.expression)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := callers.Admit(compile(t, row.rules, "acme"), Of(read(t, row.payload))); got != row.want {
			t.Errorf("%s: admitted %v, want %v", row.name, got, row.want)
		}
	}
	var nobody *Callers
	if nobody.Admit(compile(t, mapped, "acme"), Of(read(t, `{"sub":"bob"}`))) {
		t.Error("nobody admits somebody")
	}
}

// TestCallersOwn guards that of an own token its own names count, with and without a policy, and whatever that maps.
func TestCallersOwn(t *testing.T) {
	callers, err := CompileCallers("tenant == 'acme' && username == 'bob' && groups == ['ci']")
	if err != nil {
		t.Fatal(err)
	}
	own := `{"sub":"0000","preferred_username":"bob","groups":["ci"],"roles":["x"],"organization":"acme"}`
	other := compile(t, config.ClaimRules{Username: config.Username{Source: claim("sub")}, Groups: claim("roles")}, "acme")
	for name, rules := range map[string]*Rules{"no policy": nil, "a policy": other} {
		if !callers.AdmitOwn(rules, Of(read(t, own)), "acme") {
			t.Errorf("%s: not admitted", name)
		}
		if callers.AdmitOwn(rules, Of(read(t, own)), "globex") {
			t.Errorf("%s: admitted for another organization", name)
		}
	}
}

// TestCallersOwnParts guards that a joined name is the same in a token of the tenant and in the one that it was exchanged for.
func TestCallersOwnParts(t *testing.T) {
	callers, err := CompileCallers("username == 'a%2Fb/c'")
	if err != nil {
		t.Fatal(err)
	}
	if !callers.AdmitOwn(nil, Of(read(t, `{"sub":"x","preferred_username":"a/b/c","username_parts":["a/b","c"]}`)), "acme") {
		t.Error("not admitted")
	}
	for _, other := range []string{`{"sub":"x","preferred_username":"a%2Fb/c","username_parts":["a","b/c"]}`, `{"sub":"x","preferred_username":"a/b/c"}`} {
		if callers.AdmitOwn(nil, Of(read(t, other)), "acme") {
			t.Errorf("admitted: %s", other)
		}
	}
}

// TestCallersAuthor guards that an author is told what is wrong, and that nobody else is.
func TestCallersAuthor(t *testing.T) {
	if err := CheckExpression("callers", "tenant == 'acme' && 'ci' in groups"); err != nil {
		t.Error(err)
	}
	if err := CheckExpression("rule", "tenant == 'acme'"); err == nil {
		t.Error("a claim rule knows the tenant")
	}
	err := CheckExpression("callers", "email == 'secret'")
	if err == nil || !strings.Contains(err.Error(), "there is no variable or function email; there are tenant, username, groups and claims") {
		t.Errorf("%v", err)
	}
	if _, err := CompileCallers("email == 'secret'"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
