// SPDX-License-Identifier: Apache-2.0

package fold

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Name is the form in which two spellings of one name are equal: Unicode's compatibility caseless matching (Unicode 3.13, D146), composed, without space around it. It is idempotent.
func Name(s string) string {
	s = caseless(norm.NFD.String(s))
	s = caseless(norm.NFKD.String(s))
	return strings.TrimSpace(norm.NFKC.String(s))
}

func caseless(s string) string { return cases.Fold().String(s) }
