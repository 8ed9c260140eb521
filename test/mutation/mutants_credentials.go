// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// handingOut are the checks between a caller and somebody else's token.
//
// Not here is what makes a mark of callers: what is found by it is compared by the whole key.
var handingOut = []suite{
	{packages: []string{"./authserver/claims"}, run: "Callers", mutants: []mutant{
		{"credential: groups that cannot be read are not none", "authserver/claims/caller.go", "if groups, ok := r.groups.plainTexts(s); ok {", "if groups, _ := r.groups.plainTexts(s); true {"},
		{"credential: groups that are elsewhere", "authserver/claims/caller.go", "if elsewhere(c, name) {", "if false && elsewhere(c, name) {"},
		{"credential: a username", "authserver/claims/caller.go", "\tusername, ok := r.username.plainText(s)\n\treturn ok && ", "\tusername, _ := r.username.plainText(s)\n\treturn "},
		{"credential: nobody", "authserver/claims/caller.go", "\tif c == nil {\n\t\treturn false\n\t}", "\tif c == nil {\n\t\treturn true\n\t}"},
		{"credential: own names of an own token", "authserver/claims/caller.go", "\tr = r.ownRules(organization)\n", "\tif r == nil {\n\t\tr = r.ownRules(organization)\n\t}\n"},
	}},
	{packages: []string{"./authserver/policy"}, run: "Admi|Upstream", mutants: []mutant{
		{"credential: no callers, nobody admitted", "authserver/policy/callers.go", "return d, c != nil && d.Status", "return d, d.Status"},
		{"credential: no expression, nobody admitted", "authserver/policy/callers.go", "expression = nobody", "expression = \"true\""},
		{"credential: what callers may have is part of them", "authserver/policy/callers.go", "\tfor _, text := range of {\n\t\tb = appendText(b, text)\n\t}", "\t_ = of"},
		{"credential: the expression is part of callers", "authserver/policy/callers.go", "b := appendText(nil, expression)", "b := appendText(nil, \"\")"},
		{"credential: remembered for the callers", "authserver/policy/remember.go", "\t\tb = append(b, j.callers.digest[:]...)\n", ""},
		{"credential: only the admitted are remembered", "authserver/policy/decide.go", "j.admit(); j.callers == nil || j.admitted", "j.admit(); true"},
		{"credential: of a remembered decision", "authserver/policy/remember.go", "d.Policy, d.Upstream = p.object, p.upstream", "d.Policy = p.object"},
		{"credential: none of the default policy for an own token", "authserver/policy/decide.go", "j.decision.Policy, j.decision.Upstream = p, tenant, \"\", \"\"", "j.decision.Policy = p, tenant, \"\""},
	}},
	{packages: []string{"./authserver"}, run: "Credential|UpstreamCred", mutants: []mutant{
		{"credential: admitted", "authserver/handle_credentials.go", "if !v.admitted || c == nil {", "if c == nil {"},
		{"credential: let in", "authserver/handle_credentials.go", "if v.Status != http.StatusOK {", "if v.Status != http.StatusOK && v.snap == nil {"},
		{"credential: a second that remains", "authserver/handle_credentials.go", "if remains < 1 {", "if false {"},
		{"credential: for the application", "authserver/front.go", "if v.Status == http.StatusOK && v.Upstream != \"\" {", "if false {"},
		{"credential: nobody passes without it", "authserver/upstream_credential.go", "v.Decision = v.WithoutCredential(err.Error(), after)", "_ = after"},
		{"credential: in the answer to Envoy", "authserver/ext_authz.go", ", Authorization: v.authorization}", "}"},
		{"credential: in the answer over HTTP", "authserver/handle_verify.go", "if v.authorization != \"\" {", "if false {"},
	}},
	{packages: []string{"./authserver/credential"}, mutants: []mutant{
		{"credential: a change of it", "authserver/credential/set.go", "c.from != from.Credential && !reflect.DeepEqual(c.from, from.Credential)", "false && reflect.DeepEqual(c, s)"},
		{"credential: a change of the way to its endpoint", "authserver/credential/set.go", "c == nil || c.way != way || ", "c == nil || "},
		{"credential: a set of another reach", "authserver/credential/set.go", "old.reach == reach && ", ""},
		{"credential: callers of a name that is not there", "authserver/credential/set.go", "\treturn s.nobody\n", "\treturn nil\n"},
	}},
	{packages: []string{"./authserver/extauthz"}, mutants: []mutant{
		{"credential: Envoy overwrites", "authserver/extauthz/answer.go", "const overwrite = 2", "const overwrite = 0"},
	}},
}
