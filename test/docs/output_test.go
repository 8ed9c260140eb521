// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"regexp"
	"strings"
)

// anything is what a page writes in the place of what differs from run to run.
const anything = "…"

// check tells what of a step's output is not as the page has it.
func (s *step) check(printed string) error {
	if s.output != nil {
		if err := compare(*s.output, printed); err != nil {
			return err
		}
	}
	for _, want := range s.expected {
		if !pattern(want, false).MatchString(printed) {
			return fmt.Errorf("no line holds %q", want)
		}
	}
	return nil
}

// compare holds a page's output against what was printed, line by line.
func compare(page, printed string) error {
	want, got := lines(page), lines(printed)
	if matches(want, got) {
		return nil
	}
	return fmt.Errorf("want:\n%s\ngot:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
}

func lines(text string) []string {
	all := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	for i := range all {
		all[i] = strings.TrimRight(all[i], " \t")
	}
	return all
}

func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == anything {
		for skip := range len(got) + 1 {
			if matches(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && pattern(want[0], true).MatchString(got[0]) && matches(want[1:], got[1:])
}

// pattern is for a line, the whole of it or a part.
func pattern(line string, whole bool) *regexp.Regexp {
	parts := strings.Split(line, anything)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	text := strings.Join(parts, ".*")
	if whole {
		text = "^" + text + "$"
	}
	return regexp.MustCompile(text)
}
