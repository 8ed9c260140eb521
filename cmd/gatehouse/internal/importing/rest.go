// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finish ends reading: the error holds every mistake, by line. Otherwise the result gets the notes that belong to no object: what nobody
// read is told by name, one by one where the name has one of the prefixes, as those are about logins.
func (s *Settings) Finish(r *Result, prefixes ...string) (*Result, error) {
	if len(s.mistakes) > 0 {
		slices.SortStableFunc(s.mistakes, func(a, b Mistake) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text)) })
		return nil, slices.Compact(s.mistakes)
	}
	var others []string
	for _, one := range s.all {
		switch {
		case s.read[one.Key]:
		case slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(one.Key, p) }):
			s.Tell(one.Key, "not carried over: the importer does not know it")
		default:
			others = append(others, fmt.Sprintf("%s (line %d)", shown(one.Key), one.Line))
		}
	}
	if len(others) > 0 {
		s.notes = append(s.notes, Note{Text: "not carried over, as Gatehouse has nothing for it: " + strings.Join(others, ", "), Line: len(s.all) + MaxFile})
	}
	r.Notes = append(r.Notes, s.notes...)
	r.settings = s
	return r, nil
}

// hidden are the values that must not be printed, with the key that each has: those that were read as secrets, and those of other settings whose name looks like it. Each line of a longer
// value counts by itself.
func (s *Settings) hidden() map[string]string {
	out := map[string]string{}
	hide := func(key, value string) {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= minHidden && !strings.HasPrefix(line, "-----") {
				out[line] = key
			}
		}
	}
	for key, value := range s.secrets {
		hide(key, value)
	}
	for _, one := range s.all {
		if !s.read[one.Key] && LooksSecret(one.Key) {
			one.Value.texts(one.Key, hide)
		}
	}
	return out
}

// minHidden is the length from which a value is looked for: shorter ones are in ordinary words.
const minHidden = 6

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
