// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// status are the checks that keep `gatehouse status` from saying that something is ready which is not, and a terminal from doing what a message says; and those of the
// import of JWT Bearer Auth that keep secrets out of manifests.
var status = []suite{
	{packages: []string{"./cmd/gatehouse/internal/status"}, mutants: statusChecks},
	{packages: []string{"./cmd/gatehouse/internal/importing"}, run: "JWTBearer|Examples", mutants: jwtBearerImportChecks},
}

var statusChecks = []mutant{
	{"status: the generation that was looked at", "cmd/gatehouse/internal/status/judge.go", "case ready == nil || observed != m.Generation || ready.ObservedGeneration != m.Generation:\n\t\treturn StateProgressing", "case ready == nil:\n\t\treturn StateProgressing"},
	{"status: Ready that is not True", "cmd/gatehouse/internal/status/judge.go", "case ready.Status == metav1.ConditionTrue:\n\t\treturn StateReady", "case true:\n\t\treturn StateReady"},
	{"status: what is being deleted", "cmd/gatehouse/internal/status/judge.go", "case m.DeletionTimestamp != nil:", "case false:"},
	{"status: what does not answer", "cmd/gatehouse/internal/status/judge.go", "if c.Status == metav1.ConditionFalse || stale {", "if stale {"},
	{"status: a credential that could not be renewed", "cmd/gatehouse/internal/status/judge.go", "if c.Status == metav1.ConditionFalse || stale {", "if c.Status == metav1.ConditionFalse || (stale && false) {"},
	{"status: replicas that are behind", "cmd/gatehouse/internal/status/judge.go", "if applied < ready {", "if false {"},
	{"status: escape sequences", "cmd/gatehouse/internal/status/wrap.go", "if !strconv.IsPrint(r) {", "if false && !strconv.IsPrint(r) {"},
	{"status: a signing key's algorithm", "cmd/gatehouse/internal/status/text_server.go", "text := safe(k.Algorithm)", "text := k.Algorithm"},
	{"status: control sequences in JSON", "cmd/gatehouse/internal/status/encode.go", "case r < utf8.RuneSelf || !obeyed(r):", "case r < utf8.RuneSelf || true:"},
	{"status: control characters in YAML", "cmd/gatehouse/internal/status/encode.go", "escaped(compact, unicode.IsControl)", "escaped(compact, func(r rune) bool { return false && unicode.IsControl(r) })"},
	{"status: the verdict", "cmd/gatehouse/internal/status/build.go", "r.Ready = r.Summary.Errors == 0", "r.Ready = true"},
}

var jwtBearerImportChecks = []mutant{
	{"import: claims that look like secrets", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", "if looksSecretWithin(m) {", "if false {"},
	{"import: secrets within claims", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", "return slices.ContainsFunc(m.Value.Members, looksSecretWithin)", "return false"},
	{"import: alg of the header", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", `o.algorithm != "" && m.Value.Text != o.algorithm`, "false"},
	{"import: crit of the header", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", `case "crit", "b64", "zip", "enc":`, `case "-":`},
	{"import: claims that are made", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", `case "iat", "exp":`, `case "-":`},
	{"import: jti is never fixed", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", `case "jti":`, `case "--":`},
	{"import: a key that does not fit", "cmd/gatehouse/internal/importing/jwt_bearer_members.go", "o.fitting(&entry, row)", "_ = row"},
}
