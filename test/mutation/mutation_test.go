// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// timeout bounds one mutant's build and tests: a check that is off may make a loop endless.
const timeout = 3 * time.Minute

// suite is checks that the same tests should notice.
type suite struct {
	packages  []string // of the tests
	run, skip string   // regular expressions over the tests' names; empty for all and for none
	mutants   []mutant
}

// suites returns the checks of the verifier, by package, and those of logins.
func suites() []suite {
	var all []suite
	for _, m := range mutants {
		packages := m.packages()
		at := slices.IndexFunc(all, func(s suite) bool { return slices.Equal(s.packages, packages) })
		if at < 0 {
			at, all = len(all), append(all, suite{packages: packages})
		}
		all[at].mutants = append(all[at].mutants, m)
	}
	return slices.Concat(all, providers, accounts, rendering, operating, exchanges, handingOut, importing, status)
}

// filters are the flags that choose tests.
func (s *suite) filters(prefix string) (flags []string) {
	if s.run != "" {
		flags = append(flags, "-"+prefix+"run="+s.run)
	}
	if s.skip != "" {
		flags = append(flags, "-"+prefix+"skip="+s.skip)
	}
	return flags
}

// Guards the tests of the verifier and of logins: every check that is switched off must make one of them fail, and none fails
// with all of them on.
func TestEveryCheckMatters(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites() {
		dir := t.TempDir()
		bench := sync.OnceValues(func() (*bench, error) { return build(t.Context(), root, dir, s.mutants, s.packages) })
		t.Run("all on: "+s.mutants[0].name, func(t *testing.T) {
			t.Parallel()
			b, err := bench()
			if err != nil {
				t.Fatal(err)
			}
			if out, err := b.run(t.Context(), &s, ""); err != nil {
				t.Errorf("the tests fail with every check on: %v\n%s", err, out)
			}
		})
		for _, m := range s.mutants {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				b, err := bench()
				if err != nil {
					t.Fatal(err)
				}
				by, err := s.noticed(t, root, b, &m)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("noticed by %s", by)
			})
		}
	}
}

// noticed switches a check off and returns the test that failed. It is an error if none does, or if there was nothing to run.
func (s *suite) noticed(t *testing.T, root string, b *bench, m *mutant) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if id := b.switches[m.name]; id != "" {
		out, err := b.run(ctx, s, id)
		return s.judge(out, err)
	}
	overlay, err := m.overlay(root, t.TempDir())
	if err != nil {
		return "", err
	}
	args := append([]string{"test", "-overlay", overlay, "-vet=off", "-count=1", "-failfast", "-timeout=2m"}, s.filters("")...)
	cmd := exec.CommandContext(ctx, "go", append(args, s.packages...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return s.judge(out, err)
}

// Guards the list, in a moment: each check stands once in its file, and each row has a name of its own.
func TestChecksAreThere(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range suites() {
		for _, m := range s.mutants {
			if seen[m.name] {
				t.Errorf("two rows are called %q", m.name)
			}
			seen[m.name] = true
			if _, err := m.overlay(root, t.TempDir()); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		}
	}
	t.Logf("%d rows", len(seen))
}

// overlay writes the changed file and the file that tells the compiler of it, and returns the latter's name.
func (m *mutant) overlay(root, dir string) (string, error) {
	file := filepath.Join(root, m.file)
	source, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the file to change: %w", err)
	}
	if n := bytes.Count(source, []byte(m.check)); n != 1 {
		return "", fmt.Errorf("%s holds the check %q %d times, want once: correct the row", m.file, m.check, n)
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(changed, bytes.Replace(source, []byte(m.check), []byte(m.off), 1), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// judge tells from what tests printed which of them failed.
func (s *suite) judge(out []byte, err error) (string, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", fmt.Errorf("no test of %s notices that the check is off", strings.Join(s.packages, ", "))
	case !errors.As(err, &exit):
		return "", fmt.Errorf("running the tests: %w", err)
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return "", fmt.Errorf("the change does not compile:\n%s", out)
	}
	if match := failed.FindSubmatch(out); match != nil {
		return string(match[1]), nil
	}
	if bytes.Contains(out, []byte("panic: ")) || bytes.Contains(out, []byte("test timed out")) {
		return "a panic or the time limit", nil
	}
	return "", fmt.Errorf("the tests failed without a failing test:\n%s", out)
}
