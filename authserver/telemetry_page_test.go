// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

var update = flag.Bool("update", false, "write the tables of docs/telemetry.md anew")

const telemetryPage = "../docs/telemetry.md"

// TestTelemetryPage compares the tables of docs/telemetry.md with the code: what is logged, counted and traced, and every
// reason there is, is on the page, and nothing else.
func TestTelemetryPage(t *testing.T) {
	page, err := os.ReadFile(telemetryPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, table := range map[string]string{"events": eventTable(), "metrics": metricTable(t), "reasons": reasonTable(t), "spans": spanTable(t)} {
		begin, end := "<!-- "+name+": made from the code -->\n", "<!-- end of "+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		old, after, ended := strings.Cut(rest, end)
		if !ok || !ended {
			t.Fatalf("the page lacks %q and %q", begin, end)
		}
		if old != table && !*update {
			t.Errorf("the table of %s is not what the code has; run: go test ./authserver -run TestTelemetryPage -update\n%s", name, table)
		}
		text = before + begin + table + end + after
	}
	if *update {
		if err := os.WriteFile(telemetryPage, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func code(s string) string { return "`" + s + "`" }

func codeList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = code(s)
	}
	return strings.Join(quoted, ", ")
}

func eventTable() string {
	var b strings.Builder
	b.WriteString("| event | level | fields | meaning |\n|---|---|---|---|\n")
	for _, e := range logs.Events() {
		_, _ = fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(e.Name), e.Levels, codeList(e.Fields), e.Meaning)
	}
	return b.String()
}

// descText takes prometheus.Desc.String apart, which is all there is.
var descText = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: ("(?:[^"\\]|\\.)*"), unit: "[^"]*", constLabels: \{[^}]*\}, variableLabels: \{([^}]*)\}`)

func metricTable(t *testing.T) string {
	t.Helper()
	all := make(chan *prometheus.Desc)
	go func() {
		newLab(t, nil).metrics.registry.Describe(all)
		close(all)
	}()
	var rows []string
	for desc := range all {
		m := descText.FindStringSubmatch(desc.String())
		if m == nil {
			t.Fatalf("not understood: %s", desc)
		}
		if !strings.HasPrefix(m[1], "gatehouse_") { // of the Go runtime and the process
			continue
		}
		help, err := strconv.Unquote(m[2])
		if err != nil {
			t.Fatalf("%s: %v", desc, err)
		}
		var labels []string
		if m[3] != "" {
			labels = strings.Split(m[3], ",")
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", code(m[1]), codeList(labels), help))
	}
	slices.Sort(rows)
	return "| metric | labels | meaning |\n|---|---|---|\n" + strings.Join(rows, "")
}

// constant is one that a package declares, with its documentation.
type constant struct{ name, value, doc string }

// constants are the string constants of a folder whose names begin so, in the order of files and lines.
func constants(t *testing.T, folder, prefix string) []constant {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(folder, err)
	}
	var found []constant
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if group, ok := d.(*ast.GenDecl); ok && group.Tok == token.CONST {
				found = append(found, ofGroup(t, group, prefix)...)
			}
		}
	}
	return found
}

func ofGroup(t *testing.T, group *ast.GenDecl, prefix string) []constant {
	t.Helper()
	var found []constant
	for _, s := range group.Specs {
		spec := s.(*ast.ValueSpec)
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, prefix) || i >= len(spec.Values) {
				continue
			}
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				continue
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			doc := strings.Join(strings.Fields(spec.Doc.Text()), " ")
			found = append(found, constant{name.Name, value, strings.TrimPrefix(doc, name.Name+": ")})
		}
	}
	return found
}

func reasonTable(t *testing.T) string {
	t.Helper()
	var all []constant
	for _, folder := range []string{"token", "claims", "policy", "extauthz"} {
		all = append(all, constants(t, folder, "Reason")...)
	}
	all = append(all, constants(t, ".", "reasonSession")...)
	slices.SortFunc(all, func(a, b constant) int { return cmp.Compare(a.value, b.value) })
	var b strings.Builder
	b.WriteString("| reason | meaning |\n|---|---|\n")
	for i, c := range all {
		switch {
		case c.doc == "":
			t.Errorf("%s has no documentation", c.name)
		case i > 0 && all[i-1].value == c.value:
			t.Errorf("two constants of one reason: %s and %s", all[i-1].name, c.name)
		}
		_, _ = fmt.Fprintf(&b, "| %s | %s |\n", code(c.value), links.ReplaceAllString(c.doc, "$1"))
	}
	return b.String()
}

// links are those of Go's documentation.
var links = regexp.MustCompile(`\[([A-Za-z.]+)\]`)

func spanTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| span | attributes |\n|---|---|\n")
	decision := []string{attributeProtocol, attributeTenant, attributeResult, attributeReason, attributeAlgorithm, attributeCached, attributeStatus}
	attributes := map[string][]string{spanVerify: decision, spanExtAuthz: decision, spanFetch: {attributeHost, attributeReason}, spanLogin: {attributeStatus}, spanToken: {attributeStatus}, spanCallback: {attributeStatus}, spanCredentials: decision, spanCredential: {attributeReason}}
	for _, c := range constants(t, ".", "span") {
		if attributes[c.value] == nil {
			t.Errorf("of the span %s nobody says which attributes it has", c.value)
		}
		_, _ = fmt.Fprintf(&b, "| %s | %s |\n", code(c.value), codeList(attributes[c.value]))
	}
	return b.String()
}

// TestEventsAreKnown reads the code of the programs that serve: each event that is logged has its row in logs.Events.
func TestEventsAreKnown(t *testing.T) {
	known := map[string]bool{}
	for _, e := range logs.Events() {
		known[e.Name] = true
	}
	byName := map[string]string{}
	for _, c := range constants(t, "logs", "Event") {
		byName[c.name] = c.value
		if !known[c.value] {
			t.Errorf("logs.%s has no row in logs.Events", c.name)
		}
	}
	if len(byName) != len(known) {
		t.Errorf("%d constants, %d rows", len(byName), len(known))
	}
	logged := map[string]bool{}
	for _, folder := range []string{".", "login", "keys", "outbound", "watch", "store", "telemetry", "../cmd/authserver", "../cmd/gatehouse"} {
		for _, e := range eventsIn(t, folder, byName) {
			logged[e] = true
			if !known[e] {
				t.Errorf("%s logs the event %q, which logs.Events lacks", folder, e)
			}
		}
	}
	if len(logged) < 15 {
		t.Errorf("only %d events found: does this test still understand the code?", len(logged))
	}
}

// eventsIn are the values that follow "event" in calls, as literals or as constants of package logs.
func eventsIn(t *testing.T, folder string, byName map[string]string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(folder, err)
	}
	var found []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for i := 0; i+1 < len(call.Args); i++ {
				key, ok := call.Args[i].(*ast.BasicLit)
				if !ok || key.Value != `"event"` {
					continue
				}
				switch value := call.Args[i+1].(type) {
				case *ast.BasicLit:
					found = append(found, strings.Trim(value.Value, `"`))
				case *ast.SelectorExpr:
					if known, ok := byName[value.Sel.Name]; ok {
						found = append(found, known)
					} else {
						t.Errorf("%s: event %s", path, value.Sel.Name)
					}
				}
			}
			return true
		})
	}
	return found
}
