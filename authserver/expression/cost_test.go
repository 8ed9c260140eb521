// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestBombsEnd guards that no expression and token takes long or makes much: each is refused, or ends within its meter.
// What cel-go itself would do with most of them is run for years, or fill the memory. The bounds here are far above what is
// measured (BenchmarkWorst), so that only what is unbounded fails, on a slow and busy machine too.
func TestBombsEnd(t *testing.T) {
	var before, after runtime.MemStats
	evaluated := 0
	for _, text := range bombs {
		start := time.Now()
		p, err := Compile(text, Rule)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("compiling %.80s takes %v", text, took)
		}
		if err != nil {
			continue
		}
		evaluated++
		for name, payload := range largest() {
			c := read(t, payload)
			runtime.ReadMemStats(&before)
			start = time.Now()
			_, err := p.Bool(Of(c))
			if took := time.Since(start); took > time.Minute {
				t.Errorf("%.80s on %s takes %v", text, name, took)
			}
			runtime.ReadMemStats(&after)
			if made := after.TotalAlloc - before.TotalAlloc; made > 16<<20 {
				t.Errorf("%.80s on %s makes %d bytes", text, name, made)
			}
			if err != nil && !errors.Is(err, ErrCost) && !errors.Is(err, ErrFailed) && !errors.Is(err, ErrResult) {
				t.Errorf("%.80s on %s: %v", text, name, err)
			}
		}
	}
	if evaluated < len(bombs)*3/4 {
		t.Errorf("only %d of %d are evaluated", evaluated, len(bombs))
	}
}

// TestCostLimit guards that what is over the limit is an error that no operator of CEL catches, and that a meter is
// each evaluation's own.
func TestCostLimit(t *testing.T) {
	c := read(t, largest()["numbers"])
	for _, text := range []string{
		"claims.l.exists(a, claims.l.exists(b, a == b && b == 2))",
		"claims.l.exists(a, claims.l.exists(b, a == b && b == 2)) || true",
		"true || claims.l.exists(a, claims.l.exists(b, a == b && b == 2)) ? claims.l.all(a, claims.l.all(b, true)) : true",
		"[claims.l]" + strings.Repeat(".map(x, x+x+x+x+x+x+x+x)", 11) + ".size() == 0 || true",
		"[claims.l]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x])", 6) + " == [claims.l]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x])", 6) + " || true",
	} {
		if ok, err := mustCompile(t, text, Rule).Bool(Of(c)); ok && !strings.HasSuffix(text, "|| true") || !ok && !errors.Is(err, ErrCost) {
			t.Errorf("%.80s = %v, %v; want ErrCost", text, ok, err)
		}
	}
	p := mustCompile(t, "claims.l.exists(a, a == 2)", Rule)
	for range 100 {
		if ok, err := p.Bool(Of(read(t, `{"exp":1,"l":[1,1,1,2]}`))); !ok || err != nil {
			t.Fatalf("a small token after an expensive one: %v, %v", ok, err)
		}
		if _, err := p.Bool(Of(c)); !errors.Is(err, ErrCost) {
			t.Fatalf("%v, want ErrCost", err)
		}
	}
}

// TestTotal guards that the expressions of a policy share a bound: a policy may have dozens, and is its tenant's.
func TestTotal(t *testing.T) {
	c := read(t, `{"exp":1,"l":[`+strings.Repeat("1,", 3000)+`1]}`)
	p := mustCompile(t, "claims.l.all(a, a == 1)", Rule)
	s, passed := Of(c), 0
	for range 50 {
		ok, err := p.Bool(s)
		if ok {
			passed++
		} else if !errors.Is(err, ErrCost) {
			t.Fatalf("%v, want ErrCost", err)
		}
	}
	if passed < 2 || passed > 6 {
		t.Errorf("%d of 50 expensive expressions are within one bound", passed)
	}
	if ok, err := p.Bool(Of(c)); !ok || err != nil {
		t.Errorf("the next token: %v, %v", ok, err)
	}
}

// TestLookups guards that a step of an expression takes no search through a token of very many members, found or not, and
// that what stands for it is built once and charged.
func TestLookups(t *testing.T) {
	var payload strings.Builder
	payload.WriteString(`{"exp":1,"none":[`)
	payload.WriteString(strings.Repeat(`"aaaaaaaaaaaaaaaa999",`, 400) + `"x"]`)
	for i := range 240 {
		fmt.Fprintf(&payload, `,"aaaaaaaaaaaaaaaa%03d":%d`, i, i)
	}
	payload.WriteString("}")
	c := read(t, payload.String())
	for _, text := range []string{
		"claims.none.all(x, !(x in claims))",
		"claims.none.all(x, !has(claims.absent) && claims.aaaaaaaaaaaaaaaa239 == 239)",
	} {
		s := Of(c)
		if ok, err := mustCompile(t, text, Rule).Bool(s); !ok || err != nil {
			t.Errorf("%s = %v, %v", text, ok, err)
		}
		if s.claims.all == nil || s.claims.scans <= maxScans || len(s.claims.seen) > maxScans {
			t.Errorf("%s: %d scans without an index", text, s.claims.scans)
		}
	}
	s := Of(c)
	for range maxScans + 1 {
		_, _ = mustCompile(t, "claims.absent == 1", Rule).Bool(s)
	}
	if s.claims.all == nil {
		t.Errorf("%d expressions that share a subject search without an index", maxScans+1)
	}
	s = Of(c)
	if ok, err := mustCompile(t, "claims.size() == 242", Rule).Bool(s); !ok || err != nil || MaxTotal-s.total < 242 {
		t.Errorf("reading all of %d members costs %d units: %v, %v", 242, MaxTotal-s.total, ok, err)
	}
}

// TestRoom guards that real tokens with many groups are within the limit.
func TestRoom(t *testing.T) {
	groups := make([]string, 300)
	for i := range groups {
		groups[i] = `"11111111-2222-3333-4444-555555555555"`
	}
	c := read(t, `{"exp":1,"groups":[`+strings.Join(groups, ",")+`]}`)
	for _, text := range []string{
		"claims.groups.exists(g, g in ['a', 'b'])",
		"claims.groups.all(g, g.startsWith('1') && g.size() == 36 && g.matches('^[0-9-]+$'))",
		"claims.groups.filter(g, g.startsWith('1')).map(g, g.substring(4)).size() == 300",
		"sets.contains(claims.groups, ['11111111-2222-3333-4444-555555555555'])",
		"['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].exists(r, claims.groups.exists(g, g == r))",
	} {
		if _, err := mustCompile(t, text, Rule).Bool(Of(c)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
