// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"strings"
	"testing"
)

// jwtBearerRows are the fields of the form's documentation, and the members it names of those that are objects.
var jwtBearerRows = []string{
	"`Jwt Auth Private Key`", "`Jwt Auth Algorithm`", "`Jwt Auth Claims Expiry Seconds`", "`Jwt Auth Claims Issuer`", "`Jwt Auth Claims Audience`", "`Jwt Auth Claims Subject`",
	"`Jwt Auth Headers`: `alg`", "`Jwt Auth Headers`: `kid`", "`Jwt Auth Headers`: `typ`", "`Jwt Auth Additional Claims`", "`Jwt Auth Additional Claims`: `iat`, `exp`",
	"`Jwt Auth OAuth2 Access Token Request URL`", "`Custom Grant Type`",
}

// TestJWTBearerPage guards that every field of JWT Bearer Auth has its line. What becomes of each is guarded where it is imported, and the page's own commands are run.
func TestJWTBearerPage(t *testing.T) {
	cells := lines(sectionsOf(t, "jwt-bearer.md")["Each field"])
	for _, row := range jwtBearerRows {
		found := false
		for _, cell := range cells {
			found = found || strings.HasPrefix(cell, row)
		}
		if !found {
			t.Errorf("%s has no line", row)
		}
	}
}
