// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reasons returns the values of a file's constants named Reason…, of the block whose comment begins with the words.
func reasons(t *testing.T, file, words string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	for _, d := range parsed.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST || !strings.HasPrefix(block.Doc.Text(), words) {
			continue
		}
		for _, spec := range block.Specs {
			c := spec.(*ast.ValueSpec)
			if !strings.HasPrefix(c.Names[0].Name, "Reason") {
				continue
			}
			value, err := strconv.Unquote(c.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values[value] = true
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// The reasons of UpstreamReady are the servers' to give: what is documented is what they send, no more and no less.
func TestReasonsOfUpstreamReady(t *testing.T) {
	sent := reasons(t, "../../authserver/keys/status.go", "Reasons of a [Status]")
	documented := append(reasons(t, "conditions.go", "Reasons of UpstreamReady"), ReasonReady, ReasonTooLarge)
	slices.Sort(documented)
	if len(sent) < 10 {
		t.Fatalf("found only the reasons %v", sent)
	}
	if diff := cmp.Diff(sent, documented); diff != "" {
		t.Errorf("sent and documented reasons differ (-sent +documented):\n%s", diff)
	}
}
