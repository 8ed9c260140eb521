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
	{"import: secrets by their reader", "cmd/gatehouse/internal/importing/settings.go", "s.secrets[key] = one.Value.Text", ""},
	{"import: secrets by their name", "cmd/gatehouse/internal/importing/rest.go", "one.Value.secrets(LooksSecret(one.Key), func", "one.Value.secrets(false, func"},
	{"import: names that may be pieces of keys", "cmd/gatehouse/internal/importing/settings.go", "len(key) <= 64 && plainKey.MatchString(key)", "true"},
	{"import: user and password in a URL", "cmd/gatehouse/internal/importing/settings.go", `case u.User != nil || strings.ContainsAny(text, "#@"):`, "case false:"},
	{"import: parameters of a URL", "cmd/gatehouse/internal/importing/settings.go", "!slices.Contains(plainParameters, name) || ", ""},
	{"import: URLs of any setting", "cmd/gatehouse/internal/importing/secrets.go", "u.User != nil || secretQuery(u))", "false)"},
	{"import: short secrets", "cmd/gatehouse/internal/importing/rest.go", "len(line) >= minWhole && (known || !plainWord.MatchString(line))", "false"},
	{"import: short secrets are words", "cmd/gatehouse/internal/importing/rest.go", "if !inWord(before) && !inWord(after) {", "if true {"},
	{"import: secrets in a URL's query", "cmd/gatehouse/internal/importing/settings.go", "case secretQuery(u):", "case false:"},
	{"import: errors of YAML", "cmd/gatehouse/internal/importing/yaml.go", `m := Mistake{File: in.File, Text: "it is not valid YAML"}`, `m := Mistake{File: in.File, Text: "it is not valid YAML" + err.Error()}`},
	{"import: a place for everybody", "cmd/gatehouse/internal/importing/login.go", `return render.OpenToEveryone(url) != ""`, "return false"},
	{"import: a signature inside RSA-OAEP", "cmd/gatehouse/internal/importing/timbr_keys.go", "a.nested = a.rsa || azure", "a.nested = azure"},
	{"import: encryption alone is not enough", "cmd/gatehouse/internal/importing/timbr_keys.go", "a.required = len(a.signed) == 0", "a.required = false"},
	{"import: short passwords of HS256", "cmd/gatehouse/internal/importing/timbr_keys.go", "len(value) >= shortestHS256 && ", ""},
	{"import: a provider that is off", "cmd/gatehouse/internal/importing/jumper.go", `object.Spec.SetFrom("enabled", false, "OIDC_AUTHENTICATION")`, ""},
	{"import: a service that is off", "cmd/gatehouse/internal/importing/jumpserver.go", `spec.SetFrom("enabled", false, o.key(jsEnable))`, ""},
}

var importFileChecks = []mutant{
	{"import: secrets over a file", "cmd/gatehouse/import.go", "os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600", "os.O_WRONLY|os.O_CREATE, 0o600"},
	{"import: who may read secrets", "cmd/gatehouse/import.go", "os.O_EXCL, 0o600", "os.O_EXCL, 0o644"},
}
