// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestRules guards that a claim rule holds for exactly what it says, and that its refusal is told as 403, by index and
// message, without a claim's value.
func TestRules(t *testing.T) {
	plan := config.ClaimRule{Claim: "plan", RequiredValue: "gold", Message: "plan must be gold"}
	level := config.ClaimRule{Expression: "claims.level > 3", Message: "level"}
	silent := config.ClaimRule{Expression: "claims.level > 3"}
	for _, row := range []struct {
		name    string
		rules   []config.ClaimRule
		payload string
		want    string // of the refusal; "" if the rules hold
	}{
		{"none", nil, `{"plan":"s3cret"}`, ""},
		{"equal", []config.ClaimRule{plan}, `{"plan":"gold"}`, ""},
		{"differs", []config.ClaimRule{plan}, `{"plan":"s3cret"}`, "claim_rule: claimValidationRules[0] does not hold (the claim plan is not the required string \"gold\"): plan must be gold"},
		{"differs from a long value", []config.ClaimRule{{Claim: "plan", RequiredValue: "\n" + strings.Repeat("g", 200)}}, `{"plan":"s3cret"}`,
			`is not the required string "\n` + strings.Repeat("g", 99) + `" (cut after 100 of 201 bytes))`},
		{"case", []config.ClaimRule{plan}, `{"plan":"Gold"}`, "claimValidationRules[0] does not hold"},
		{"list", []config.ClaimRule{plan}, `{"plan":["gold"]}`, "claimValidationRules[0] does not hold"},
		{"absent", []config.ClaimRule{plan}, `{}`, "claimValidationRules[0] does not hold"},
		{"required empty, claim absent", []config.ClaimRule{{Claim: "plan"}}, `{}`, "claimValidationRules[0] does not hold"},
		{"required empty, claim empty", []config.ClaimRule{{Claim: "plan"}}, `{"plan":""}`, ""},
		{"required 1, claim 1", []config.ClaimRule{{Claim: "n", RequiredValue: "1"}}, `{"n":1}`, "claimValidationRules[0] does not hold"},
		{"required true, claim true", []config.ClaimRule{{Claim: "n", RequiredValue: "true"}}, `{"n":true}`, "claimValidationRules[0] does not hold"},
		{"expression", []config.ClaimRule{plan, level}, `{"plan":"gold","level":4}`, ""},
		{"expression is false", []config.ClaimRule{plan, level}, `{"plan":"gold","level":3}`, "claim_rule: claimValidationRules[1] does not hold: level"},
		{"expression fails", []config.ClaimRule{plan, level}, `{"plan":"gold"}`, "claim_rule: claimValidationRules[1] cannot be evaluated (it fails for these claims; one that it reads may be absent, have another type, or hold a number that cannot be held exactly): level"},
		{"expression fails by type", []config.ClaimRule{silent}, `{"level":"s3cret"}`, "claim_rule: claimValidationRules[0] cannot be evaluated (it fails"},
		{"expression gives no bool", []config.ClaimRule{{Expression: "claims.level"}}, `{"level":"s3cret"}`, "cannot be evaluated (its result has a type"},
		{"expression gives a true string", []config.ClaimRule{{Expression: "claims.level"}}, `{"level":"true"}`, "cannot be evaluated (its result has a type"},
		{"expression costs too much", []config.ClaimRule{{Expression: "claims.l.all(a, claims.l.all(b, a == b))"}}, `{"l":[` + strings.Repeat("1,", 900) + `1]}`, "cannot be evaluated (its cost for this token is over the limit)"},
		{"expressions cost too much together", []config.ClaimRule{{Expression: "claims.l.all(a, a == 1)"}, {Expression: "claims.l.all(a, a < 2)"}, {Expression: "claims.l.all(a, a > 0)"},
			{Expression: "claims.l.all(a, a != 3)"}, {Expression: "claims.l.all(a, a != 4)"}}, `{"l":[` + strings.Repeat("1,", 3000) + `1]}`, "cannot be evaluated (its cost"},
		{"first of two that fail", []config.ClaimRule{level, plan}, `{}`, "claimValidationRules[0]"},
	} {
		err := compile(t, config.ClaimRules{Rules: row.rules}, "acme").Check(Of(read(t, row.payload)))
		if row.want == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*token.Error](err)
		if !ok || e.Reason != ReasonClaimRule || !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}

// TestOneBudget guards that claim rules and mappings of one token share what evaluating may cost.
func TestOneBudget(t *testing.T) {
	dear := cel("claims.l.all(x, x == 1) ? claims.sub : ''")
	r := compile(t, config.ClaimRules{
		Username: config.Username{Source: dear}, Email: dear,
		Rules: []config.ClaimRule{{Expression: "claims.l.all(x, x == 1)"}, {Expression: "claims.l.all(x, x == 1) || true"}},
	}, "acme")
	c := read(t, `{"exp":1,"sub":"bob","l":[`+strings.Repeat("1,", 3000)+`1]}`)
	if id, err := r.Identify(Of(c)); err != nil || id.User != "bob" || id.Email != "bob" {
		t.Fatalf("a subject of its own: %+v, %v", id, err)
	}
	subject := Of(c)
	if err := r.Check(subject); err != nil {
		t.Fatal(err)
	}
	if id, err := r.Identify(subject); err == nil && id.Email != "" {
		t.Errorf("%+v behind rules that cost as much", id)
	}
}

// TestCompileNamesTheField guards that a field that this server cannot compile is named, without its text: /configz shows
// it.
func TestCompileNamesTheField(t *testing.T) {
	const bad = "claims.s3cret +"
	good := config.Username{Source: claim("sub")}
	for want, rules := range map[string]config.ClaimRules{
		"claims.username.expression: this server cannot compile it":   {Username: config.Username{Source: cel(bad)}},
		"claims.email.expression: this server cannot compile it":      {Username: good, Email: cel(bad)},
		"claims.groups.expression: this server cannot compile it":     {Username: good, Groups: cel("1 + 1")},
		"claims.headers[1].expression: this server cannot compile it": {Username: good, Headers: []config.HeaderMapping{{Name: "X-A", Source: cel("'a'")}, {Name: "X-B", Source: cel(bad)}}},
		"claims.rules[2].expression: this server cannot compile it":   {Username: good, Rules: []config.ClaimRule{{Claim: "a"}, {Expression: "true"}, {Expression: "'true'"}}},
	} {
		if r, err := Compile(&rules, "acme"); err == nil || err.Error() != want {
			t.Errorf("%v, %v; want %s", r, err, want)
		}
	}
}

// TestCheckExpression guards that each kind is checked for the results that it may have, and errors are the author's.
func TestCheckExpression(t *testing.T) {
	for _, row := range []struct{ kind, text, want string }{
		{"username", "claims.email.split('@')[0]", ""},
		{"username", "claims.groups.size()", "the result is int, but must be a string"},
		{"email", "claims.emails[0]", ""},
		{"email", "['a']", "the result is list(string), but must be a string"},
		{"groups", "claims.realm_access.roles", ""},
		{"groups", "true", "the result is bool"},
		{"header", "claims.level + 1", ""},
		{"header", "{'a': 1}", "the result is map(string, int)"},
		{"rule", "claims.plan in ['gold', 'silver']", ""},
		{"rule", "claims.plan in ['gold', 'silver'", "line 1, column"},
		{"rule", "plan == 'gold'", "a claim is written claims.name"},
		{"phone", "'x'", `there is no kind "phone"`},
	} {
		err := CheckExpression(row.kind, row.text)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s %s: %v, want %q", row.kind, row.text, err, row.want)
		}
	}
}
