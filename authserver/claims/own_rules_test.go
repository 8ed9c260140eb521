// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestRefusesExchanged guards that an author is warned of a rule that no exchanged token can meet, and never of one that some may.
func TestRefusesExchanged(t *testing.T) {
	const own = "https://auth.example"
	for text, want := range map[string]bool{
		"claims.repository.startsWith('acme/')":                                                          true,
		"has(claims.repository)":                                                                         true,
		"'repository' in claims":                                                                         true,
		"claims.sub != 'root' && claims.repository.startsWith('acme/')":                                  true,
		"claims.sub != 'root' && (claims.sub == 'x' || claims.repository == 'y')":                        false, // x may pass
		"claims.iss == 'https://idp.example'":                                                            true,
		"claims.iss == 'https://auth.example' || claims.repository.startsWith('acme/')":                  false,
		"claims.repository.startsWith('acme/') || claims.iss == 'https://auth.example'":                  false,
		"(claims.iss == 'https://auth.example/' || claims.repository == 'x') && claims.sub != 'root'":    true,
		"claims.organization == 'acme' || claims.plan == 'gold'":                                         false,
		"claims.organization == 'other' || claims.plan == 'gold'":                                        true,
		"!has(claims.repository) || claims.repository == 'x'":                                            false,
		"claims.?repository.orValue('') == ''":                                                           false,
		"!('banned' in claims.groups)":                                                                   false,
		"claims.exists(name, name == 'repository')":                                                      false, // not looked into
		"claims.grant_type == 'urn:ietf:params:oauth:grant-type:jwt-bearer' || claims.repository == 'x'": false,
		"claims.repository ==":                                                                           false,
		"true":                                                                                           false,
	} {
		if got := RefusesExchanged(&config.ClaimRule{Expression: text}, own, "acme"); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, tt := range []struct {
		claim, value string
		want         bool
	}{{"plan", "gold", true}, {"sub", "bob", false}, {"iss", own, false}, {"iss", "https://idp.example", true}, {"organization", "acme", false}, {"tid", "x", true}, {"client_id", "portal", false}} {
		if got := RefusesExchanged(&config.ClaimRule{Claim: tt.claim, RequiredValue: tt.value}, own, "acme"); got != tt.want {
			t.Errorf("%s is %s: %v", tt.claim, tt.value, got)
		}
	}
}
