// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// Style is how a report is written for people.
type Style struct {
	// Width is the terminal's, in columns; 0 wraps nothing.
	Width int
	// ASCII draws the tree with the characters that every terminal and log has.
	ASCII  bool
	Colour bool
	// Verbose shows every condition of every object.
	Verbose bool
	// All shows every object; else long lists are cut to those that need somebody and some that do not.
	All bool
}

// What is shown of a long list without Style.All.
const (
	shownProblems = 20
	shownReady    = 10
	shortList     = 25 // is shown whole
)

// ANSI colours (ECMA-48 §8.3.117).
const (
	bold   = "\x1b[1m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[1;31m"
	faint  = "\x1b[2m"
	reset  = "\x1b[0m"
)

// guides are the pieces that a tree is drawn with.
type guides struct{ branch, last, down, none, more, dash string }

var (
	unicodeGuides = guides{"├─ ", "└─ ", "│  ", "   ", "…", "·"}
	asciiGuides   = guides{"|- ", "`- ", "|  ", "   ", "...", "-"}
)

// writer draws a report.
type writer struct {
	Style
	guides
	b   strings.Builder
	now time.Time
}

// Text is a report for people: the tree, then the summary. Its ages are those at now.
func Text(r *Report, s Style, now time.Time) string {
	return Tree(r, s, now) + Line(r, s) + "\n"
}

// Line is the summary of a report in one line: how many objects there are, and how they are.
func Line(r *Report, s Style) string {
	w := &writer{Style: s}
	return w.summary(r)
}

// Tree is the tree of a report, without the summary.
func Tree(r *Report, s Style, now time.Time) string {
	w := &writer{Style: s, guides: unicodeGuides, now: now}
	if s.ASCII {
		w.guides = asciiGuides
	}
	for i := range r.AuthServers {
		w.server(r, &r.AuthServers[i])
		w.b.WriteByte('\n')
	}
	for _, note := range r.Notes {
		w.lines("", "", w.paint(faint, "Note: "), safe(note))
	}
	return w.b.String()
}

func (w *writer) summary(r *Report) string {
	s := &r.Summary
	total := s.AuthServers.Total + s.IdentityProviders.Total + s.TenantJWTPolicies.Total
	switch {
	case total == 0 && r.Namespace == "":
		return "There is no AuthServer, IdentityProvider or TenantJWTPolicy in any namespace."
	case total == 0:
		return "There is no AuthServer, IdentityProvider or TenantJWTPolicy in namespace " + safe(r.Namespace) + "; -A looks in all namespaces."
	}
	var parts []string
	for _, c := range []struct {
		n            int
		one, several string
	}{
		{s.AuthServers.Total, "AuthServer", "AuthServers"}, {s.IdentityProviders.Total, "IdentityProvider", "IdentityProviders"},
		{s.TenantJWTPolicies.Total, "TenantJWTPolicy", "TenantJWTPolicies"},
	} {
		if c.n > 0 {
			parts = append(parts, number(c.n)+" "+plural(c.n, c.one, c.several))
		}
	}
	ready := s.AuthServers.Ready + s.IdentityProviders.Ready + s.TenantJWTPolicies.Ready
	text := strings.Join(parts, ", ") + ": "
	switch {
	case ready < total:
		text += w.paint(red, number(total-ready)+" not ready")
	case total == 1:
		text += w.paint(green, "ready")
	default:
		text += w.paint(green, "all ready")
	}
	if s.Warnings > 0 {
		text += ", " + w.paint(yellow, number(s.Warnings)+" "+plural(s.Warnings, "warning", "warnings"))
	}
	return text
}

// number is n with separators between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// lines writes a text after a head, wrapped; further lines are indented by below. Only the head may have colours.
func (w *writer) lines(first, below, head, text string) {
	lines := []string{text}
	if w.Width > 0 {
		lines = wrap(text, w.Width-columns(first)-columns(plain(head)), w.Width-columns(below))
	}
	w.b.WriteString(strings.TrimRight(first+head+lines[0], " ") + "\n")
	for _, line := range lines[1:] {
		w.b.WriteString(below + line + "\n")
	}
}

func (w *writer) sign(unicode, ascii string) string {
	if w.ASCII {
		return ascii
	}
	return unicode
}

func (w *writer) age(t time.Time) string { return duration.HumanDuration(max(0, w.now.Sub(t))) }

func (w *writer) paint(style, text string) string {
	if !w.Colour || style == "" {
		return text
	}
	return style + text + reset
}

// plain is a text without its colours.
func plain(s string) string {
	for _, style := range []string{bold, green, yellow, red, faint, reset} {
		s = strings.ReplaceAll(s, style, "")
	}
	return s
}
