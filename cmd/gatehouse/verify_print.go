// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

const statusAccepted = http.StatusOK

// minHidden is the length, in bytes, from which on what was given as a token is one and no word of the report's own.
const minHidden = 16

// checkReport refuses what is no report, and takes the token out of one that holds it: the server does not write it, but the
// promise is this program's.
func checkReport(r *policy.Report, raw string) error {
	switch r.Status {
	case http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable:
	default:
		return errors.New("the answer is no report: it has no status of /verify")
	}
	if len(r.Checks) == 0 {
		return errors.New("the answer is no report: it has no checks")
	}
	hide := func(s *string) {
		if len(raw) >= minHidden {
			*s = strings.ReplaceAll(*s, raw, "[the token]")
		}
	}
	hide(&r.Tenant)
	hide(&r.Policy)
	hide(&r.Fix)
	for i := range r.Checks {
		hide(&r.Checks[i].Detail)
	}
	for name, value := range r.Headers {
		hide(&value)
		r.Headers[name] = value
	}
	for name, value := range r.AccessToken {
		if text, ok := value.(string); ok {
			hide(&text)
			r.AccessToken[name] = text
		}
	}
	return nil
}

func printReport(format string, r *policy.Report, verbose bool, stdout io.Writer) error {
	if format == "json" {
		e := json.NewEncoder(stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, err := io.WriteString(stdout, reportText(r, verbose, hasColour(stdout)))
	return err
}

// hasColour tells whether somebody sees colours: at a terminal, unless they ask for none (no-color.org).
func hasColour(stdout io.Writer) bool {
	f, ok := stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// ANSI colours (ECMA-48 §8.3.117).
const (
	green = "\x1b[32m"
	red   = "\x1b[1;31m"
	faint = "\x1b[2m"
	reset = "\x1b[0m"
)

// reportText is a report for people: a line for each check that was made, or with verbose for every one, then what follows from them.
func reportText(r *policy.Report, verbose, colour bool) string {
	paint := func(style, text string) string {
		if !colour {
			return text
		}
		return style + text + reset
	}
	shown, hidden := r.Checks, ""
	if !verbose {
		shown, hidden = made(r.Checks)
	}
	width := 0
	for _, c := range shown {
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	for _, c := range shown {
		style, mark, detail := look(&c)
		line := strings.TrimRight(fmt.Sprintf("%-4s  %-*s  %s", mark, width, oneLine(c.Name), oneLine(detail)), " ")
		b.WriteString(paint(style, line) + "\n")
	}
	if hidden != "" {
		b.WriteString(paint(faint, hidden) + "\n")
	}
	b.WriteString("\n")
	if r.Status == statusAccepted && r.AccessToken != nil {
		b.WriteString(paint(green, "Accepted") + whose(r) + ". The access token says, beside when it was made and for whom:\n")
		writeClaims(&b, r.AccessToken)
		return b.String()
	}
	if r.Status == statusAccepted {
		b.WriteString(paint(green, "Accepted") + whose(r) + ". The application is told:\n")
		writeHeaders(&b, r.Headers)
		return b.String()
	}
	b.WriteString(paint(red, verdict(r.Status)) + whose(r) + ": " + oneLine(string(r.Reason)) + " (" + seen(r.Status) + ")\n")
	if r.Fix != "" {
		b.WriteString("Fix: " + oneLine(r.Fix) + "\n")
	}
	return b.String()
}

// seen says what the client knows of a refusal: the token endpoint says a little more than /verify.
func seen(status int) string {
	text := "the client sees " + strconv.Itoa(status)
	if status == http.StatusBadRequest {
		return text + " and what of it is not the policy's"
	}
	return text + ", and no reason"
}

// made are the checks that were made, and what to say of the others, which nothing asks for or which an earlier failure has spared.
func made(checks []policy.Check) (shown []policy.Check, hidden string) {
	var skipped, spared int
	for _, c := range checks {
		switch c.Outcome {
		case policy.OutcomeSkipped:
			skipped++
		case policy.OutcomeNotReached:
			spared++
		default:
			shown = append(shown, c)
		}
	}
	var parts []string
	if skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d not asked for", skipped))
	}
	if spared > 0 {
		parts = append(parts, fmt.Sprintf("%d not reached", spared))
	}
	if len(parts) > 0 {
		hidden = fmt.Sprintf("-     %s (shown with -v)", strings.Join(parts, ", "))
	}
	return shown, hidden
}

// look is how a check is shown.
func look(c *policy.Check) (style, mark, detail string) {
	switch c.Outcome {
	case policy.OutcomePassed:
		return green, "ok", c.Detail
	case policy.OutcomeSkipped:
		if c.Detail == "" {
			return faint, "-", "not asked for"
		}
		return faint, "-", c.Detail
	case policy.OutcomeNotReached:
		return faint, "-", "not reached"
	default: // also what a later server may say: never shown as if it held
		if c.Detail == "" {
			return red, "FAIL", "does not hold"
		}
		return red, "FAIL", c.Detail
	}
}

func verdict(status int) string {
	if status == http.StatusServiceUnavailable {
		return "Undecided"
	}
	return "Refused"
}

// whose names the tenant and its policy, if it came to one.
func whose(r *policy.Report) string {
	switch {
	case r.Tenant == "" && r.Policy == "":
		return ""
	case r.Policy == "":
		return " for tenant " + oneLine(r.Tenant)
	}
	return " for tenant " + oneLine(r.Tenant) + " by " + oneLine(r.Policy)
}

// writeHeaders writes the identity headers: those that every answer has, then the mapped ones by name.
func writeHeaders(b *strings.Builder, headers map[string]string) {
	names := []string{"X-Auth-Request-User", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Tenant"}
	names = slices.DeleteFunc(names, func(n string) bool { _, ok := headers[n]; return !ok })
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	for _, name := range names {
		value := oneLine(headers[name])
		if value == "" {
			value = "(empty)"
		}
		fmt.Fprintf(b, "  %-*s  %s\n", width, oneLine(name), value)
	}
}

// writeClaims writes the claims of an access token by name, each value as JSON.
func writeClaims(b *strings.Builder, claims map[string]any) {
	width := 0
	for name := range claims {
		width = max(width, len(name))
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		value, err := json.Marshal(claims[name])
		if err != nil { // it came as JSON, or of strings
			value = []byte("?")
		}
		fmt.Fprintf(b, "  %-*s  %s\n", width, oneLine(name), oneLine(string(value)))
	}
}

// oneLine makes a text safe for a terminal: what is no printable character is escaped, as parts of it are an attacker's.
func oneLine(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
