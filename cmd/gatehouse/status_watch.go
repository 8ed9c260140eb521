// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/status"
)

// redraw shows what --watch has to show: on a terminal in place, with ages that move; elsewhere again after every change.
func (f *statusFlags) redraw(objects *status.Objects, trouble error) error {
	report, missing := f.report(objects)
	if _, lines := size(f.stdout); lines > 0 && f.output == "text" {
		return f.redrawTerminal(report, missing, trouble, lines)
	}
	f.tellTrouble(trouble)
	content := *report
	content.Time = time.Time{}
	now, err := status.JSON(&content)
	if err != nil || now == f.shown {
		return err
	}
	f.shown = now
	text, err := f.frame(report)
	if err == nil {
		_, err = io.WriteString(f.stdout, text)
	}
	return err
}

// frame is a report as one of several: a line of JSON, a document of YAML, or text with the time before it.
func (f *statusFlags) frame(report *status.Report) (string, error) {
	switch f.output {
	case "json":
		return status.JSONLine(report)
	case "yaml":
		text, err := status.YAML(report)
		return "---\n" + text, err
	}
	return report.Time.Format(time.RFC3339) + "\n" + status.Text(report, f.style(report), f.now()) + "\n", nil
}

// tellTrouble says once on standard error why what was shown may be out of date, and that it no longer is.
func (f *statusFlags) tellTrouble(trouble error) {
	told := ""
	if trouble != nil {
		told = oneLine(trouble.Error())
	}
	switch {
	case told == f.troubleTold:
	case told == "":
		_, _ = fmt.Fprintln(f.stderr, "gatehouse: the cluster answers again")
	default:
		_, _ = fmt.Fprintln(f.stderr, "gatehouse: what is shown may be out of date: "+told)
	}
	f.troubleTold = told
}

// Control sequences (ECMA-48 §8.3, and DEC's for what a line does that is longer than the terminal is wide): the cursor to the top left, erase to the end of the
// line, erase to the end of the page; cut long lines, wrap them.
const (
	home      = "\x1b[H"
	eraseLine = "\x1b[K"
	erasePage = "\x1b[J"
	cutLines  = "\x1b[?7l"
	wrapLines = "\x1b[?7h"
)

// redrawTerminal overwrites what was drawn before. The summary is at the top, as a long tree is cut at the end.
func (f *statusFlags) redrawTerminal(report *status.Report, missing []string, trouble error, height int) error {
	style := f.style(report)
	lines := []string{report.Time.Local().Format(time.TimeOnly) + "  " + status.Line(report, style) + "  (ctrl-c ends)"}
	if trouble != nil {
		lines = append(lines, "What is shown may be out of date: "+oneLine(trouble.Error()))
	}
	if len(missing) > 0 {
		lines = append(lines, oneLine(f.absent(missing).Error()))
	}
	lines = append(lines, "")
	lines = append(lines, strings.Split(strings.TrimRight(status.Tree(report, style, f.now()), "\n"), "\n")...)
	if len(lines) >= height {
		left := len(lines) - height + 2
		lines = append(lines[:max(0, height-2)], fmt.Sprintf("... %d more lines (--problems shows only what is not right)", left))
	}
	frame := cutLines + home + strings.Join(lines, eraseLine+"\n") + eraseLine + "\n" + erasePage + wrapLines
	if f.shown == "" {
		frame = home + erasePage + frame
	}
	f.shown = frame
	_, err := io.WriteString(f.stdout, frame)
	return err
}
