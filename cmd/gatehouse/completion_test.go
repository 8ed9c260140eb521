// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestMain lets the test's own program be gatehouse, for shells to run.
func TestMain(m *testing.M) {
	if os.Getenv("GATEHOUSE_TEST_AS_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is a folder with gatehouse, kubectl-gatehouse and kubectl_complete-gatehouse in it, and the environment in which shells find them.
func program(t *testing.T) (dir string, environment []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, name := range []string{"gatehouse", pluginName, completeName} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, append(os.Environ(), "GATEHOUSE_TEST_AS_PROGRAM=1", "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "KUBECONFIG="+filepath.Join(dir, "absent"), "HOME="+dir)
}

// shellOut runs a script in a shell, or skips where there is none. Nothing but this test needs another shell than bash, so that the lack of one fails no
// suite.
func shellOut(t *testing.T, shell, script string) string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil && shell == "bash" {
		t.Fatal("there is no bash, which the project's scripts need too")
	}
	if err != nil {
		t.Skip("skipped: there is no " + shell + " on this machine")
	}
	dir, environment := program(t)
	args := []string{"-c", script}
	if shell == "bash" {
		args = append([]string{"--norc", "--noprofile"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env, cmd.Dir = environment, dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, errs.String())
	}
	return string(out)
}

// completes asks a bash that has sourced the script what it would offer after the words. The functions before it are what the script takes from the package
// bash-completion.
const completes = `
_get_comp_words_by_ref() {
  while [ $# -gt 0 ]; do case "$1" in
    -n) shift;;
    cur) cur=${COMP_WORDS[COMP_CWORD]};;
    prev) prev=${COMP_WORDS[COMP_CWORD-1]};;
    words) words=("${COMP_WORDS[@]}");;
    cword) cword=$COMP_CWORD;;
  esac; shift; done
}
__ltrim_colon_completions() { :; }
_filedir() { COMPREPLY+=("files:$1"); }
source <(gatehouse completion bash)
offer() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMPREPLY=()
  __start_gatehouse
  printf '%s\n' "${COMPREPLY[@]}"
}
`

// TestBashCompletes guards, in a real bash, that what the completion script offers is what can be typed.
func TestBashCompletes(t *testing.T) {
	cases := map[string][]string{
		"gatehouse sta":                    {"status"},
		"gatehouse completion ''":          {"bash", "fish", "powershell", "zsh"},
		"gatehouse status -o ''":           {"json", "text", "yaml"},
		"gatehouse status --color a":       {"always", "auto"},
		"gatehouse lint -o j":              {"json"},
		"gatehouse users list --output ''": {"json", "text"},
		"gatehouse lint -f ''":             {"files:yaml|yml|json|"},
		"gatehouse serve --data-dir ''":    {"files:-d"},
		"gatehouse render -f x -o ''":      {"files:-d"},
		"gatehouse hash-password --color":  {},
	}
	for line, want := range cases {
		t.Run(line, func(t *testing.T) {
			got := strings.Fields(shellOut(t, "bash", completes+"offer "+line))
			for i := range got { // a description may follow
				got[i], _, _ = strings.Cut(got[i], "\t")
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, append([]string{}, got...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestShellsTakeTheScript guards that each shell that is installed takes its script.
func TestShellsTakeTheScript(t *testing.T) {
	for shell, script := range map[string]string{
		"bash": "source <(gatehouse completion bash) && complete -p gatehouse",
		"zsh":  "autoload -Uz compinit && compinit -u && source <(gatehouse completion zsh) && print -r -- $_comps[gatehouse]",
		"fish": "gatehouse completion fish | source; and complete --command gatehouse",
	} {
		t.Run(shell, func(t *testing.T) {
			if out := shellOut(t, shell, script); !strings.Contains(out, "gatehouse") {
				t.Errorf("%s does not complete gatehouse: %q", shell, out)
			}
		})
	}
}

// TestCompletionScripts guards that every shell's script is written, and that the command is one to be found.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range shells {
		code, out, errs := cli(t, "", "completion", shell)
		if code != exitFine || !strings.Contains(out, "gatehouse") || len(out) < 1000 {
			t.Errorf("%s: exit code %d, %d bytes, %s", shell, code, len(out), errs)
		}
	}
	if _, out, _ := cli(t, "", "--help"); !strings.Contains(out, "completion") {
		t.Errorf("help does not list completion:\n%s", out)
	}
	if code, _, errs := cli(t, "", "completion", "tcsh"); code != exitUsage || !strings.Contains(errs, "which shell? want one of bash, zsh, fish, powershell") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestFixedValuesComplete guards that each flag with fixed values offers them, and that the table names no flag that is not there.
func TestFixedValuesComplete(t *testing.T) {
	root := newRoot(false, nil)
	seen := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for name := range flagValues[cmd.Name()] {
			seen++
			if cmd.Flag(name) == nil {
				t.Errorf("%s has no flag --%s", cmd.CommandPath(), name)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if _, ok := cmd.GetFlagCompletionFunc(f.Name); !ok && (strings.Contains(f.Usage, "text or json") || strings.Contains(f.Usage, "json or yaml")) {
				t.Errorf("%s: --%s has fixed values and offers none", cmd.CommandPath(), f.Name)
			}
		})
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(root)
	if want := 5; seen != want {
		t.Errorf("%d flags of flagValues are there, want %d", seen, want)
	}
}

// TestPlugin guards that the program is kubectl's plugin under its names.
func TestPlugin(t *testing.T) {
	out := shellOut(t, "bash", "kubectl-gatehouse status --help")
	if !strings.Contains(out, "kubectl gatehouse status [NAME") || !strings.Contains(out, "\n  kubectl gatehouse status --watch\n") || strings.Contains(out, "kubectl kubectl") {
		t.Errorf("the help does not say what people type:\n%s", out)
	}
	out = shellOut(t, "bash", "kubectl_complete-gatehouse status -o ''")
	if !strings.HasPrefix(out, "text\njson\nyaml\n:") {
		t.Errorf("kubectl is offered %q", out)
	}
}
