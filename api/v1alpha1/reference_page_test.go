// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// kindPage is the page of docs/reference that explains a kind.
type kindPage struct {
	kind, text string
	// rows are condition and reason of each row of its table of conditions.
	rows map[[2]string]bool
}

var (
	// conditionRow is a row whose first and third cell are one constant each; a reason in words stands for those of other rows.
	conditionRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:True|False|Unknown|True or False) \\| (?:`(\\w+)`|[^`|]*(?:`\\w+`[^`|]*)*) \\|")
	// goldenKind and goldenCondition are how the golden files of controllers/render begin an object and tell its conditions.
	goldenKind      = regexp.MustCompile(`^(AuthServer|IdentityProvider|TenantJWTPolicy)/`)
	goldenCondition = regexp.MustCompile(`^  (\w+)=(?:true|false) (\w+):`)
)

func kindPages(t *testing.T) map[string]*kindPage {
	t.Helper()
	pages := map[string]*kindPage{}
	for _, kind := range []string{KindAuthServer, KindIdentityProvider, KindTenantJWTPolicy} {
		text, err := os.ReadFile(filepath.Join("../../docs/reference", strings.ToLower(kind)+".md"))
		if err != nil {
			t.Fatal(err)
		}
		page := &kindPage{kind: kind, text: string(text), rows: map[[2]string]bool{}}
		for _, m := range conditionRow.FindAllStringSubmatch(page.text, -1) {
			page.rows[[2]string{m[1], m[2]}] = true
		}
		if len(page.rows) < 10 {
			t.Fatalf("%s: only %d rows of conditions were found", kind, len(page.rows))
		}
		pages[kind] = page
	}
	return pages
}

// constantsOf are the values of the constants of conditions.go whose names begin so.
func constantsOf(t *testing.T, prefix string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values[value] = true
		return true
	})
	if len(values) < 5 {
		t.Fatalf("only %d constants %s… were found", len(values), prefix)
	}
	return values
}

// Every condition and reason is explained on the page of a kind, and the pages name none that there is not.
func TestPagesExplainEveryCondition(t *testing.T) {
	conditions, reasons := constantsOf(t, "Condition"), constantsOf(t, "Reason")
	told := map[string]bool{}
	for _, page := range kindPages(t) {
		for row := range page.rows {
			if !conditions[row[0]] || row[1] != "" && !reasons[row[1]] {
				t.Errorf("%s: no such condition or reason: %s, %s", page.kind, row[0], row[1])
			}
			told[row[0]], told[row[1]] = true, true
		}
	}
	for _, all := range []map[string]bool{conditions, reasons} {
		for value := range all {
			if !told[value] {
				t.Errorf("%s is explained on no page of docs/reference", value)
			}
		}
	}
}

// What keys and endpoints may come to is explained of both kinds that name them.
func TestPagesExplainUpstreams(t *testing.T) {
	pages := kindPages(t)
	for _, reason := range append(reasons(t, "conditions.go", "Reasons of UpstreamReady"), ReasonReady, ReasonTooLarge) {
		for _, kind := range []string{KindIdentityProvider, KindTenantJWTPolicy} {
			if !pages[kind].rows[[2]string{ConditionUpstreamReady, reason}] {
				t.Errorf("%s: UpstreamReady, %s is not explained", kind, reason)
			}
		}
	}
	for _, reason := range reasons(t, "conditions.go", "Reasons of CredentialReady") {
		if !pages[KindIdentityProvider].rows[[2]string{ConditionCredentialReady, reason}] {
			t.Errorf("CredentialReady, %s is not explained", reason)
		}
	}
}

// What an object is told in any case of controllers/render is explained on the page of its very kind.
func TestPagesExplainVerdicts(t *testing.T) {
	pages := kindPages(t)
	files, err := filepath.Glob("../../controllers/render/testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	verdicts := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kind := ""
		for line := range strings.Lines(string(text)) {
			if m := goldenKind.FindStringSubmatch(line); m != nil {
				kind = m[1]
			}
			m := goldenCondition.FindStringSubmatch(line)
			if m == nil || kind == "" {
				continue
			}
			verdicts++
			if !pages[kind].rows[[2]string{m[1], m[2]}] {
				t.Errorf("%s: %s, %s is not explained, and is told in %s", kind, m[1], m[2], filepath.Base(file))
			}
		}
	}
	if verdicts < 100 {
		t.Errorf("only %d verdicts were found", verdicts)
	}
}

// Every field of a kind's spec and status, and of the blocks of providers, is on its page, in prose or in its examples.
func TestPagesNameEveryField(t *testing.T) {
	pages := kindPages(t)
	for kind, types := range map[string][]reflect.Type{
		KindAuthServer: {reflect.TypeFor[AuthServerSpec](), reflect.TypeFor[AuthServerStatus](), reflect.TypeFor[Tokens](), reflect.TypeFor[Login](), reflect.TypeFor[Store](),
			reflect.TypeFor[Outbound](), reflect.TypeFor[NetworkPolicy](), reflect.TypeFor[PodDisruptionBudget](), reflect.TypeFor[Monitoring]()},
		KindIdentityProvider: {reflect.TypeFor[IdentityProviderSpec](), reflect.TypeFor[ObjectStatus](), reflect.TypeFor[JWTBearerProvider]()},
		KindTenantJWTPolicy:  {reflect.TypeFor[TenantJWTPolicySpec](), reflect.TypeFor[ObjectStatus](), reflect.TypeFor[Decryption](), reflect.TypeFor[ClaimMappings]()},
	} {
		for _, of := range types {
			for i := range of.NumField() {
				name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
				if !regexp.MustCompile("[`{ .]" + name + "[`:/.]").MatchString(pages[kind].text) {
					t.Errorf("%s: the page does not name %s of %s", kind, name, of.Name())
				}
			}
		}
	}
}
