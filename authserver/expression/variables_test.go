// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

func readObject(t testing.TB, text string) *token.Object {
	t.Helper()
	o, err := token.ReadObject([]byte(text), 64<<10)
	if err != nil {
		t.Fatalf("reading %.100s: %v", text, err)
	}
	return o
}

func mustCompileOver(t testing.TB, v Variables, text string, kind Kind) *Program {
	t.Helper()
	p, err := CompileOver(v, text, kind)
	if err != nil {
		t.Fatalf("compiling %q: %v", text, err)
	}
	return p
}

// TestVariables guards that an expression sees the variables of its place and no others, and that its author is told which.
func TestVariables(t *testing.T) {
	texts := map[string]string{"claims": "claims.x == 1", "userinfo": "userinfo.x == 1", "groups": "groups[0] == 'x'", "tenant": "tenant == 'x'", "username": "username == 'x'"}
	for _, row := range []struct {
		variables Variables
		sees      string
		hint      string
	}{
		{OfToken, "claims", "a claim is written claims.name"},
		{OfLogin, "claims userinfo", "a claim is written claims.name or userinfo.name"},
		{OfMember, "claims userinfo groups", "a claim is written claims.name or userinfo.name, and membership 'name' in groups"},
		{OfGroups, "groups", "the endpoint's answer is written groups, as in groups.map(g, g.name)"},
		{OfCaller, "claims groups tenant username", "there are tenant, username, groups and claims: membership is written 'name' in groups, and a claim claims.name"},
	} {
		for name, text := range texts {
			_, err := CompileOver(row.variables, text, Rule)
			if strings.Contains(row.sees, name) {
				if err != nil {
					t.Errorf("variables %d: %s: %v", row.variables, text, err)
				}
				continue
			}
			var fault *Error
			want := fmt.Sprintf("there is no variable or function %s; %s", name, row.hint)
			if !errors.As(err, &fault) || fault.Message != want {
				t.Errorf("variables %d: %s: %v, want %q", row.variables, text, err, want)
			}
		}
	}
	if _, err := CompileOver(Variables(99), "true", Rule); err == nil {
		t.Error("compiled over variables that there are none of")
	}
}

// TestVariablesApart guards that the cache never gives one place's program to another: a policy's would find no userinfo, or one that is not its.
func TestVariablesApart(t *testing.T) {
	const text = "claims.apart == 'x'"
	if mustCompileOver(t, OfToken, text, Rule) == mustCompileOver(t, OfLogin, text, Rule) {
		t.Error("two sets of variables share a program")
	}
	if mustCompileOver(t, OfToken, text, Rule) != mustCompile(t, text, Rule) {
		t.Error("Compile is not over a token's claims")
	}
	// Where a program meets a subject that lacks its variable, it fails.
	p := mustCompileOver(t, OfLogin, "!has(userinfo.blocked)", Rule)
	if holds, err := p.Bool(Of(read(t, `{"a":1}`))); holds || !errors.Is(err, ErrFailed) {
		t.Errorf("without userinfo: %v, %v", holds, err)
	}
	q := mustCompileOver(t, OfGroups, "size(groups) == 0", Rule)
	if holds, err := q.Bool(OfProvider(readObject(t, `{}`), readObject(t, `{}`))); holds || !errors.Is(err, ErrFailed) {
		t.Errorf("without groups: %v, %v", holds, err)
	}
}

// TestMember guards what rules make of somebody's groups: a list of strings, known as such when the rule is compiled, and charged for.
func TestMember(t *testing.T) {
	claims, userinfo := readObject(t, `{"sub":"1"}`), readObject(t, `{"login":"octocat"}`)
	for _, row := range []struct {
		text   string
		groups []string
		holds  bool
		err    error
	}{
		{"'engineering' in groups", []string{"sales", "engineering"}, true, nil},
		{"'engineering' in groups", []string{"Engineering", "engineering2"}, false, nil},
		{"'engineering' in groups", []string{}, false, nil},
		{"'engineering' in groups", nil, false, nil},
		{"groups.exists(g, g.startsWith('acme/'))", []string{"evil/acme/", "acme/core"}, true, nil},
		{"groups.exists(g, g.startsWith('acme/'))", []string{"evil/acme/"}, false, nil},
		{"groups.exists_one(g, g == 'a') && groups.all(g, g != 'b')", []string{"a", "c"}, true, nil},
		{"sets.intersects(groups, ['a', 'b'])", []string{"b"}, true, nil},
		{"groups == ['a', 'b'] && groups[1] == 'b' && size(groups) == 2", []string{"a", "b"}, true, nil},
		{"groups.join(',') == 'a,b' && userinfo.login == 'octocat' && claims.sub == '1'", []string{"a", "b"}, true, nil},
		{"groups + ['c'] == ['a', 'c']", []string{"a"}, true, nil},
		{"groups[0] == 'a'", nil, false, ErrFailed},
		{"groups.exists(a, groups.exists(b, a == b + 'x'))", make([]string, 512), false, ErrCost},
		{"sets.contains(groups, groups)", make([]string, 2000), false, ErrCost},
	} {
		s := OfProvider(claims, userinfo)
		s.SetGroups(row.groups)
		holds, err := mustCompileOver(t, OfMember, row.text, Rule).Bool(s)
		if holds != row.holds || !errors.Is(err, row.err) {
			t.Errorf("%s of %.40q: %v, %v, want %v, %v", row.text, row.groups, holds, err, row.holds, row.err)
		}
	}
	for _, text := range []string{"groups.exists(g, g == 1)", "groups.exists(g, g.name == 'a')", "1 in groups", "groups == 'a'", "groups.name == 'a'", "groups.startsWith('a')"} {
		if _, err := CompileOver(OfMember, text, Rule); err == nil {
			t.Errorf("%s compiles although groups is a list of strings", text)
		}
	}
}

// TestMemberUnknown guards that a rule never takes groups or userinfo that nobody could read for none: it would let in whom it bars.
func TestMemberUnknown(t *testing.T) {
	known := readObject(t, `{"a":1}`)
	for _, row := range []struct {
		text     string
		userinfo Members
		groups   bool
		holds    bool
		err      error
	}{
		{"!('banned' in groups)", known, false, false, ErrFailed},
		{"size(groups) == 0", known, false, false, ErrFailed},
		{"groups != ['banned']", known, false, false, ErrFailed},
		{"[groups] != [['banned']]", known, false, false, ErrFailed},
		{"!groups.exists(g, g == 'banned')", known, false, false, ErrFailed},
		{"claims.a == 1 || 'x' in groups", known, false, true, nil},
		{"!has(userinfo.banned)", nil, true, false, ErrFailed},
		{"!('banned' in userinfo)", nil, true, false, ErrFailed},
		{"size(userinfo) == 0", nil, true, false, ErrFailed},
		{"!userinfo.?banned.orValue(false)", nil, true, false, ErrFailed},
		{"claims.a == 1 && size(groups) == 0", nil, true, true, nil},
	} {
		s := OfProvider(known, row.userinfo)
		if row.groups {
			s.SetGroups(nil)
		}
		holds, err := mustCompileOver(t, OfMember, row.text, Rule).Bool(s)
		if holds != row.holds || !errors.Is(err, row.err) {
			t.Errorf("%s: %v, %v, want %v, %v", row.text, holds, err, row.holds, row.err)
		}
	}
}

// TestCaller guards that who asks is read as the policy found them, that unknown groups are never none, and that long names are charged for.
func TestCaller(t *testing.T) {
	claims := read(t, `{"sub":"1","tenant":"claimed","username":"claimed","groups":["claimed"]}`)
	long := strings.Repeat("a", 60<<10)
	for _, row := range []struct {
		text, username string
		groups         []string
		unknown        bool
		holds          bool
		err            error
	}{
		{text: "tenant == 'acme' && username == 'bob' && 'ci' in groups && claims.sub == '1'", username: "bob", groups: []string{"ci"}, holds: true},
		{text: "tenant == 'claimed' || username == 'claimed' || 'claimed' in groups", username: "bob"},
		{text: "!('banned' in groups)", username: "bob", holds: true},
		{text: "!('banned' in groups)", username: "bob", unknown: true, err: ErrFailed},
		{text: "groups.all(g, g != 'banned')", username: "bob", unknown: true, err: ErrFailed},
		{text: "username.startsWith('bo') && tenant.size() == 4", username: "bob", holds: true},
		{text: "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, !username.contains('ab' + username))))", username: long, err: ErrCost},
	} {
		s := OfAccepted(claims, "acme", row.username)
		if !row.unknown {
			s.SetGroups(row.groups)
		}
		holds, err := mustCompileOver(t, OfCaller, row.text, Rule).Bool(s)
		if holds != row.holds || !errors.Is(err, row.err) {
			t.Errorf("%s: %v, %v, want %v, %v", row.text, holds, err, row.holds, row.err)
		}
	}
	for _, variables := range []Variables{OfToken, OfMember} { // a policy's subject knows neither
		if _, err := CompileOver(variables, "tenant == 'acme'", Rule); err == nil {
			t.Errorf("tenant is known to variables %d", variables)
		}
	}
	if holds, err := mustCompileOver(t, OfCaller, "tenant == '' || username == ''", Rule).Bool(Of(claims)); holds || !errors.Is(err, ErrFailed) {
		t.Errorf("of a token alone: %v, %v", holds, err)
	}
}

// TestAttribute guards that strings and integers become text with every digit, and that nothing else does.
func TestAttribute(t *testing.T) {
	claims := readObject(t, `{"sub":"248289761001"}`)
	userinfo := readObject(t, `{"id":9007199254740993,"neg":-5,"huge":18446744073709551615,"beyond":184467440737095516150,"ratio":0.5,"ok":true,
	 "list":["a"],"none":null,"profile":{"login":"octocat","id":9007199254740993}}`)
	for _, row := range []struct{ text, want string }{
		{"userinfo.id", "9007199254740993"},
		{"userinfo.profile.id", "9007199254740993"},
		{"userinfo.profile.login + '@' + claims.sub", "octocat@248289761001"},
		{"userinfo.neg", "-5"},
		{"userinfo.huge", "18446744073709551615"},
		{"userinfo.?nick.orValue(userinfo.profile.login)", "octocat"},
		{"userinfo.beyond", ""},
		{"userinfo.ratio", ""},
		{"userinfo.ok", ""},
		{"userinfo.list", ""},
		{"userinfo.none", ""},
		{"userinfo.profile", ""},
		{"userinfo.absent", ""},
		{"claims.id", ""},
	} {
		values, _, err := mustCompileOver(t, OfLogin, row.text, Attribute).Strings(OfProvider(claims, userinfo))
		if got := strings.Join(values, "|"); got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s: %q, %v, want %q", row.text, got, err, row.want)
		}
	}
	for _, text := range []string{"1.5", "true", "['a']", "{'a': 1}"} {
		if _, err := CompileOver(OfLogin, text, Attribute); err == nil {
			t.Errorf("%s compiles as an attribute", text)
		}
	}
}

// TestGroups guards what expressions make of the answer of a groups endpoint, as GitHub's and others are.
func TestGroups(t *testing.T) {
	for _, row := range []struct{ answer, text, want string }{
		{`[{"slug":"core","organization":{"login":"acme"}},{"slug":"ops","organization":{"login":"acme"}}]`, "groups.map(t, t.organization.login + '/' + t.slug)", "acme/core acme/ops"},
		{`[{"login":"acme","id":9007199254740993}]`, "groups.map(o, string(o.id))", "9007199254740993"},
		{`["a","b"]`, "groups", "a b"},
		{`{"groups":[{"name":"x"},{"name":"y","hidden":true}]}`, "groups.groups.filter(g, !g.?hidden.orValue(false)).map(g, g.name)", "x"},
		{`[]`, "groups.map(o, o.login)", ""},
		{`[{"login":1}]`, "groups.map(o, o.login)", "error"},
		{`[{"id":1}]`, "groups.map(o, o.login)", "error"},
		{`[{"login":"a","n":184467440737095516150}]`, "groups.map(o, o.login)", "error"},
		{`{"message":"Bad credentials"}`, "groups.map(o, o.login)", "error"},
	} {
		o := readObject(t, `{"answer":`+row.answer+`}`)
		answer, _ := o.Lookup("answer")
		values, _, err := mustCompileOver(t, OfGroups, row.text, Texts).Strings(OfAnswer(answer))
		got := strings.Join(values, " ")
		if err != nil {
			got = "error"
		}
		if got != row.want {
			t.Errorf("%s of %s: %q (%v), want %q", row.text, row.answer, got, err, row.want)
		}
	}
}

// TestGroupsCost guards that a thousand memberships fit the cost, and that no answer makes an evaluation run away.
func TestGroupsCost(t *testing.T) {
	one := `{"slug":"team","organization":{"login":"acme","url":"` + strings.Repeat("x", 2000) + `"}}`
	values := make([]token.Value, 1000)
	for i := range values {
		list, err := token.ReadList([]byte("["+one+"]"), 4096)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = list[0]
	}
	answer := token.List(values)
	got, _, err := mustCompileOver(t, OfGroups, "groups.map(t, t.organization.login + '/' + t.slug)", Texts).Strings(OfAnswer(answer))
	if err != nil || len(got) != 1000 {
		t.Errorf("%d groups, %v", len(got), err)
	}
	if _, _, err := mustCompileOver(t, OfGroups, "groups.filter(a, groups.exists(b, a == b && a.slug != 'team')).map(g, g.slug)", Texts).Strings(OfAnswer(answer)); !errors.Is(err, ErrCost) {
		t.Errorf("a square of it: %v, want ErrCost", err)
	}
}
