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
	"strings"
	"testing"
	"time"
)

// timeout bounds one mutant's build and tests: a check that is off may make a loop endless.
const timeout = 3 * time.Minute

// Guards the verifier's tests: every check that is switched off must make one of them fail.
func TestEveryCheckMatters(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			overlay, err := m.overlay(root, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			by, err := noticed(ctx, root, overlay, m.packages())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("noticed by %s", by)
		})
	}
}

// overlay writes the changed file and the file that tells the compiler of it, and returns the latter's name.
func (m *mutant) overlay(root, dir string) (string, error) {
	file := filepath.Join(root, m.file)
	source, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the file to change: %w", err)
	}
	if n := bytes.Count(source, []byte(m.check)); n != 1 {
		return "", fmt.Errorf("%s holds the check %q %d times, want once: correct the row in mutants.go", m.file, m.check, n)
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

// noticed runs the tests against the overlay and returns the one that failed. It is an error if none does, or if there was
// nothing to run.
func noticed(ctx context.Context, root, overlay string, packages []string) (string, error) {
	args := append([]string{"test", "-overlay", overlay, "-vet=off", "-count=1", "-failfast", "-timeout=2m"}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", fmt.Errorf("no test of %s notices that the check is off", strings.Join(packages, ", "))
	case !errors.As(err, &exit):
		return "", fmt.Errorf("running go test: %w", err)
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return "", fmt.Errorf("the change does not compile:\n%s", out)
	}
	if match := failed.FindSubmatch(out); match != nil {
		return string(match[1]), nil
	}
	if bytes.Contains(out, []byte("panic: ")) || bytes.Contains(out, []byte("test timed out")) {
		return "a panic or the time limit", nil
	}
	return "", fmt.Errorf("go test failed without a failing test:\n%s", out)
}
