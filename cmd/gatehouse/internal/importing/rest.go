// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Finish ends reading: the error holds every mistake, by line. Otherwise the result gets the notes that belong to no object: what nobody
// read is told by name, one by one where the name has one of the prefixes, as those are about logins.
func (s *Settings) Finish(r *Result, prefixes ...string) (*Result, error) {
	for _, child := range s.family()[1:] {
		child.unknown()
		s.mistakes, s.notes = append(s.mistakes, child.mistakes...), append(s.notes, child.notes...)
	}
	if len(s.mistakes) > 0 {
		slices.SortStableFunc(s.mistakes, func(a, b Mistake) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text)) })
		return nil, slices.Compact(s.mistakes)
	}
	var others []string
	for _, one := range s.all {
		switch {
		case s.read[one.Key]: // told, or Result.traceless tells of it
		case slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(one.Key, p) }):
			s.Tell(one.Key, notKnown)
		default:
			others = append(others, fmt.Sprintf("%s (line %d)", shown(one.name()), one.Line))
		}
	}
	if len(others) > 0 {
		s.notes = append(s.notes, Note{Text: "not carried over, as the importer does not know it: " + strings.Join(others, ", "), Line: len(s.all) + MaxFile})
	}
	r.Notes = append(r.Notes, s.notes...)
	r.settings = s
	return r, nil
}

const notKnown = "not carried over: the importer does not know it"

// unknown tells of the settings that nobody read, one by one.
func (s *Settings) unknown() {
	for _, one := range s.all {
		if !s.read[one.Key] {
			s.Tell(one.Key, notKnown)
		}
	}
}

// hidden are the values that must not be printed, with the setting that each has: those that were read as secrets, and those of others whose name looks like it, wherever they stand. Each line of a
// longer value counts by itself.
func (s *Settings) hidden() map[string]*Setting {
	out := map[string]*Setting{}
	for _, one := range s.family() {
		one.hide(out)
	}
	return out
}

func (s *Settings) hide(out map[string]*Setting) {
	hide := func(one *Setting, value string, known bool) {
		for line := range strings.Lines(value) {
			line = strings.TrimSpace(line)
			if (len(line) >= minHidden || len(line) >= minWhole && (known || !plainWord.MatchString(line))) && !strings.HasPrefix(line, "-----") {
				out[line] = one
			}
		}
	}
	for key, value := range s.secrets {
		one := s.byKey[key]
		if one == nil { // a part of a setting
			one = &Setting{Key: key}
		}
		hide(one, value, true)
	}
	for _, one := range s.all {
		if !s.read[one.Key] {
			one.Value.secrets(LooksSecret(one.Key), func(text string) { hide(one, text, false) })
		}
	}
}

// minHidden is the length from which a value is looked for anywhere: shorter ones are in ordinary words, and are looked for as words of their own from minWhole on.
const minHidden, minWhole = 6, 3

// plainWord is a short value that is no reason to refuse a file when only its setting's name looks like a secret's: a word such as true or oidc, or a number.
var plainWord = regexp.MustCompile(`^([A-Za-z][a-z]*|[A-Z]+|[0-9]+[a-z]?)$`)

// within tells whether a text holds a hidden value.
func within(text, value string) bool {
	if len(value) >= minHidden {
		return strings.Contains(text, value)
	}
	for from := 0; ; {
		i := strings.Index(text[from:], value)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(value):])
		if !inWord(before) && !inWord(after) {
			return true
		}
		from = i + 1
	}
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// secrets calls f with each text in a value that is a secret as a whole, or whose name inside it looks like one.
func (v Value) secrets(secret bool, f func(text string)) {
	if secret && (v.Kind == Text || v.Kind == Number) {
		f(v.Text)
	}
	for _, item := range v.Items {
		item.secrets(secret, f)
	}
	for _, m := range v.Members {
		m.Value.secrets(secret || LooksSecret(m.Name), f)
	}
}

// texts calls f with each text in a value.
func (v Value) texts(key string, f func(key, text string)) {
	if v.Kind == Text || v.Kind == Number {
		f(key, v.Text)
	}
	for _, item := range v.Items {
		item.texts(key, f)
	}
	for _, m := range v.Members {
		m.Value.texts(key, f)
	}
}

// Comments is how many notes the manifests have.
func (r *Result) Comments() int {
	n := len(r.Notes)
	for _, o := range r.Objects {
		n += len(o.Notes)
	}
	return n
}
