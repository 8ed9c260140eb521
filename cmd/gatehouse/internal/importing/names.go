// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"regexp"
	"strconv"
	"strings"
)

// maxName leaves room for what is put behind a name: 63 characters are a label's bound.
const maxName = 40

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// isLabel tells whether s is a DNS label (RFC 1123), as namespaces are.
func isLabel(s string) bool { return len(s) <= 63 && label.MatchString(s) }

var notInLabel = regexp.MustCompile(`[^a-z0-9]+`)

// labelOf is the object name nearest to a text, and otherwise where the text has no letter or digit of ASCII.
func labelOf(text, otherwise string) string {
	s := strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if len(s) > maxName {
		s = strings.TrimRight(s[:maxName], "-")
	}
	if s == "" {
		return otherwise
	}
	return s
}

// names hands out object names, each once.
type names map[string]bool

// take is the name, with a number behind it if it is taken.
func (n names) take(name string) string {
	for i, free := 2, name; ; i++ {
		if !n[free] {
			n[free] = true
			return free
		}
		free = name + "-" + strconv.Itoa(i)
	}
}
