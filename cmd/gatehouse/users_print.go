// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
)

// print writes the answer as JSON for programs, or text for people.
func (f *usersFlags) print(stdout io.Writer, answer any, text string) error {
	if f.output == "json" {
		e := json.NewEncoder(stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(answer)
	}
	_, err := io.WriteString(stdout, strings.TrimSuffix(text, "\n")+"\n")
	return err
}

// called is how a user is told in a sentence.
func called(e *directory.Entry) string {
	return fmt.Sprintf("%s of %s (%s)", oneLine(e.Username), oneLine(e.Organization), oneLine(e.ID))
}

// table writes rows in columns. What stands in them was chosen by whoever has an account somewhere.
func table(b *strings.Builder, rows [][]string) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = oneLine(cell); cell == "" {
				cells[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // into memory
	}
	_ = w.Flush()
}

// pageText is a list of users for people.
func pageText(p *directory.Page) string {
	if len(p.Users) == 0 {
		return "There is no such user."
	}
	rows := [][]string{{"USERNAME", "EMAIL", "ORGANIZATION", "SOURCE", "STATE", "LAST LOGIN (UTC)", "ID"}}
	for i := range p.Users {
		e := &p.Users[i]
		rows = append(rows, []string{e.Username, e.Email, e.Organization, source(e), state(e), moment(e.LastLoginAt), e.ID})
	}
	var b strings.Builder
	table(&b, rows)
	if p.Next != "" {
		b.WriteString("\nThere may be more: add --after " + oneLine(p.Next) + "\n")
	}
	return b.String()
}

// detailsText is a user for people.
func detailsText(d *directory.Details) string {
	verified := ""
	switch {
	case d.EmailVerified:
		verified = " (verified by " + d.EmailProvider + ")"
	case d.EmailProvider != "":
		verified = " (not verified, says " + d.EmailProvider + "; tokens leave it out)"
	}
	var b strings.Builder
	table(&b, [][]string{
		{"ID", d.ID}, {"Organization", d.Organization}, {"Username", d.Username}, {"Email", d.Email + verified}, {"Name", d.Name},
		{"Phone", d.Phone}, {"Comment", d.Comment}, {"Groups", strings.Join(d.Groups, ", ")}, {"Source", source(&d.Entry)}, {"State", state(&d.Entry)},
		{"Created", moment(d.CreatedAt)}, {"Changed", moment(d.UpdatedAt)}, {"Last login", moment(d.LastLoginAt)},
	})
	if len(d.Identities) > 0 {
		b.WriteString("\n")
		rows := [][]string{{"PROVIDER", "ISSUER", "SUBJECT", "LAST LOGIN (UTC)"}}
		for _, i := range d.Identities {
			rows = append(rows, []string{i.Provider, i.Issuer, i.Subject, moment(i.LastLoginAt)})
		}
		table(&b, rows)
	}
	if len(d.Sessions) > 0 {
		b.WriteString("\n")
		rows := [][]string{{"SESSION", "PROVIDER", "BEGAN (UTC)", "SEEN (UTC)"}}
		for _, s := range d.Sessions {
			rows = append(rows, []string{s.Client, s.Provider, moment(s.CreatedAt), moment(s.SeenAt)})
		}
		table(&b, rows)
	} else {
		b.WriteString("\nNo sessions.\n")
	}
	return b.String()
}

func source(e *directory.Entry) string {
	if e.Provider == "" {
		return string(e.Source)
	}
	return string(e.Source) + " " + e.Provider
}

func state(e *directory.Entry) string {
	if e.Disabled {
		return "disabled"
	}
	return "enabled"
}

// moment is a time to the minute, in UTC.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
