// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestShared guards that equal texts of any number of policies are one Program, and those of different kinds are not.
func TestShared(t *testing.T) {
	const text = "claims.shared in ['a', 'b']"
	p := mustCompile(t, text, Rule)
	if q := mustCompile(t, text, Rule); q != p {
		t.Error("the same text is compiled twice")
	}
	if q := mustCompile(t, text, Scalars); q == p {
		t.Error("two kinds share a program")
	}
}

// TestCacheForgets guards that the cache holds no Program that nobody uses: texts come and go for years.
func TestCacheForgets(t *testing.T) {
	keep := mustCompile(t, "claims.kept == 'x'", Rule)
	before := programs.size()
	for i := range 200 {
		mustCompile(t, fmt.Sprintf("claims.passing == '%d'", i), Rule)
	}
	for deadline := time.Now().Add(2 * time.Minute); programs.size() > before+10; {
		if time.Now().After(deadline) {
			t.Fatalf("%d entries, %d before", programs.size(), before)
		}
		runtime.GC()
		runtime.Gosched()
	}
	if mustCompile(t, "claims.kept == 'x'", Rule) != keep {
		t.Error("a program in use was forgotten")
	}
}

// TestConcurrent guards that one Program serves many requests at once, each with its own claims; it says most with -race.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := read(t, fmt.Sprintf(`{"exp":1,"n":%d,"groups":["g%d","all"],"name":"user%d"}`, i, i, i))
			for j := range 200 {
				rule, err := Compile("claims.groups.exists(g, g == 'g' + string(claims.n)) && claims.name.matches('^user[0-9]$')", Rule)
				if err != nil {
					t.Error(err)
					return
				}
				if ok, err := rule.Bool(Of(c)); !ok || err != nil {
					t.Errorf("rule: %v, %v", ok, err)
				}
				name, err := Compile(fmt.Sprintf("claims.name + '-%d'", j%5), Text)
				if err != nil {
					t.Error(err)
					return
				}
				values, _, err := name.Strings(Of(c))
				if want := fmt.Sprintf("user%d-%d", i, j%5); err != nil || values[0] != want {
					t.Errorf("%v, %v; want %s", values, err, want)
				}
			}
		})
	}
	wg.Wait()
}
