// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestHoldingCounts guards the estimate of a server's memory: each thing that a policy may hold counts at least what it was measured to take.
func TestHoldingCounts(t *testing.T) {
	holds := func(policies ...*config.Policy) int {
		var h holding
		for _, p := range policies {
			h.add(&rendered{policy: p})
		}
		return h.memory
	}
	rule := func(text string) *config.Policy {
		return &config.Policy{Claims: config.ClaimRules{Rules: []config.ClaimRule{{Expression: text}}}}
	}
	decryption := func(jwk int) *config.Policy {
		return &config.Policy{Decryption: &config.Decryption{Keys: []json.RawMessage{make(json.RawMessage, jwk)}}}
	}
	issuer := func(i config.Issuer) *config.Policy { return &config.Policy{Issuers: []config.Issuer{i}} }
	long := "claims.a == 'x'" + strings.Repeat(" || claims.b == 'y'", 50)
	source := config.Source{Expression: "claims.a"}
	nothing := holds(&config.Policy{})
	for name, c := range map[string]struct {
		p     *config.Policy
		least int
	}{
		"a key":                        {issuer(config.Issuer{Keys: make([]json.RawMessage, 1)}), 1000},
		"a URL":                        {issuer(config.Issuer{JWKSURI: "u"}), 3000},
		"discovery":                    {issuer(config.Issuer{Discovery: "u"}), 4000},
		"a directory":                  {issuer(config.Issuer{Discovery: "u", Directory: "d"}), 10_000},
		"a directory with its own key": {issuer(config.Issuer{Keys: make([]json.RawMessage, 1), Directory: "d"}), 1000},
		"a symmetric key that opens":   {decryption(42), 120},
		"an RSA key that opens":        {decryption(1615), 4200},
		"an RSA key of 4096 bits":      {decryption(3152), 6700},
		"an expression":                {rule("claims.g.exists(g, g == 'x')"), 2900},
		"a long expression":            {rule(long), 28_800},
		"expressions of every kind": {&config.Policy{Claims: config.ClaimRules{
			Username: config.Username{Source: source}, Email: config.Source{Expression: "claims.b"}, Groups: config.Source{Expression: "claims.c"},
			Headers: []config.HeaderMapping{{Source: config.Source{Expression: "claims.d"}}}, Rules: []config.ClaimRule{{Expression: "claims.e"}},
		}}, 5 * 2000},
	} {
		if got := holds(c.p) - nothing; got < c.least || got > 3*c.least+4000 {
			t.Errorf("%s counts %d, want at least %d and not many times that", name, got, c.least)
		}
	}
	if one, two := holds(rule(long)), holds(rule(long), rule(long)); two-one > nothing {
		t.Errorf("an expression that two policies share counts twice: %d and %d", one, two)
	}
}
