// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStrings guards which results each kind takes, and how values are written.
func TestStrings(t *testing.T) {
	for _, row := range []struct {
		text string
		kind Kind
		want []string
		list bool
		err  error
	}{
		{"claims.plan", Text, []string{"gold"}, false, nil},
		{"claims.empty", Text, []string{""}, false, nil},
		{"claims.email.split('@')[0]", Text, []string{"bob"}, false, nil},
		{"claims.level", Text, nil, false, ErrResult},
		{"claims.groups", Text, nil, false, ErrResult},
		{"claims.nothing", Text, nil, false, ErrResult},
		{"claims.absent", Text, nil, false, ErrFailed},
		{"claims.groups", Texts, []string{"dev", "ops", "dev/eu"}, true, nil},
		{"claims.plan", Texts, []string{"gold"}, false, nil},
		{"claims.none", Texts, []string{}, true, nil},
		{"claims.mixed", Texts, nil, true, ErrResult},
		{"claims.realm", Texts, nil, false, ErrResult},
		{"claims.level", Texts, nil, false, ErrResult},
		{"[claims.groups]", Texts, nil, true, ErrResult},
		{"claims.mixed", Scalars, []string{"a", "1", "true"}, true, nil},
		{"claims.level", Scalars, []string{"7"}, false, nil},
		{"claims.big", Scalars, []string{"9223372036854775807"}, false, nil},
		{"claims.huge", Scalars, []string{"18446744073709551615"}, false, nil},
		{"claims.ratio", Scalars, []string{"0.5"}, false, nil},
		{"claims.admin", Scalars, []string{"true"}, false, nil},
		{"claims.level > 8", Scalars, []string{"false"}, false, nil},
		{"1.0 / 0.0", Scalars, nil, false, ErrResult},
		{"claims.nothing", Scalars, nil, false, ErrResult},
		{"claims.realm", Scalars, nil, false, ErrResult},
		{"[claims.nothing]", Scalars, nil, true, ErrResult},
		{"[claims.groups]", Scalars, nil, true, ErrResult},
		{"claims.?plan.or(claims.?empty).orValue('')", Scalars, []string{"gold"}, false, nil},
	} {
		if row.text == "[claims.groups]" {
			row.text = "dyn([dyn(claims.groups)])"
		}
		got, list, err := mustCompile(t, row.text, row.kind).Strings(Of(read(t, person)))
		if diff := cmp.Diff(row.want, got); diff != "" || !errors.Is(err, row.err) || (err == nil && list != row.list) {
			t.Errorf("%s as %d: %v, %v, %v\n%s", row.text, row.kind, got, list, err, diff)
		}
	}
}

// TestStringsBound guards that a short expression cannot return more than MaxText from one claim repeated.
func TestStringsBound(t *testing.T) {
	c := read(t, largest()["halves"])
	for _, text := range []string{"claims.l.map(a, claims.s)", "[claims.s, claims.s, claims.s, claims.s, claims.s, claims.s, claims.s]"} {
		if _, _, err := mustCompile(t, text, Texts).Strings(Of(c)); !errors.Is(err, ErrCost) {
			t.Errorf("%s: %v, want ErrCost", text, err)
		}
	}
	if values, _, err := mustCompile(t, "[claims.s, claims.s, claims.s, claims.s, claims.s]", Texts).Strings(Of(c)); err != nil || len(strings.Join(values, "")) != 30000 {
		t.Errorf("%d values, %v", len(values), err)
	}
}

// TestLazy guards that a claim that the expression does not touch costs nothing, however large it is.
func TestLazy(t *testing.T) {
	p := mustCompile(t, "claims.plan in ['gold', 'silver']", Rule)
	small := read(t, `{"exp":1,"plan":"gold"}`)
	large := read(t, `{"exp":1,"other":[`+strings.TrimSuffix(strings.Repeat(`{"a":1},`, 1400), ",")+`],"plan":"gold"}`)
	count := func(payload string) float64 {
		c := small
		if payload == "large" {
			c = large
		}
		return testing.AllocsPerRun(100, func() {
			if ok, err := p.Bool(Of(c)); !ok || err != nil {
				t.Fatal(ok, err)
			}
		})
	}
	if a, b := count("small"), count("large"); a != b {
		t.Errorf("%v allocations with a small token, %v with a large one", a, b)
	}
}
