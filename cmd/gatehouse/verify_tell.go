// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/manifests"
)

// How many findings verify tells: of the tenant that is asked about, and of others.
const (
	maxOwnFindings   = 20
	maxOtherFindings = 3
)

// tellTenant tells what is left out, the tenant's own documents first. The others are told in number, and how to see them.
func (r *rendered) tellTenant(tenantID string, paths []string, stderr io.Writer) {
	var own, others []manifests.Finding
	isOwn := r.set.OfTenant(tenantID)
	for _, f := range r.findings {
		if isOwn(f) {
			own = append(own, f)
		} else {
			others = append(others, f)
		}
	}
	told := slices.Concat(own[:min(maxOwnFindings, len(own))], others[:min(maxOtherFindings, len(others))])
	for _, f := range told {
		_, _ = fmt.Fprintln(stderr, f) // a terminal that is gone is no reason not to go on
	}
	if more := len(r.findings) - len(told); more > 0 {
		_, _ = fmt.Fprintf(stderr, "and %d more: gatehouse lint --require-refs%s\n", more, pathFlags(paths))
	}
}

// pathFlags are the paths as flags, as many as one can read.
func pathFlags(paths []string) string {
	const most = 3
	var b strings.Builder
	for _, p := range paths[:min(most, len(paths))] {
		b.WriteString(" -f " + p)
	}
	if len(paths) > most {
		b.WriteString(" …")
	}
	return b.String()
}

// leftOut says which document has the tenant ID that no policy in force has, "" if there is none.
func (r *rendered) leftOut(tenantID string) string {
	for _, f := range r.findings {
		if f.Severity == manifests.SeverityError && f.Tenant != "" && f.Tenant == tenantID {
			return fmt.Sprintf("put %s right, which has this tenantID and is left out (%s:%d): %s", f.Object, f.File, f.Line, strings.Join(strings.Fields(f.Message), " "))
		}
	}
	return ""
}
