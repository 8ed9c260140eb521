// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// columns is how many columns of a terminal a text takes: East Asian wide characters take two, combining marks none (UAX #11).
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}

// pad adds spaces up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-columns(s))) }

// safe makes a text fit for a terminal: what is no printable character is escaped, as who writes an object's spec also writes parts of its messages. That goes for what turns the
// direction of text (U+202E and its like), too.
func safe(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	clean := true
	for _, r := range s {
		if !strconv.IsPrint(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// minWrap is the fewest columns that text is wrapped to: below it, a terminal's own wrapping reads better.
const minWrap = 20

// wrap breaks a text into lines, at spaces where there are any: the first of at most first columns, the others of at most n. With n below minWrap it does
// not.
func wrap(s string, first, n int) []string {
	if n < minWrap || columns(s) <= first {
		return []string{s}
	}
	var lines []string
	line, room := "", first
	end := func() { lines, line, room = append(lines, line), "", n }
	for word := range strings.FieldsSeq(s) {
		switch {
		case line != "" && columns(line)+1+columns(word) <= room:
			line += " " + word
			continue
		case line != "" || (columns(word) > room && room < n):
			end()
		}
		for columns(word) > room { // a URL: broken where it has to be
			line = prefix(word, room)
			word = word[len(line):]
			end()
		}
		line = word
	}
	return append(lines, line)
}

// prefix is the longest beginning of s that takes at most n columns.
func prefix(s string, n int) string {
	end := 0
	for i, r := range s {
		if columns(s[:i])+columns(string(r)) > n {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return s[:end]
}
