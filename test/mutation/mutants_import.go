// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// importing are the checks that keep secrets of imported files out of sight, and what is made of them closed.
var importing = []suite{
	{packages: []string{"./cmd/gatehouse/internal/importing"}, mutants: importChecks},
	{packages: []string{"./cmd/gatehouse"}, run: "TestImportSecretsOut|TestImportCodes", mutants: importFileChecks},
}

var importChecks = []mutant{
	{"import: size", "cmd/gatehouse/internal/importing/input.go", "case len(data) > MaxFile:", "case false:"},
	{"import: NUL", "cmd/gatehouse/internal/importing/input.go", "at >= 0 {", "false {"},
	{"import: UTF-8", "cmd/gatehouse/internal/importing/input.go", "if !utf8.Valid(text) {", "if false {"},
	{"import: depth of YAML", "cmd/gatehouse/internal/importing/yaml.go", "case depth > maxDepth:", "case false:"},
	{"import: depth of JSON", "cmd/gatehouse/internal/importing/tree.go", "if depth > maxDepth {", "if false {"},
	{"import: aliases", "cmd/gatehouse/internal/importing/yaml.go", `n.Kind == yaml.AliasNode || n.Anchor != ""`, "false"},
	{"import: names twice in YAML", "cmd/gatehouse/internal/importing/yaml.go", "case seen[name.Value]:", "case false:"},
	{"import: secrets in other settings", "cmd/gatehouse/internal/importing/importing.go", "if err := r.leak(); err != nil {", "if err := r.leak(); false {"},
	{"import: secrets by their reader", "cmd/gatehouse/internal/importing/settings_read.go", "s.secrets[key] = one.Value.Text", ""},
	{"import: secrets by their name", "cmd/gatehouse/internal/importing/rest.go", "one.Value.secrets(LooksSecret(one.Key), func", "one.Value.secrets(false, func"},
	{"import: names that may be pieces of keys", "cmd/gatehouse/internal/importing/settings_names.go", "len(key) <= 64 && plainKey.MatchString(key)", "true"},
	{"import: user and password in a URL", "cmd/gatehouse/internal/importing/settings_url.go", `case u.User != nil || strings.ContainsAny(text, "#@"):`, "case false:"},
	{"import: parameters of a URL", "cmd/gatehouse/internal/importing/settings_url.go", "!slices.Contains(plainParameters, name) || ", "LooksSecret(name) || "},
	{"import: URLs of any setting", "cmd/gatehouse/internal/importing/secrets.go", "u.User != nil || secretQuery(u))", "false)"},
	{"import: short secrets", "cmd/gatehouse/internal/importing/rest.go", "len(line) >= minWhole && (known || !plainWord.MatchString(line))", "false"},
	{"import: short secrets are words", "cmd/gatehouse/internal/importing/rest.go", "if !inWord(before) && !inWord(after) {", "if true || !inWord(before) && !inWord(after) {"},
	{"import: secrets in a URL's query", "cmd/gatehouse/internal/importing/settings_url.go", "case secretQuery(u):", "case false:"},
	{"import: errors of YAML", "cmd/gatehouse/internal/importing/yaml.go", `m := Mistake{File: in.File, Text: "it is not valid YAML"}`, `m := Mistake{File: in.File, Text: "it is not valid YAML" + err.Error()}`},
	{"import: a file of another system", "cmd/gatehouse/internal/importing/importing.go", "if err := checkKind(kind, in, r, err); err != nil {", "if err != nil {"},
	{"import: the username at Google", "cmd/gatehouse/internal/importing/google.go", `if !isGoogle(issuer) || `, `if true || `},
	{"import: a Secret with another's value", "cmd/gatehouse/internal/importing/secrets.go", `e.Value == "" || r.settings != nil && r.settings.env`, `true`},
	{"import: a place for everybody", "cmd/gatehouse/internal/importing/login.go", `return render.OpenToEveryone(url) != ""`, "return false"},
	{"import: a signature inside RSA-OAEP", "cmd/gatehouse/internal/importing/timbr_keys.go", "a.nested = a.rsa || azure", "a.nested = azure"},
	{"import: encryption alone is not enough", "cmd/gatehouse/internal/importing/timbr_keys.go", "a.required = len(a.signed) == 0", "a.required = false"},
	{"import: short passwords of HS256", "cmd/gatehouse/internal/importing/timbr_keys.go", "len(value) >= shortestHS256 && ", ""},
	{"import: a provider that is off", "cmd/gatehouse/internal/importing/jumper_oidc.go", `object.Spec.SetFrom("enabled", false, "OIDC_AUTHENTICATION")`, ""},
	{"import: a service that is off", "cmd/gatehouse/internal/importing/jumpserver.go", `spec.SetFrom("enabled", false, o.key(jsEnable))`, ""},
	{"import: a restriction that cannot be carried over", "cmd/gatehouse/internal/importing/upstream.go", `Value: "false"}, {Name: "message"`, `Value: "true"}, {Name: "message"`},
	{"import: a place for everybody without saying so", "cmd/gatehouse/internal/importing/upstream.go", `case open && u.everybody != "":`, `case open:`},
	{"import: rules that do not fit", "cmd/gatehouse/internal/importing/upstream.go", `len([]rune(expression)) > maxExpression || `, ``},
	{"import: certificates that are none", "cmd/gatehouse/internal/importing/certificates.go", `!certificates(text, len(files))`, `false`},
	{"import: addresses that Google vouches for", "cmd/gatehouse/internal/importing/oauth2_proxy_admission.go", `expression = "has(claims.hd) && (" + expression + ")"`, `_ = expression`},
	{"import: an alpha configuration alone", "cmd/gatehouse/internal/importing/oauth2_proxy_admission.go", `if p.o.alone {`, `if false {`},
	{"import: a file of addresses that is not there", "cmd/gatehouse/internal/importing/oauth2_proxy_admission.go", `return domains, addresses, everybody, text != ""`, `return domains, addresses, true, true`},
	{"import: an audience of another issuer", "cmd/gatehouse/internal/importing/oauth2_proxy_bearer.go", `return slices.ContainsFunc(audiences, func(a string) bool { return !slices.Contains(b.audiences, a) })`, `return false`},
	{"import: groups of bearer tokens", "cmd/gatehouse/internal/importing/oauth2_proxy_bearer.go", `if b.admits != "" {`, `if false {`},
	{"import: a cookie for everybody", "cmd/gatehouse/internal/importing/oauth2_proxy_server.go", ` && suffix != domain`, ` && suffix != "-"`},
	{"import: weak hashes of htpasswd", "cmd/gatehouse/internal/importing/oauth2_proxy_htpasswd.go", `case usable(hash) != nil:`, `case false:`},
	{"import: weak hashes of Dex", "cmd/gatehouse/internal/importing/dex_passwords.go", `case usable(hash) != nil:`, `case false:`},
	{"import: Dex's users while they are off", "cmd/gatehouse/internal/importing/dex_passwords.go", `{Name: "enabled", Value: false, From`, `{Name: "enabled", Value: true, From`},
	{"import: addresses that Dex would not take", "cmd/gatehouse/internal/importing/dex_oidc.go", `if !c.s.Bool("insecureSkipEmailVerified", false) && c.asksEmail() {`, `if false {`},
	{"import: groups that Dex would not take", "cmd/gatehouse/internal/importing/dex_oidc.go", `c.expression("groups", "[]", c.origin("insecureEnableGroups"))`, ``},
}

var importFileChecks = []mutant{
	{"import: secrets over a file", "cmd/gatehouse/import.go", "os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600", "os.O_WRONLY|os.O_CREATE, 0o600"},
	{"import: who may read secrets", "cmd/gatehouse/import.go", "os.O_EXCL, 0o600", "os.O_EXCL, 0o644"},
}
