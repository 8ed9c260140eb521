// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// maxNotRun is how many fences of commands may be left out in all. Each says why.
const maxNotRun = 8

// pages are README.md and all below docs.
func pages(t *testing.T) []*page {
	t.Helper()
	paths := []string{"README.md"}
	err := filepath.WalkDir(repository+"/docs", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			path, err = filepath.Rel(repository, path)
			paths = append(paths, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*page
	for _, path := range paths {
		p, err := readPage(repository, path)
		if err != nil {
			t.Error(err)
			continue
		}
		all = append(all, p)
	}
	if len(all) < 20 {
		t.Fatalf("only %d pages were found", len(all))
	}
	return all
}

// shells are languages in which commands would be written that this test does not see.
var shells = []string{"bash", "shell", "zsh", "shell-session", "console", "powershell"}

// Nothing that a reader would type is left unchecked unnoticed.
func TestNoCommandIsLeftOut(t *testing.T) {
	var left []string
	for _, p := range pages(t) {
		for _, s := range p.steps {
			where := fmt.Sprintf("%s:%d", p.path, s.line)
			switch {
			case s.kind == other && slices.Contains(shells, s.language):
				t.Errorf("%s: write commands in a fence of sh", where)
			case s.kind == commands && s.notRun != "":
				left = append(left, where+": "+s.notRun)
			case s.kind == commands && p.environments == nil:
				t.Errorf("%s: these commands are not run: put <!-- docs-test: serve --> at the top of the page, or <!-- not run: REASON --> before them", where)
			case s.kind == file && p.environments == nil:
				t.Errorf("%s: this file is written by no test: put <!-- docs-test: serve --> at the top of the page", where)
			}
		}
	}
	t.Logf("%d are not run:\n%s", len(left), strings.Join(left, "\n"))
	if len(left) > maxNotRun {
		t.Errorf("%d are too many, want at most %d: write pages whose commands can be run", len(left), maxNotRun)
	}
}

// Every page that asks for it is followed from top to bottom.
func TestPages(t *testing.T) {
	ran := 0
	for _, p := range pages(t) {
		if p.environments == nil {
			continue
		}
		ran++
		t.Run(p.path, func(t *testing.T) {
			if runtime.GOOS == "linux" {
				t.Parallel()
			}
			if err := follow(t, p); err != nil {
				t.Error(err)
			}
		})
	}
	if ran == 0 {
		t.Error("no page was run")
	}
}

// follow does what a page says. The error is for the step that was not as the page has it.
func follow(t *testing.T, p *page) error {
	needs(t, "bash", "curl", "jq", "openssl")
	s := prepare(t, p)
	visitor := newVisitor(t, s)
	s.begin(t)
	for _, step := range p.steps {
		if step.notRun != "" || step.kind == other {
			continue
		}
		if printed, err := s.take(t, step, visitor); err != nil {
			return fmt.Errorf("%s:%d: %w\nprinted:\n%s\n%s", p.path, step.line, err, printed, s.terminalsSaid())
		}
	}
	return s.finish()
}

// take does one step and returns what was printed.
func (s *shell) take(t *testing.T, step *step, visitor *visitor) (string, error) {
	switch {
	case step.kind == file:
		write(t, filepath.Join(s.dir, step.name), s.place(step.text))
		write(t, filepath.Join(s.written(), step.name), step.text)
		return "", nil
	case step.kind == browser:
		return "", visitor.do(step.text)
	case step.terminal:
		return s.open(t, step)
	case step.again:
		return s.again(t, step)
	}
	printed, err := s.run(t, step)
	if err == nil {
		err = step.check(printed)
	}
	return printed, err
}

// prepare makes a page's folder and environment.
func prepare(t *testing.T, p *page) *shell {
	t.Helper()
	s := &shell{dir: t.TempDir(), own: t.TempDir(), address: loopback()}
	bin := filepath.Join(s.own, "bin")
	built := programs(t)
	s.path = bin + ":" + os.Getenv("PATH")
	s.environment = append(os.Environ(), "HOME="+s.own, "PATH="+s.path, "LC_ALL=C", "PS1=", "DOCS_ADDRESS="+s.address, "KUBECONFIG=/dev/null")
	program(t, filepath.Join(bin, "gatehouse"), fmt.Sprintf(`#!/usr/bin/env bash
# Listens at the page's own address, unless the page says otherwise.
if [ "${1-}" = serve ]; then
	shift
	set -- serve --listen %[1]s:8080 --ops-listen %[1]s:9090 --ext-authz-listen %[1]s:9191 "$@"
fi
exec %[2]s/gatehouse "$@"
`, s.address, built))
	var replaced []string
	for _, name := range p.environments {
		prepare, ok := environments[name]
		if !ok {
			t.Fatalf("%s: there is no environment %q", p.path, name)
		}
		replaced = append(replaced, prepare(t, s, bin)...)
	}
	s.standIns = strings.NewReplacer(replaced...)
	return s
}
