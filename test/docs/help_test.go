// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// code is what pages write as code: fences and spans.
	code = regexp.MustCompile("(?ms)^ *```.*?^ *```$|`[^`\n]*`")
	// ours is a command line of ours, up to where the shell's next command begins.
	ours = regexp.MustCompile("(?:^|[^\\w./-])(?:bin/)?(gatehouse|authserver) ([^|;&#`'\"\n)\\\\<>…]*)")
	flag = regexp.MustCompile(`(?:^|[\s\[(])(--[a-z][a-z-]*)`)
	word = regexp.MustCompile(`^[a-z][a-z-]*$`)
)

// help is what the programs say of themselves, by command line.
type help struct {
	t     *testing.T
	bin   string
	known map[string]string
}

func (h *help) of(command ...string) string {
	line := strings.Join(command, " ")
	if _, ok := h.known[line]; !ok {
		out, err := exec.Command(filepath.Join(h.bin, command[0]), append(command[1:], "--help")...).CombinedOutput()
		if err != nil && command[0] == "gatehouse" {
			h.t.Fatalf("%s --help: %v\n%s", line, err, out)
		}
		h.known[line] = string(out)
	}
	return h.known[line]
}

// isCommand tells whether a word is one of a command's own commands.
func isCommand(help, name string) bool {
	_, list, found := strings.Cut(help, "\nAvailable Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	return found && regexp.MustCompile(`(?m)^  `+regexp.QuoteMeta(name)+` `).MatchString(list)
}

// The commands and flags that pages name are those that the programs have.
func TestCommandLines(t *testing.T) {
	h := &help{t: t, bin: programs(t), known: map[string]string{}}
	checked := 0
	for _, p := range pages(t) {
		for _, span := range code.FindAllString(read(repository+"/"+p.path), -1) {
			for _, match := range ours.FindAllStringSubmatch(span, -1) {
				checked++
				if fault := h.check(match[1], strings.Fields(match[2])); fault != "" {
					t.Errorf("%s: %s %s: %s", p.path, match[1], strings.TrimSpace(match[2]), fault)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d command lines were found", checked)
	}
}

// check returns what is wrong with a command line, "" for nothing.
func (h *help) check(program string, args []string) string {
	command := []string{program}
	for len(args) > 0 && word.MatchString(args[0]) && strings.Contains(h.of(command...), "\nAvailable Commands:\n") {
		if !isCommand(h.of(command...), args[0]) {
			return "there is no command " + args[0]
		}
		command, args = append(command, args[0]), args[1:]
	}
	text := h.of(command...)
	for _, match := range flag.FindAllStringSubmatch(strings.Join(args, " "), -1) {
		if !regexp.MustCompile(`(?m)^ .*\s-?` + regexp.QuoteMeta(match[1]) + `\b`).MatchString(text) {
			return "there is no flag " + match[1]
		}
	}
	return ""
}

func TestCommandLinesThatAreWrong(t *testing.T) {
	h := &help{t: t, bin: programs(t), known: map[string]string{}}
	for line, right := range map[string]bool{
		"serve -f . --listen 127.0.0.1:8081": true, "users add bob@example.com --password-stdin": true, "users --ops URL list": true,
		"serv -f .": false, "serve -f . --lisen 127.0.0.1:8081": false, "users remove bob": false, "lint --ops URL": false,
	} {
		if fault := h.check("gatehouse", strings.Fields(line)); (fault == "") != right {
			t.Errorf("gatehouse %s: %q", line, fault)
		}
	}
}
