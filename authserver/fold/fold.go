// SPDX-License-Identifier: Apache-2.0

package fold

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Name is the form in which two spellings of one name are equal: NFKC of case-folded NFKC, without space around it. It is idempotent.
func Name(s string) string {
	s = norm.NFKC.String(strings.TrimSpace(norm.NFKC.String(s)))
	return strings.TrimSpace(norm.NFKC.String(cases.Fold().String(s)))
}
