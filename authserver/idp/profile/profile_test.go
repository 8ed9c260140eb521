// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

func read(t testing.TB, text string) *Document {
	t.Helper()
	if text == "" {
		return nil
	}
	d, err := ReadDocument([]byte(text))
	if err != nil {
		t.Fatalf("reading %.100s: %v", text, err)
	}
	return d
}

func claim(names ...string) config.Source { return config.Source{Claims: names} }
func expr(text string) config.Source      { return config.Source{Expression: text} }
func rules(texts ...string) []config.ClaimRule {
	var list []config.ClaimRule
	for _, text := range texts {
		list = append(list, config.ClaimRule{Expression: text, Message: "only for staff"})
	}
	return list
}

// standard are the mappings that render fills in where an object has none.
func standard() *config.ProviderMappings {
	return &config.ProviderMappings{Username: claim("preferred_username"), Email: claim("email"), Name: claim("name"), Phone: claim("phone_number"), Groups: claim("groups")}
}

func compile(t testing.TB, m *config.ProviderMappings, r ...config.ClaimRule) *Mapper {
	t.Helper()
	mapper, err := Compile(m, r)
	if err != nil {
		t.Fatal(err)
	}
	return mapper
}

// TestRead guards where attributes come from: the claims before userinfo, null and empty taken for absent, wrong types for nothing.
func TestRead(t *testing.T) {
	for _, row := range []struct {
		name             string
		change           func(*config.ProviderMappings)
		claims, userinfo string
		want             Attributes
	}{
		{
			name:   "all in the ID token",
			claims: `{"preferred_username":"bob","email":"bob@acme.example","email_verified":true,"name":"Bob B","phone_number":"+49 1","groups":["dev","ops","dev"]}`,
			want:   Attributes{Username: "bob", Email: "bob@acme.example", EmailVerified: true, Name: "Bob B", Phone: "+49 1", Groups: []string{"dev", "ops"}},
		},
		{
			name:     "the rest in userinfo",
			claims:   `{"preferred_username":"bob","name":null,"email":""}`,
			userinfo: `{"preferred_username":"mallory","name":"Bob B","email":"bob@acme.example","email_verified":true,"groups":"dev"}`,
			want:     Attributes{Username: "bob", Name: "Bob B", Email: "bob@acme.example", EmailVerified: true, Groups: []string{"dev"}},
		},
		{
			name:     "only userinfo",
			userinfo: `{"preferred_username":"bob"}`,
			want:     Attributes{Username: "bob"},
		},
		{
			name:     "a number keeps every digit",
			change:   func(m *config.ProviderMappings) { m.Username, m.Comment = claim("id"), expr("userinfo.account.number") },
			userinfo: `{"id":9007199254740993,"account":{"number":9007199254740993}}`,
			want:     Attributes{Username: "9007199254740993", Comment: "9007199254740993"},
		},
		{
			name:     "more digits than 64 bits hold",
			change:   func(m *config.ProviderMappings) { m.Username = claim("id") },
			userinfo: `{"id":12345678901234567890123456789012}`,
			want:     Attributes{Username: "12345678901234567890123456789012"},
		},
		{
			name:     "the first of several names that says something",
			change:   func(m *config.ProviderMappings) { m.Username = claim("upn", "preferred_username", "email") },
			claims:   `{"preferred_username":null}`,
			userinfo: `{"email":"bob@acme.example"}`,
			want:     Attributes{Username: "bob@acme.example", Email: "bob@acme.example"},
		},
		{
			name: "nested values by expression",
			change: func(m *config.ProviderMappings) {
				m.Username, m.Name = expr("userinfo.data.login"), expr("userinfo.data.first + ' ' + userinfo.data.last")
				m.Groups = expr("userinfo.data.roles.filter(r, r.active).map(r, r.name)")
			},
			userinfo: `{"data":{"login":"bob","first":"Bob","last":"B","roles":[{"name":"dev","active":true},{"name":"ops","active":false}]}}`,
			want:     Attributes{Username: "bob", Name: "Bob B", Groups: []string{"dev"}},
		},
		{
			name:     "wrong types, failing expressions and control characters give nothing",
			change:   func(m *config.ProviderMappings) { m.Comment, m.Phone = expr("userinfo.absent"), claim("phone_number") },
			userinfo: `{"preferred_username":"bob","email":["bob@acme.example"],"email_verified":true,"name":{"first":"Bob"},"phone_number":"1\n2","groups":["dev",1]}`,
			want:     Attributes{Username: "bob"},
		},
		{
			name:     "too long",
			userinfo: `{"preferred_username":"bob","name":"` + strings.Repeat("x", MaxText+1) + `","groups":["` + strings.Repeat("g", MaxGroup+1) + `","","a\u0000b","dev"]}`,
			want:     Attributes{Username: "bob", Groups: []string{"dev"}},
		},
		{
			name:     "names as they are written",
			change:   func(m *config.ProviderMappings) { m.Name = claim("a.b") },
			userinfo: `{"preferred_username":"bob","Email":"x","a.b":"dotted","a":{"b":"nested"}}`,
			want:     Attributes{Username: "bob", Name: "dotted"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := standard()
			if row.change != nil {
				row.change(m)
			}
			got, err := compile(t, m).Read(Person{Claims: read(t, row.claims), UserInfo: read(t, row.userinfo)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestEmailVerified guards that an address counts as verified only by the boolean, of that very address, and that one voice against it is enough: accounts are linked by it.
func TestEmailVerified(t *testing.T) {
	for _, row := range []struct {
		claims, userinfo string
		email            config.Source
		want             bool
	}{
		{`{"email":"a@x.example","email_verified":true}`, ``, claim("email"), true},
		{``, `{"email":"a@x.example","email_verified":true}`, claim("email"), true},
		{`{"email":"a@x.example","email_verified":true}`, `{"email":"a@x.example","email_verified":true}`, claim("email"), true},
		{`{"email":"a@x.example"}`, `{"email":"a@x.example","email_verified":true}`, claim("email"), true},
		{`{"email":"a@x.example","email_verified":true}`, ``, expr("claims.email"), true},
		{`{"email":"a@x.example","mail":"a@x.example","email_verified":true}`, ``, claim("mail"), true},
		{`{"email":"a@x.example"}`, ``, claim("email"), false},
		{`{"email":"a@x.example","email_verified":"true"}`, ``, claim("email"), false},
		{`{"email":"a@x.example","email_verified":1}`, ``, claim("email"), false},
		{`{"email":"a@x.example","email_verified":false}`, ``, claim("email"), false},
		{`{"email":"a@x.example","email_verified":null}`, ``, claim("email"), false},
		{`{"email":"a@x.example","email_verified":true}`, `{"email_verified":false}`, claim("email"), false},
		{`{"email":"a@x.example","email_verified":"true"}`, `{"email":"a@x.example","email_verified":true}`, claim("email"), false},
		{`{"email":"a@x.example"}`, `{"email":"b@x.example","email_verified":true}`, claim("email"), false},
		{`{"email":"a@x.example","mail":"b@x.example","email_verified":true}`, ``, claim("mail"), false},
		{`{"email":"a@x.example","email_verified":true}`, ``, expr("claims.email.upperAscii()"), false},
		{`{"email_verified":true}`, ``, claim("email"), false},
	} {
		m := standard()
		m.Username, m.Email = expr("'bob'"), row.email
		got, err := compile(t, m).Read(Person{Claims: read(t, row.claims), UserInfo: read(t, row.userinfo)})
		if err != nil || got.EmailVerified != row.want {
			t.Errorf("%s %s by %v: %v, %v, want %v", row.claims, row.userinfo, row.email, got.EmailVerified, err, row.want)
		}
	}
}

// TestUsername guards that nobody gets in without a name that can be shown, and that the reason says what to do but not what was sent.
func TestUsername(t *testing.T) {
	for value, reason := range map[string]string{
		`"bob"`: "", `"Bob Builder"`: "", `"ボブ"`: "", `42`: "", `-7`: "", `"` + strings.Repeat("é", MaxUsername) + `"`: "",
		`null`: ReasonNoUsername, `""`: ReasonNoUsername, `true`: ReasonNoUsername, `["bob"]`: ReasonNoUsername, `{"a":"bob"}`: ReasonNoUsername,
		`1.5`: ReasonNoUsername, `1e3`: ReasonNoUsername, `-7.5`: ReasonNoUsername,
		`"bob\n"`: ReasonBadUsername, `"b\u0000b"`: ReasonBadUsername, `" bob"`: ReasonBadUsername, `"bob\u00a0"`: ReasonBadUsername, `" "`: ReasonBadUsername,
		`"b\u202eob"`: ReasonBadUsername, `"b\u200bob"`: ReasonBadUsername, `"b\u2028ob"`: ReasonBadUsername, `"b\u007fob"`: ReasonBadUsername,
		`"` + strings.Repeat("x", MaxUsername+1) + `"`: ReasonBadUsername,
	} {
		for _, from := range []config.Source{claim("preferred_username"), expr("claims.preferred_username")} {
			m := standard()
			m.Username = from
			_, err := compile(t, m).Read(Person{Claims: read(t, `{"preferred_username":`+value+`}`)})
			var fault *Error
			switch {
			case reason == "" && err == nil:
			case errors.As(err, &fault) && fault.Reason == reason && strings.Contains(fault.Detail, "claimMappings.username"):
			default:
				t.Errorf("%.40s from %v: %v, want reason %q", value, from, err, reason)
			}
			if err != nil && strings.Contains(err.Error(), "bob") {
				t.Errorf("the error tells what was sent: %v", err)
			}
		}
	}
	_, err := compile(t, standard()).Read(Person{})
	if want := "no_username: the claim preferred_username is absent, empty, or neither a string nor an integer; name one that every user has in claimMappings.username"; err == nil || err.Error() != want {
		t.Errorf("with nothing: %v, want %s", err, want)
	}
}

// TestRules guards that rules come before everything, that one which fails to evaluate does not hold, and that the author's message is what comes out.
func TestRules(t *testing.T) {
	for _, row := range []struct {
		rules []config.ClaimRule
		want  *RuleError
	}{
		{rules("claims.hd == 'acme.example'", "userinfo.active"), nil},
		{rules("claims.hd == 'other.example'"), &RuleError{0, "only for staff", ""}},
		{rules("true", "!userinfo.active"), &RuleError{1, "only for staff", ""}},
		{rules("userinfo.absent == 'x'"), &RuleError{0, "only for staff", "it fails for these claims; one that it reads may be absent, have another type, or hold a number that cannot be held exactly"}},
		{rules("!(userinfo.absent == 'x')"), &RuleError{0, "only for staff", "it fails for these claims; one that it reads may be absent, have another type, or hold a number that cannot be held exactly"}},
		{rules("userinfo.name"), &RuleError{0, "only for staff", "its result has a type that it may not have"}},
	} {
		_, err := compile(t, standard(), row.rules...).Read(Person{Claims: read(t, `{"hd":"acme.example","preferred_username":"bob"}`), UserInfo: read(t, `{"active":true,"name":"B"}`)})
		var fault *RuleError
		if errors.As(err, &fault) != (row.want != nil) || (row.want == nil && err != nil) {
			t.Errorf("%s: %v", row.rules[len(row.rules)-1].Expression, err)
			continue
		}
		if diff := cmp.Diff(row.want, fault); diff != "" {
			t.Errorf("%s (-want +got)\n%s", row.rules[len(row.rules)-1].Expression, diff)
		}
	}
	// A rule is judged although there is no username: somebody who may not come in learns nothing of the mappings.
	_, err := compile(t, standard(), rules("false")...).Read(Person{})
	if want := "claimValidationRules[0] does not hold: only for staff"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestRulesSeeGroups guards that rules judge the groups which are mapped, or those of the groups endpoint in their place, all of them; and that a rule never
// takes groups which cannot be read for none.
func TestRulesSeeGroups(t *testing.T) {
	long := "acme/" + strings.Repeat("x", MaxGroup)
	for _, row := range []struct {
		name   string
		groups config.Source
		person string // userinfo
		rule   string
		change func(*Person)
		holds  bool
		cause  bool // it cannot be evaluated
	}{
		{name: "a claim", person: `{"groups":["sales","engineering"]}`, rule: "'engineering' in groups", holds: true},
		{name: "not in it", person: `{"groups":["sales"]}`, rule: "'engineering' in groups"},
		{name: "a claim that is a string", person: `{"groups":"engineering"}`, rule: "groups == ['engineering']", holds: true},
		{name: "no claim", person: `{}`, rule: "size(groups) == 0", holds: true},
		{name: "null", person: `{"groups":null}`, rule: "size(groups) == 0", holds: true},
		{name: "by expression", groups: expr("userinfo.orgs.map(o, o.login + '/')"), person: `{"orgs":[{"login":"acme"}]}`, rule: "groups.exists(g, g.startsWith('acme/'))", holds: true},
		{name: "not mapped", groups: config.Source{}, person: `{"groups":["engineering"]}`, rule: "size(groups) == 0", change: func(*Person) {}, holds: true},
		{name: "one that users do not keep", person: `{"groups":["` + long + `"]}`, rule: "groups.exists(g, g.startsWith('acme/'))", holds: true},
		{name: "a number among them", person: `{"groups":["sales",7]}`, rule: "!('banned' in groups)", cause: true},
		{name: "an object", person: `{"groups":{"banned":true}}`, rule: "!('banned' in groups)", cause: true},
		{name: "an expression that fails", groups: expr("userinfo.orgs.map(o, o.login)"), person: `{}`, rule: "!('banned' in groups)", cause: true},
		{name: "of the endpoint", person: `{"groups":["sales"]}`, rule: "groups == ['engineering']", change: func(p *Person) { p.Groups, p.HasGroups = []string{"engineering"}, true }, holds: true},
		{name: "none at the endpoint", person: `{"groups":["engineering"]}`, rule: "'engineering' in groups", change: func(p *Person) { p.HasGroups = true }},
		{name: "userinfo unknown, and no claim", rule: "!('banned' in groups)", change: func(p *Person) { p.NoUserInfo = true }, cause: true},
		{name: "userinfo unknown, and a claim", rule: "'dev' in groups", change: func(p *Person) {
			p.NoUserInfo, p.Claims = true, read(t, `{"preferred_username":"bob","groups":["dev"]}`)
		}, holds: true},
		{name: "userinfo unknown, read by a rule", rule: "!has(userinfo.banned)", change: func(p *Person) { p.NoUserInfo = true }, cause: true},
	} {
		m := standard()
		m.Username = expr("'bob'")
		if row.groups.Expression != "" || row.name == "not mapped" {
			m.Groups = row.groups
		}
		p := Person{UserInfo: read(t, row.person)}
		if row.change != nil {
			row.change(&p)
		}
		_, err := compile(t, m, rules(row.rule)...).Read(p)
		var fault *RuleError
		if (err == nil) != row.holds || err != nil && (!errors.As(err, &fault) || (fault.Cause != "") != row.cause) {
			t.Errorf("%s: %v; want it to hold: %v", row.name, err, row.holds)
		}
	}
	// What a user keeps is bounded as ever, and comes from where the rules have seen it.
	got, err := compile(t, standard(), rules("size(groups) == 4")...).Read(Person{UserInfo: read(t, `{"preferred_username":"bob","groups":["mapped"]}`),
		Groups: []string{"dev", "dev", long, "ops"}, HasGroups: true})
	if err != nil || !cmp.Equal(got.Groups, []string{"dev", "ops"}) {
		t.Errorf("%q, %v", got.Groups, err)
	}
	for kind, ok := range map[string]bool{"rule": true, "mapping": false, "groups-mapping": false} {
		if err := CheckExpression(kind, map[bool]string{true: "'a' in groups", false: "groups[0]"}[kind == "rule"]); (err == nil) != ok {
			t.Errorf("%s over groups: %v", kind, err)
		}
	}
	if err := CheckExpression("rule", "'a' in group"); err == nil || !strings.Contains(err.Error(), "membership 'name' in groups") {
		t.Errorf("a mistake in the name: %v", err)
	}
}

// TestCostShared guards that the rules and mappings of one login share one cost, beyond which nothing holds.
func TestCostShared(t *testing.T) {
	var list []string
	for i := range 300 {
		list = append(list, fmt.Sprintf(`"g%d"`, i))
	}
	userinfo := read(t, `{"preferred_username":"bob","groups":[`+strings.Join(list, ",")+`]}`)
	costly := "userinfo.groups.all(a, userinfo.groups.exists(b, b == 'g9' || a == ''))"
	if _, err := compile(t, standard(), rules(costly)...).Read(Person{UserInfo: userinfo}); err != nil {
		t.Errorf("once: %v", err)
	}
	_, err := compile(t, standard(), rules(costly, costly, costly, costly, costly, costly)...).Read(Person{UserInfo: userinfo})
	var fault *RuleError
	if !errors.As(err, &fault) || !strings.Contains(fault.Cause, "cost") {
		t.Errorf("six times: %v, want a rule that costs too much", err)
	}
}

// TestGroups guards the bounds of groups, both from claims and from a groups endpoint.
func TestGroups(t *testing.T) {
	many := func(n int, format string) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return list
	}
	for _, row := range []struct {
		groups []string
		ok     bool
	}{
		{many(MaxGroups, "%d"), true},
		{many(MaxGroups+1, "%d"), false},
		{many(40, strings.Repeat("x", 196)+"%05d"), true},
		{many(41, strings.Repeat("x", 197)+"%05d"), false},
		{append(many(MaxGroups, "%d"), many(MaxGroups, "%d")...), true},
	} {
		got, err := bounded(row.groups)
		var fault *Error
		if (err == nil) != row.ok || !row.ok && (!errors.As(err, &fault) || fault.Reason != ReasonTooManyGroups || got != nil) {
			t.Errorf("%d groups of %d bytes: %v", len(row.groups), len(row.groups[0]), err)
		}
	}

	reader, err := CompileGroups("groups.map(t, t.organization.login + '/' + t.slug)")
	if err != nil {
		t.Fatal(err)
	}
	got, err := reader.Read(value(t, `[{"organization":{"login":"acme"},"slug":"core"}]`))
	if err != nil || !cmp.Equal(got, []string{"acme/core"}) {
		t.Errorf("teams: %v, %v", got, err)
	}
	var fault *Error
	if _, err = reader.Read(value(t, `[{"slug":"core"}]`)); !errors.As(err, &fault) || fault.Reason != ReasonGroups {
		t.Errorf("teams without organization: %v, want reason %s", err, ReasonGroups)
	}
}

func value(t testing.TB, text string) token.Value {
	t.Helper()
	v, _ := read(t, `{"v":`+text+`}`).Lookup("v")
	return v
}

// TestReadDocument guards that an answer is one JSON object, read strictly, and that no error repeats it.
func TestReadDocument(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"secret":1}`: true, `{"secret":1,"secret":2}`: false, `["secret"]`: false, `{"secret":"\ud800"}`: false, `{"secret":1}{}`: false, `secret=1`: false, ``: false,
		`{"secret":"` + strings.Repeat("x", MaxDocument) + `"}`: false,
	} {
		d, err := ReadDocument([]byte(text))
		if (err == nil) != ok || (d == nil) == ok || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

// TestCompileErrors guards that an error names the field for /configz, and nothing of the text.
func TestCompileErrors(t *testing.T) {
	broken := expr("claims.secret +")
	for _, row := range []struct {
		change func(*config.ProviderMappings)
		rules  []config.ClaimRule
		want   string
	}{
		{func(m *config.ProviderMappings) { m.Username = config.Source{} }, nil, "mappings.username is required"},
		{func(m *config.ProviderMappings) { m.Username = broken }, nil, "mappings.username.expression: this server cannot compile it"},
		{func(m *config.ProviderMappings) { m.Groups = broken }, nil, "mappings.groups.expression: this server cannot compile it"},
		{func(m *config.ProviderMappings) { m.Email = expr("groups.x") }, nil, "mappings.email.expression: this server cannot compile it"},
		{func(m *config.ProviderMappings) { m.Name = config.Source{Joined: []string{"a"}} }, nil, "mappings.name.joined: providers do not join claims"},
		{func(*config.ProviderMappings) {}, rules("true", "claims.secret +"), "rules[1].expression: this server cannot compile it"},
		{func(*config.ProviderMappings) {}, []config.ClaimRule{{Claim: "a", RequiredValue: "b"}}, "rules[0].expression: this server cannot compile it"},
	} {
		m := standard()
		row.change(m)
		if _, err := Compile(m, row.rules); err == nil || err.Error() != row.want {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
	if _, err := Compile(nil, nil); err == nil {
		t.Error("compiled without mappings")
	}
}

// TestCheckExpression guards what authors are told about each place of an expression.
func TestCheckExpression(t *testing.T) {
	for _, row := range []struct{ kind, text, want string }{
		{"mapping", "userinfo.profile.login", ""},
		{"mapping", "userinfo.id", ""},
		{"mapping", "1", ""},
		{"groups-mapping", "claims.roles.map(r, r.name)", ""},
		{"rule", "claims.hd == 'acme.example' && userinfo.active", ""},
		{"groups-endpoint", "groups.map(t, t.organization.login + '/' + t.slug)", ""},
		{"mapping", "['a']", "the result is list(string), but must be a string or an integer: convert it with string() or take one part of it"},
		{"groups-mapping", "1", "the result is int, but must be a string or a list of strings: convert elements with .map(x, string(x))"},
		{"rule", "'a'", "the result is string, but must be a bool: compare it with something, as in claims.plan == 'gold'"},
		{"mapping", "user.login", "line 1, column 1: there is no variable or function user; a claim is written claims.name or userinfo.name"},
		{"rule", "'engineering' in groups", ""},
		{"rule", "groups", "the result is list(string), but must be a bool: compare it with something, as in claims.plan == 'gold'"},
		{"mapping", "groups[0]", "line 1, column 1: there is no variable or function groups; a claim is written claims.name or userinfo.name"},
		{"groups-endpoint", "userinfo.orgs", "line 1, column 1: there is no variable or function userinfo; the endpoint's answer is written groups, as in groups.map(g, g.name)"},
		{"else", "true", `checking an expression: there is no kind "else"`},
	} {
		err := CheckExpression(row.kind, row.text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s %s: %q, want %q", row.kind, row.text, got, row.want)
		}
	}
}
