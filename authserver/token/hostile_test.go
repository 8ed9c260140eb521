// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// hostileTokens is every hostile token of this package.
func hostileTokens(t testing.TB, l *lab) []hostile {
	return slices.Concat(
		hostileForms(t, l), hostileBase64(t, l),
		hostileGrammar(t, l), hostileDuplicates(t, l), hostileBounds(t, l),
		hostileAlgorithms(t, l), hostileHeaders(t, l), hostileTypes(t, l), hostileKeyIDs(t, l),
		hostileKeys(t, l), hostileConfusion(t, l), hostileRSA(t, l), hostileECDSA(t, l), hostileEd25519(t, l),
		hostileTimes(t, l), hostileClaims(t, l), hostileJWEs(t, l), hostileAdvisories(t, l),
	)
}

// TestHostileTokens refuses each token for its own reason, so that no step can stand in for
// a missing one, and without a word of the token in the error.
func TestHostileTokens(t *testing.T) {
	l := newLab()
	rows := hostileTokens(t, l)
	seen := map[string]bool{}
	reasons := map[Reason]bool{}
	for _, row := range rows {
		if seen[row.name] {
			t.Errorf("two rows are named %q", row.name)
		}
		seen[row.name], reasons[row.want] = true, true
		t.Run(row.name, func(t *testing.T) {
			rules, set := row.rules, row.set
			if rules == nil {
				rules = l.rules
			}
			if set == nil {
				set = l.set
			}
			_, err := intake(row.raw, rules, set, labNow)
			if err == nil {
				t.Fatal("accepted")
			}
			if _, ok := errors.AsType[*Error](err); !ok || reasonOf(err) != row.want {
				t.Errorf("refused with %v, want reason %s", err, row.want)
			}
			for part := range strings.SplitSeq(row.raw, ".") {
				if len(part) > 8 && strings.Contains(err.Error(), part) {
					t.Errorf("the error quotes the token: %v", err)
				}
			}
		})
	}
	if len(rows) < 1000 {
		t.Errorf("only %d hostile tokens", len(rows))
	}
	for _, reason := range allReasons() {
		if !reasons[reason] {
			t.Errorf("no hostile token is refused with %s", reason)
		}
	}
	t.Logf("%d hostile tokens", len(rows))
}

// TestGoodToken guards the tables above: what they change was acceptable.
func TestGoodToken(t *testing.T) {
	l := newLab()
	if _, err := intake(l.claims(t, goodPayload), l.rules, l.set, labNow); err != nil {
		t.Fatal(err)
	}
}
