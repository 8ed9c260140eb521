// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"cmp"
	"fmt"
	"strings"
)

// Severity of a finding.
type Severity string

// Severities.
const (
	// SeverityError means that the object, or the document, is left out, or that an example of a policy fails.
	SeverityError Severity = "error"
	// SeverityWarning means that it is served, or would be with what only the cluster has.
	SeverityWarning Severity = "warning"
)

// Finding is one thing to tell about a document.
type Finding struct {
	File string `json:"file"`
	// Line is 1 for the first.
	Line     int      `json:"line"`
	Severity Severity `json:"severity"`
	// Object is "Kind/name"; empty when the document says neither.
	Object    string `json:"object,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Tenant is the tenant ID that the document gives a policy; empty where it does not.
	Tenant string `json:"-"`
	// Message says what is wrong and what to do. It never holds a value of a Secret.
	Message string `json:"message"`
}

// String is "file:line: kind/name: message", with "warning: " behind the line for warnings.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: ", f.File, f.Line)
	if f.Severity == SeverityWarning {
		b.WriteString("warning: ")
	}
	if f.Object != "" {
		b.WriteString(f.Object + ": ")
	}
	b.WriteString(oneLine(f.Message))
	return b.String()
}

// oneLine keeps a message on its line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Compare orders findings by file, line and text.
func (f Finding) Compare(g Finding) int {
	return cmp.Or(cmp.Compare(f.File, g.File), cmp.Compare(f.Line, g.Line), cmp.Compare(f.String(), g.String()))
}
